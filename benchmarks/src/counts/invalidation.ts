import { redisCluster } from '@authstate/cluster/redis'
import { realmCacheSpi } from '@authstate/realm-cache'
import { redisRealmCache } from '@authstate/realm-cache/redis'
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver } from 'bentocache/drivers/redis'
import { Redis } from 'ioredis'
import type { Fact, Report } from '../finding.js'
import type { Surroundings } from '../measure.js'
import { openStore } from '../open-store.js'

const KEYS = 300
const KILLS = 7
const BETWEEN_KILLS_MS = 300
/** For whoever will not forget by then, it is for good. */
const SETTLE_MS = 6_000
const LOOK_EVERY_MS = 100

/** A cache in front of a source, on two nodes: one changes the source, the other reads. */
interface TwoNodes {
  /** Says on the first node that a key has changed in the source. */
  invalidate(key: string): Promise<unknown>
  /** Reads on the second node, from its memory where it may. */
  read(key: string): Promise<number | undefined>
  /** Commands whose connections are cut. */
  readonly cut: readonly string[]
  close(): Promise<void>
}

type Source = (key: string) => Promise<number>

export async function measure({ url }: Surroundings): Promise<Report> {
  const redis = new Redis(url)
  try {
    const ours = await staleAfterCuts(redis, (source) => openOurs(url, source))
    const bento = await staleAfterCuts(redis, (source) => openBento(url, source))
    return {
      findings: [
        {
          target: 'D6',
          name: `stale values a while after ${KILLS} cut connections`,
          value: ours.stale,
          unit: 'entries',
          bound: { atMost: 0 },
          detail: `of ${KEYS} keys; ${ours.changes} changes, ${ours.cuts} connections cut`,
        },
      ],
      facts: [factOf('authstate', ours), factOf('bentocache 1.6', bento)],
    }
  } finally {
    redis.disconnect()
  }
}

interface Outcome {
  readonly stale: number
  readonly changes: number
  readonly cuts: number
}

async function staleAfterCuts(redis: Redis, open: (source: Source) => Promise<TwoNodes>): Promise<Outcome> {
  await redis.flushall()
  const source: Source = async (key) => Number((await redis.hget('source', key)) ?? 0)
  const nodes = await open(source)
  const keys = Array.from({ length: KEYS }, (_, n) => `realm-${n}`)
  let [running, changes, cuts] = [true, 0, 0]
  const write = async () => {
    while (running) {
      const key = keys[changes % KEYS] as string
      changes += 1
      await redis.hset('source', key, changes)
      await nodes.invalidate(key).catch(() => {}) // its connection may be the one that was cut
      await pause(1)
    }
  }
  const read = async () => {
    for (let n = 0; running; n++) {
      await nodes.read(keys[(n * 7) % KEYS] as string).catch(() => {})
      if (n % 20 === 0) await pause(0)
    }
  }
  try {
    const work = [write(), read()]
    for (let kill = 0; kill < KILLS; kill++) {
      await pause(BETWEEN_KILLS_MS)
      cuts += await cut(redis, nodes.cut)
    }
    await pause(BETWEEN_KILLS_MS)
    running = false
    await Promise.all(work)
    const look = async () => {
      let stale = 0
      for (const key of keys) if ((await nodes.read(key)) !== (await source(key))) stale += 1
      return stale
    }
    let stale = await look()
    for (const until = performance.now() + SETTLE_MS; stale > 0 && performance.now() < until; ) {
      await pause(LOOK_EVERY_MS)
      stale = await look()
    }
    return { stale, changes, cuts }
  } finally {
    await nodes.close()
  }
}

/** Cuts every connection that waits for messages. */
async function cut(redis: Redis, commands: readonly string[]): Promise<number> {
  const list = (await redis.client('LIST')) as string
  const ids = list
    .split('\n')
    .filter((line) => commands.includes(/ cmd=(\S+)/.exec(line)?.[1] ?? ''))
    .map((line) => /^id=(\d+)/.exec(line)?.[1] as string)
  for (const id of ids) await redis.client('KILL', 'ID', id)
  return ids.length
}

async function openOurs(url: string, source: Source): Promise<TwoNodes> {
  const place = { url, nodes: [], prefix: 'authstate', variant: 'batched' }
  const open = () => openStore(place, [redisCluster(), redisRealmCache()])
  const [first, second] = [await open(), await open()]
  const region = first.registry.get(realmCacheSpi).region<number>('realms')
  const seen = second.registry.get(realmCacheSpi).region<number>('realms')
  return {
    invalidate: (key) => region.invalidate(key),
    read: (key) => seen.get(key, () => source(key)),
    cut: ['xread', 'xread|block', 'subscribe', 'ssubscribe', 'psubscribe'],
    close: async () => {
      await first.close()
      await second.close()
    },
  }
}

async function openBento(url: string, source: Source): Promise<TwoNodes> {
  const { hostname: host, port } = new URL(url)
  const connection = { host, port: Number(port) }
  const open = () =>
    new BentoCache({
      default: 'realms',
      stores: {
        realms: bentostore()
          .useL1Layer(memoryDriver({ maxItems: 10_000 }))
          .useBus(redisBusDriver({ connection })),
      },
    })
  const [first, second] = [open(), open()]
  return {
    invalidate: (key) => first.delete({ key }),
    read: (key) => second.getOrSet({ key, ttl: '1h', factory: () => source(key) }),
    cut: ['subscribe', 'ssubscribe', 'psubscribe'],
    close: async () => {
      await first.disconnectAll()
      await second.disconnectAll()
    },
  }
}

const factOf = (name: string, { stale, changes, cuts }: Outcome): Fact => ({
  group: `${KILLS} times all connections cut that wait for messages`,
  name,
  values: { changes, 'connections cut': cuts, 'keys stale for good': stale },
})

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
