import { AssertionError } from 'node:assert'
import { assertSpelt, type Keyring, type Known, type Provider, type RealmSettings } from '@authstate/spi'
import { ConformanceFailure } from './failure.js'
import { assertNoGrowth } from './growth.js'
import { Loans } from './loans.js'
import { RecordingLogger } from './recording-logger.js'
import { Secrets } from './secrets.js'
import { Chance } from './seeded.js'
import { show } from './show.js'
import { SteppedClock, Steps, stepped } from './steps.js'
import type { Case, OtherNode, Suite } from './suite.js'
import type { OpenTarget, Target } from './target.js'

/** How long a case may take when nothing else is said. */
export const DEFAULT_TIMEOUT_MS = 30_000

export interface CaseOptions {
  /** What random numbers of the case come from. */
  readonly seed: number
  /** Ms of real time after which a case has failed. @default 30_000 */
  readonly timeoutMs?: number | undefined
  /** Asked when the case is over: throws what went wrong beside it. */
  readonly settle?: (() => Promise<void>) | undefined
}

/** What every node of a case shares. Fixed, so that a failure can be repeated; it guards nothing. */
export const KEYRING: Keyring = { current: 'suite', keys: { suite: 'a secret that only a test would use' } }

/** What came of a case that did not fail. */
export type Verdict =
  | { readonly outcome: 'passed' }
  /** It asked for what the target does not have. */
  | { readonly outcome: 'left out'; readonly reason: string }

/**
 * Runs one case on an empty store of its own.
 *
 * @throws {ConformanceFailure} the guarantee does not hold, or the case did not end in time
 */
export async function runCase<P extends Provider>(
  suite: Suite<P>,
  target: Target<P>,
  item: Case<P>,
  { seed, timeoutMs = DEFAULT_TIMEOUT_MS, settle = async () => {} }: CaseOptions,
): Promise<Verdict> {
  const steps = new Steps()
  const chance = new Chance(seed)
  try {
    return await play(suite, target, item, { steps, chance, seed, timeoutMs, settle })
  } catch (error) {
    const { level, name, source } = item
    const guarantee = { spi: suite.spi.name, target: target.name, guarantee: name, level, source }
    throw new ConformanceFailure(guarantee, error, steps.lines(), chance.usedSeed)
  }
}

const OPEN_TARGET: Known<OpenTarget<Provider>> = {
  provider: true,
  commands: true,
  size: true,
  verify: true,
  close: true,
}

interface Performance {
  readonly steps: Steps
  readonly chance: Chance
  readonly seed: number
  readonly timeoutMs: number
  readonly settle: () => Promise<void>
}

async function play<P extends Provider>(
  suite: Suite<P>,
  target: Target<P>,
  item: Case<P>,
  { steps, chance, seed, timeoutMs, settle }: Performance,
): Promise<Verdict> {
  const clock = new SteppedClock(steps)
  const logger = new RecordingLogger()
  const settings = new Map<string, RealmSettings>()
  const opening = async () =>
    target.open({
      clock,
      logger,
      realms: (realmId) => settings.get(realmId),
      keyring: KEYRING,
      properties: suite.properties,
    })
  const store: OpenTarget<P> = await within(timeoutMs, opening(), 'opening the target')
  assertSpelt<OpenTarget<Provider>>(store, 'target.open()', OPEN_TARGET)
  const loans = new Loans()
  const secrets = new Secrets()
  const shared = new Set(suite.shared)
  const providers = new Set<P>()
  let missing: string | undefined
  const enact = async (drawn: Chance, realmOf: (realmId: string) => string): Promise<void> => {
    const open = async (label: string, properties: Readonly<Record<string, unknown>>, node?: OtherNode) => {
      const provider = await store.provider(properties, node)
      providers.add(provider)
      return stepped(provider, label, { steps, loans, secrets, shared, realmOf })
    }
    let nodes = 1
    await item.run({
      provider: await open('', suite.properties),
      clock,
      logger,
      get seed() {
        return drawn.seed
      },
      random: drawn.random,
      setRealm: (realmId, realm) => {
        steps.note(`realm ${show(realmId)} says ${show(realm)}`)
        settings.set(realmOf(realmId), realm)
      },
      anotherNode: (node) => open(`node ${++nodes}: `, suite.properties, node),
      withProperties: (properties) =>
        open(`with ${show(properties)}: `, { ...suite.properties, ...properties }),
      get commands() {
        if (store.commands === undefined) missing = 'the target counts no commands'
        return store.commands && (() => store.commands?.() ?? 0)
      },
    })
  }
  const enactAll = async (): Promise<void> => {
    await within(
      timeoutMs,
      enact(chance, same).then(async () => store.verify?.()),
      'the case',
    )
    const { size } = store
    if (size === undefined) return
    const again = (round: number) =>
      within(
        timeoutMs,
        enact(new Chance(seed), (realmId) => realmId && `${realmId}~${round}`),
        'the case',
      )
    await assertNoGrowth({ clock, play: again, providers: [...providers], size })
  }
  // In this order also where more than one goes wrong: a store that hangs often cannot be closed either.
  const failures = [
    ...(await failureOf(enactAll())),
    ...(await failureOf(within(timeoutMs, (async () => store.close())(), 'closing the target'))),
    ...(await failureOf(settle())),
  ]
  // First, for they are what the case stumbled over: it does not know that anybody changed an object.
  const [finding] = [...loans.findings, ...secrets.findings(logger.entries)]
  if (finding !== undefined) {
    // A guarantee that does not hold, like any assertion of the case itself.
    const broken = new AssertionError({ message: finding, operator: 'fail' })
    if (failures.length > 0) broken.cause = failures[0]
    throw broken
  }
  if (failures.length > 0) throw failures[0]
  return missing === undefined ? { outcome: 'passed' } : { outcome: 'left out', reason: missing }
}

const same = (realmId: string): string => realmId

async function failureOf(work: Promise<void>): Promise<[] | [unknown]> {
  try {
    await work
    return []
  } catch (error) {
    return [error]
  }
}

/** Real time, because what hangs does not look at a clock that stands still. */
async function within<T>(ms: number, work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not end within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
