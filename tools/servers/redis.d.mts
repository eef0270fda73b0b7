export interface StartedRedis {
  readonly url: string
  /** `native`: a server program. `wasm`: Valkey as WebAssembly, without Cluster, TLS, replication. `given`: REDIS_URL. */
  readonly kind: 'native' | 'wasm' | 'given'
  /** Path of a server program on this machine. */
  readonly binary: string | undefined
  stop(): Promise<unknown>
}
export function startRedis(env?: NodeJS.ProcessEnv): Promise<StartedRedis>
export function startCluster(
  binary: string,
  /** @default 3 */
  masters?: number,
): Promise<{ readonly nodes: readonly string[]; stop(): Promise<unknown> }>
