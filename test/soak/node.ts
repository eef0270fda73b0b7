// What every node of a soak is made of.

/** What one process is told. */
export interface Task {
  readonly sentinels: readonly { readonly host: string; readonly port: number }[]
  readonly name: string
  readonly prefix: string
  readonly node: string
  readonly seed: number
  /** Port of a Redis that nobody disturbs: the database behind the cache. */
  readonly source: number
  readonly history: string
}

export const USERS = 8
export const KEYS = 4
export const MAX_SILENCE_MS = 1_000
export const COMMAND_TIMEOUT_MS = 1_000
/** Nobody is ever locked out: every failure is counted. */
const realms = () => ({
  bruteForce: { enabled: true, failureFactor: 1_000_000, quickLoginCheckMs: 0 },
})

/** The configuration of every node of a soak. */
export const configFor = ({ sentinels, name, prefix, node }: Omit<Task, 'seed' | 'source' | 'history'>) => ({
  provider: 'redis' as const,
  // With a replica less no confirmed change survives a failover for certain.
  redis: { sentinels: [...sentinels], name, prefix, minReplicas: 2, commandTimeoutMs: COMMAND_TIMEOUT_MS },
  node: { name: node },
  realms,
  logger: { debug() {}, info() {}, warn() {}, error() {} },
  spi: {
    'login-failure': { failPolicy: 'closed' as const },
    'realm-cache': { maxSilenceMs: MAX_SILENCE_MS },
    cluster: { readWaitMs: 200 },
  },
})
