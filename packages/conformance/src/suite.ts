import type { Clock, NodeIdentity, Provider, RealmSettings, Spi } from '@authstate/spi'
import type { FakeClock } from './fake-clock.js'
import type { RecordingLogger } from './recording-logger.js'

/** What a case asks of a provider, beyond being right when called alone. */
export type Level = 'basic' | 'expiry' | 'concurrency' | 'faults' | 'cluster'

/** The levels, in the order in which they are reported. */
export const levels: readonly Level[] = ['basic', 'expiry', 'concurrency', 'faults', 'cluster']

/** Who another node of a case is, where that matters. */
export interface OtherNode extends Partial<NodeIdentity> {
  /** @default the clock of the case */
  readonly clock?: Clock
}

/** What a case gets: one provider over an empty store, and the world around it. */
export interface Stage<P extends Provider> {
  readonly provider: P
  readonly clock: FakeClock
  readonly logger: RecordingLogger
  /** Sets what the realm says from now on. */
  setRealm(realmId: string, settings: RealmSettings): void
  /**
   * The provider of another node on the same store. In a store of one process: the same provider, unless the node has
   * a name or a clock of its own.
   */
  anotherNode(node?: OtherNode): Promise<P>
  /** A provider with other properties; on the same store where stores are shared. */
  withProperties(properties: Readonly<Record<string, unknown>>): Promise<P>
  /** Commands sent to the store so far, where the target counts them; a case that needs it ends where it does not. */
  readonly commands: (() => number) | undefined
  /** What random numbers come from: for a generator of the case's own, such as fast-check's. Told when the case fails. */
  readonly seed: number
  /** A number from 0 to below 1, the same again with the same seed. */
  readonly random: () => number
}

/** One guarantee of a contract, as a test. */
export interface Case<P extends Provider> {
  readonly level: Level
  /** `verb: behaviour`. */
  readonly name: string
  /** Where the guarantee comes from: a scenario, a section, an RFC. */
  readonly source: string
  readonly run: (stage: Stage<P>) => Promise<void>
}

/** Everything an SPI's providers must show. */
export interface Suite<P extends Provider> {
  readonly spi: Spi<P>
  /** Properties the suite expects the provider to be built with. */
  readonly properties: Readonly<Record<string, unknown>>
  readonly cases: readonly Case<P>[]
  /** Names of the methods that a provider must have. */
  readonly verbs?: readonly string[] | undefined
  /** Those whose answers are shared with other callers by contract, and so are the answers of objects they return. */
  readonly shared?: readonly string[] | undefined
}

/** Any method of a provider. */
export type Method = (...args: never[]) => unknown

/**
 * The methods of a provider's contract, each of which must be listed. `'shared'`: the contract says that callers share
 * its answers, or those of the object it returns, and must not change them.
 */
export type Verbs<P> = {
  readonly [Verb in OwnOf<P> as NonNullable<P[Verb]> extends Method ? Verb : never]-?: true | 'shared'
}

/** Members that are not those of every provider. A contract that says what its `stats` are has them of its own. */
export type OwnOf<P> = Exclude<
  keyof P,
  Exclude<keyof Provider, P extends { stats: Method } ? 'stats' : never>
>

/** Adds a case to a suite; its name is `verb: behaviour`, its source says where the guarantee comes from. */
export type AddCase<P extends Provider> = (
  name: string,
  source: string,
  run: (stage: Stage<P>) => Promise<void>,
) => void

/** Adds cases to a suite, by level. */
export type SuiteBuilder<P extends Provider> = Readonly<Record<Level, AddCase<P>>>

/**
 * Collects the cases of a suite. Names must differ: a report has to say which guarantee failed.
 *
 * @param verbs The methods of the contract. A provider that lacks one is told so once, and no case is run on it.
 */
export function defineSuite<P extends Provider>(
  spi: Spi<P>,
  define: (add: SuiteBuilder<P>) => void,
  properties: Readonly<Record<string, unknown>> = {},
  verbs?: Verbs<P>,
): Suite<P> {
  const cases: Case<P>[] = []
  const adder =
    (level: Level): AddCase<P> =>
    (name, source, run) => {
      if (cases.some((item) => item.name === name))
        throw new TypeError(`two cases of ${spi.name} are named "${name}"`)
      cases.push({ level, name, source, run })
    }
  define({
    basic: adder('basic'),
    expiry: adder('expiry'),
    concurrency: adder('concurrency'),
    faults: adder('faults'),
    cluster: adder('cluster'),
  })
  const listed: readonly (readonly [string, unknown])[] = Object.entries(verbs ?? {})
  const shared = listed.flatMap(([verb, kind]) => (kind === 'shared' ? [verb] : []))
  return { spi, properties, cases, verbs: listed.map(([verb]) => verb), shared }
}
