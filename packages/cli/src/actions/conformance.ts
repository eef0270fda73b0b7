import { resolve } from 'node:path'
import { wholeNumber } from '../arguments.js'
import type { ConformanceOptions } from '../commands/conformance.js'
import type { Context } from '../commands/context.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { readText } from '../files.js'
import { untilInterrupted } from './deployment.js'

const KIT = '@authstate/conformance'

export async function conformance(
  context: Context,
  spi: string,
  options: ConformanceOptions,
  version: string,
): Promise<void> {
  const { surroundings } = context
  const { cwd, env, stdout, stderr } = surroundings
  const { module, list = false, timeout } = options
  if (module === undefined && !list)
    throw new CommandError(EXIT.usage, 'say which module describes the provider: --module, or --list')
  if (timeout !== undefined) wholeNumber(timeout, '--timeout', 1)
  if (module !== undefined) await readText(resolve(cwd, module))
  const { runCli } = await loadKit()
  const argv = [
    ...(module === undefined ? [] : [module]),
    ...['--spi', spi],
    ...(options.level ?? []).flatMap((level) => ['--level', level]),
    ...(list ? ['--list'] : []),
    ...(options.json ? ['--json', '-'] : []),
    ...(['case', 'junit', 'seed', 'timeout'] as const).flatMap((name) =>
      options[name] === undefined ? [] : [`--${name}`, options[name]],
    ),
  ]
  let status = 0
  await untilInterrupted(surroundings, async () => {
    status = await runCli(argv, {
      cwd,
      env,
      // All packages have one version.
      version,
      help: 'authstate conformance --help',
      print: (text) => stdout.write(text),
      complain: (text) => stderr.write(text),
      isTerminal: stderr.isTerminal,
    })
  })
  // What can be wrong by now is a name: of the SPI, of a level, or within the module.
  context.end(status === 0 ? EXIT.done : status === 1 ? EXIT.findings : EXIT.configuration)
}

/**
 * The kit, which is installed where providers are written.
 *
 * @throws {CommandError} it is not; says how
 */
export async function loadKit(load = () => import('@authstate/conformance/command')) {
  try {
    return await load()
  } catch (error) {
    const { code } = error as { readonly code?: unknown }
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error
    throw new CommandError(
      EXIT.configuration,
      `the test kit is not installed; run: npm install --save-dev ${KIT}`,
    )
  }
}
