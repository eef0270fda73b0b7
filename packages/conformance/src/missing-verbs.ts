import type { Provider } from '@authstate/spi'
import { ConformanceFailure, type Guarantee } from './failure.js'
import { FakeClock } from './fake-clock.js'
import { RecordingLogger } from './recording-logger.js'
import { KEYRING } from './run-case.js'
import type { Suite } from './suite.js'
import type { Target } from './target.js'

/** What is told of a provider that lacks methods, in the place of its cases. */
export const ALL_VERBS = { name: 'verbs: every one is there', level: 'basic', source: 'contract' } as const

/**
 * Looks once, before any case, whether a provider has the methods of its contract.
 *
 * @returns `undefined` when it has, or when no provider can be had: then the cases tell why
 */
export async function missingVerbs<P extends Provider>(
  suite: Suite<P>,
  target: Target<P>,
): Promise<ConformanceFailure | undefined> {
  if (suite.verbs === undefined || suite.verbs.length === 0) return undefined
  const missing = await lackedBy(suite, target)
  if (missing.length === 0) return undefined
  const { name, level, source } = ALL_VERBS
  const guarantee: Guarantee = { spi: suite.spi.name, target: target.name, guarantee: name, level, source }
  const what = missing.length === 1 ? 'the method' : 'the methods'
  return new ConformanceFailure(
    guarantee,
    new Error(`the provider lacks ${what} ${missing.join(', ')}; no case was run`),
    [],
    undefined,
  )
}

async function lackedBy<P extends Provider>(suite: Suite<P>, target: Target<P>): Promise<readonly string[]> {
  try {
    const store = await target.open({
      clock: new FakeClock(),
      logger: new RecordingLogger(),
      realms: () => undefined,
      keyring: KEYRING,
      properties: suite.properties,
    })
    try {
      const provider = (await store.provider(suite.properties)) as Readonly<Record<string, unknown>>
      return (suite.verbs ?? []).filter((verb) => typeof provider[verb] !== 'function')
    } finally {
      await store.close()
    }
  } catch {
    return []
  }
}
