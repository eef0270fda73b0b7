import { createOperations } from '@authstate/operations'
import { timers } from '@authstate/spi/internal'
import { Examiner } from './examiner.js'
import { Figures } from './figures.js'
import { Handler } from './handler.js'
import { Live } from './live.js'
import { type Console, type ConsoleOptions, checkOptions } from './options.js'
import { ownKeyring, Seals } from './seals.js'
import { Watch } from './watch.js'

const SAMPLE_MS = 60_000

/**
 * Pages for an operator, as a function from a request to its answer: mount it in any server, behind a login of your own.
 *
 * It reads only until `readOnly: false` is said, and then does what the rights of an operator allow. It looks at the deployment once in a
 * minute for its charts; close it before the state.
 *
 * @throws {ConfigurationError} `authorize` is missing, or the keyring cannot work
 * @throws {TypeError | RangeError} an option is unknown, missing or cannot be
 */
export function createConsole(options: ConsoleOptions): Console {
  const checked = checkOptions(options)
  const { state, realms, maxStreams, doctor } = checked
  const keyring = checked.keyring ?? ownKeyring()
  const { clock } = state
  const operations = createOperations({ state, keyring, realms })
  const seals = new Seals(keyring, clock)
  const figures = new Figures(state)
  const watch = new Watch(operations, figures, clock)
  const live = new Live(watch, maxStreams, () => clock.now())
  const examiner = new Examiner(doctor, clock)
  const sources = { options: checked, operations, clock, seals, figures, watch, examiner }
  const handler = new Handler(sources, live)

  void watch.lookAgain()
  const sampling = timers.setInterval(() => void watch.lookAgain(), SAMPLE_MS)
  sampling.unref?.()
  const close = async () => {
    timers.clearInterval(sampling)
    handler.close()
    live.close()
    figures.close()
  }
  return Object.assign((request: Request) => handler.handle(request), { close })
}
