import { type LoginFailureProvider, loginFailureSpi } from '@authstate/login-failure'
import { redisLoginFailures } from '@authstate/login-failure/redis'
import { Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import type { Fact, Report } from '../finding.js'
import { REALM, userOf } from '../login.js'
import type { Surroundings } from '../measure.js'
import { openStore, type Store } from '../open-store.js'
import { openWire } from '../wire.js'
import { footprint } from './memory.js'
import { oneTripEach, trafficOf } from './verbs.js'

const FAILURES = 1_000
const CONNECTIONS = 4
const STORED = 10_000
const ip = '203.0.113.7'

const openFailures = (url: string): Promise<Store> =>
  openStore({ url, nodes: [], prefix: 'authstate', variant: 'batched' }, [redisLoginFailures()])

export async function measure({ url }: Surroundings): Promise<Report> {
  const redis = new Redis(url)
  const wire = await openWire(url)
  const stores = [await openFailures(wire.url)]
  while (stores.length < CONNECTIONS) stores.push(await openFailures(url))
  const providers = stores.map(({ registry }) => registry.get(loginFailureSpi))
  const [first] = providers as [LoginFailureProvider]
  try {
    const traffic = await trafficOf(wire, [
      { name: 'record a failure', run: () => first.recordFailure(REALM, userOf(1), { ip }) },
      { name: 'check', run: () => first.check(REALM, userOf(1)) },
      { name: 'record a success', run: () => first.recordSuccess(REALM, userOf(1)) },
    ])
    const size = await footprint(redis, STORED, (n) => first.recordFailure(REALM, userOf(n), { ip }))
    await redis.flushall()
    const all = Array.from({ length: FAILURES }, (_, n) =>
      (providers[n % CONNECTIONS] as LoginFailureProvider).recordFailure(REALM, userOf(0), { ip }),
    )
    await Promise.all(all)
    const counted = (await first.get(REALM, userOf(0)))?.numFailures ?? 0
    const index = size.byKind['lr'] ?? 0
    return {
      findings: [
        ...oneTripEach('login failures', traffic),
        {
          target: 'D4',
          name: 'a login failure in Redis, without the index of the realm',
          value: size.perItem - index,
          unit: 'bytes',
          bound: { atMost: 243 },
          detail: `${Math.round(index)} more in the index of the realm`,
        },
        {
          target: 'D5',
          name: `${FAILURES} parallel failures that are counted`,
          value: counted / FAILURES,
          unit: 'of all',
          bound: { atLeast: 1 },
        },
      ],
      facts: [
        counting('authstate', counted),
        counting('rate-limiter-flexible 11', await countWithRateLimiter(redis)),
        counting('GET, add 1, SET', await countByReadingAndWriting(url)),
      ],
    }
  } finally {
    await Promise.all(stores.map((store) => store.close()))
    await wire.stop()
    redis.disconnect()
  }
}

const counting = (name: string, counted: number): Fact => ({
  group: `${FAILURES} parallel failures over ${CONNECTIONS} connections`,
  name,
  values: { counted },
})

async function countWithRateLimiter(redis: Redis): Promise<number> {
  const limiter = new RateLimiterRedis({ storeClient: redis, points: 1e9, duration: 3_600 })
  await Promise.all(Array.from({ length: FAILURES }, () => limiter.consume('user')))
  return (await limiter.get('user'))?.consumedPoints ?? 0
}

async function countByReadingAndWriting(url: string): Promise<number> {
  const clients = Array.from({ length: CONNECTIONS }, () => new Redis(url))
  const fail = async (client: Redis) => {
    const { n } = JSON.parse((await client.get('count')) ?? '{"n":0}') as { n: number }
    await client.set('count', JSON.stringify({ n: n + 1 }))
  }
  try {
    await Promise.all(Array.from({ length: FAILURES }, (_, n) => fail(clients[n % CONNECTIONS] as Redis)))
    return JSON.parse((await clients[0]?.get('count')) ?? '{"n":0}').n
  } finally {
    for (const client of clients) client.disconnect()
  }
}
