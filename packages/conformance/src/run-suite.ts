import type { Clock, Keyring, Logger, Provider, RealmSettings, RealmSettingsSource } from '@authstate/spi'
import { FakeClock } from './fake-clock.js'
import { RecordingLogger } from './recording-logger.js'
import type { Level, OtherNode, Stage, Suite } from './suite.js'

/** The functions of a test runner: vitest, node:test and jest have them; for mocha hand in `it` as `test`. */
export interface Runner {
  describe(name: string, body: () => void): unknown
  test(name: string, body: () => Promise<void>): unknown
}

/** What a target builds its providers with. */
export interface TargetSetup {
  readonly clock: Clock
  readonly logger: Logger
  readonly realms: RealmSettingsSource
  readonly keyring: Keyring
  readonly properties: Readonly<Record<string, unknown>>
}

/** An empty store, opened for one case. */
export interface OpenTarget<P extends Provider> {
  /** A provider as one node would have it. Called again for each further node, perhaps with other properties. */
  provider(properties: Readonly<Record<string, unknown>>, node?: OtherNode): Promise<P>
  /** Commands sent so far. */
  commands?(): number
  /** Throws when the store was left in a state that no sequence of verbs may leave it in. */
  verify?(): Promise<void>
  /** Ends everything and removes what the case left. */
  close(): Promise<void>
}

/** One implementation, as a suite meets it. */
export interface Target<P extends Provider> {
  /** Shown in the report: `'memory'`, `'redis'`. */
  readonly name: string
  /** Levels the implementation does not claim, each with the reason; their cases are listed, not run. */
  readonly leaveOut?: Readonly<Partial<Record<Level, string>>>
  open(setup: TargetSetup): Promise<OpenTarget<P>>
}

/** Registers every case of a suite with the runner: a fresh store, clock and provider for each. */
export function runSuite<P extends Provider>(
  suite: Suite<P>,
  target: Target<P>,
  { describe, test }: Runner,
): void {
  describe(`${suite.spi.name} conformance: ${target.name}`, () => {
    for (const one of suite.cases) {
      if (target.leaveOut?.[one.level] !== undefined) continue
      test(`${one.name} [${one.level}, ${one.source}]`, () => runCase(suite, target, one.run))
    }
  })
}

/** The cases that {@link runSuite} leaves out for a target, with the reason it gives. */
export function leftOut<P extends Provider>(
  suite: Suite<P>,
  target: Target<P>,
): { name: string; reason: string }[] {
  return suite.cases.flatMap(({ name, level }) => {
    const reason = target.leaveOut?.[level]
    return reason === undefined ? [] : [{ name, reason: `${level}: ${reason}` }]
  })
}

/** What every node of a case shares. Fixed, so that a failure can be repeated; it guards nothing. */
const KEYRING: Keyring = { current: 'suite', keys: { suite: 'a secret that only a test would use' } }

async function runCase<P extends Provider>(
  suite: Suite<P>,
  target: Target<P>,
  run: (stage: Stage<P>) => Promise<void>,
): Promise<void> {
  const clock = new FakeClock()
  const logger = new RecordingLogger()
  const settings = new Map<string, RealmSettings>()
  const store = await target.open({
    clock,
    logger,
    realms: (realmId) => settings.get(realmId),
    keyring: KEYRING,
    properties: suite.properties,
  })
  try {
    await run({
      provider: await store.provider(suite.properties),
      clock,
      logger,
      setRealm: (realmId, realm) => settings.set(realmId, realm),
      anotherNode: (node) => store.provider(suite.properties, node),
      withProperties: (properties) => store.provider({ ...suite.properties, ...properties }),
      commands: store.commands && (() => store.commands?.() ?? 0),
    })
    await store.verify?.()
  } finally {
    await store.close()
  }
}
