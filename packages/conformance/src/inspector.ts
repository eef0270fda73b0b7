import type { RedisClient } from '@authstate/redis'

/** Looks at the keys of a store from outside, below any key prefix of the client. */
export interface Inspector {
  /** Every key whose name, behind the client's own prefix, starts with `prefix:`. Names are given without the client's prefix. */
  keys(prefix: string): Promise<string[]>
  /** Type of a key, ms to live (-1: for ever) and, for a sorted set, its members with scores. */
  read(key: string): Promise<{ type: string; ttlMs: number; members: ReadonlyMap<string, number> }>
  /** Fields of a hash. */
  hash(key: string): Promise<Readonly<Record<string, string>>>
  /** Whether there is such a key now. */
  exists(key: string): Promise<boolean>
  /** Removes every key of the prefix. */
  clear(prefix: string): Promise<void>
  /** Ends what the inspector opened; the client it was given stays open. */
  close(): void
}

interface RawClient extends RedisClient {
  readonly options: { readonly keyPrefix?: string; readonly redisOptions?: object }
  call(command: string, ...args: (string | number)[]): Promise<unknown>
  connect(): Promise<void>
  duplicate(...args: unknown[]): RawClient
  nodes?(role: string): RawClient[]
}

/**
 * Opens a way to look at the keys that a test left.
 *
 * @param client An ioredis `Redis` or `Cluster`. It stays open when the inspector is closed.
 */
export async function openInspector(client: RedisClient): Promise<Inspector> {
  const raw = client as RawClient
  const keyPrefix = raw.options.keyPrefix ?? ''
  // Keys are asked for by the full name: a client with a prefix of its own would add it once more.
  const direct = keyPrefix === '' ? raw : await withoutPrefix(raw)
  const nodes = () => (direct.isCluster ? (direct.nodes?.('master') ?? []) : [direct])

  const scan = async (prefix: string): Promise<string[]> => {
    const found: string[] = []
    for (const node of nodes()) {
      let cursor = '0'
      do {
        const [next, keys] = (await node.call(
          'SCAN',
          cursor,
          'MATCH',
          `${keyPrefix}${prefix}:*`,
          'COUNT',
          1000,
        )) as [string, string[]]
        cursor = next
        found.push(...keys)
      } while (cursor !== '0')
    }
    return found.map((key) => key.slice(keyPrefix.length))
  }

  return {
    keys: scan,
    read: async (key) => {
      const full = keyPrefix + key
      const type = (await direct.call('TYPE', full)) as string
      const ttlMs = (await direct.call('PTTL', full)) as number
      const members = new Map<string, number>()
      const entries = type === 'zset' ? pairs(await direct.call('ZRANGE', full, 0, -1, 'WITHSCORES')) : []
      for (const [member, score] of entries) members.set(member, Number(score))
      return { type, ttlMs, members }
    },
    hash: async (key) => Object.fromEntries(pairs(await direct.call('HGETALL', keyPrefix + key))),
    exists: async (key) => (await direct.call('EXISTS', keyPrefix + key)) === 1,
    clear: async (prefix) => {
      for (const key of await scan(prefix)) await direct.call('UNLINK', keyPrefix + key)
    },
    close: () => {
      if (direct !== raw) direct.disconnect()
    },
  }
}

async function withoutPrefix(client: RawClient): Promise<RawClient> {
  const bare = { keyPrefix: '', lazyConnect: true }
  const { redisOptions } = client.options
  const direct = client.isCluster
    ? client.duplicate([], { ...bare, redisOptions: { ...redisOptions, keyPrefix: '' } })
    : client.duplicate(bare)
  await direct.connect()
  return direct
}

/** A reply of pairs: flat in RESP2, nested or an object in RESP3. */
function pairs(reply: unknown): [string, string][] {
  if (!Array.isArray(reply)) return Object.entries(reply as Record<string, string>)
  const flat = reply.flat() as unknown[]
  return Array.from({ length: flat.length / 2 }, (_, n) => [String(flat[2 * n]), String(flat[2 * n + 1])])
}
