import { type UserSessionProvider, userSessionSpi } from '@authstate/user-session'
import { redisUserSessions } from '@authstate/user-session/redis'
import { Redis } from 'ioredis'
import type { Fact, Finding, Report } from '../finding.js'
import { forEach } from '../for-each.js'
import { CLIENT_IDS, REALM, userOf } from '../login.js'
import type { Surroundings } from '../measure.js'
import { openStore } from '../open-store.js'
import { median } from '../statistics.js'

const SIZES = [10_000, 100_000]
const FULL = 1_000_000
/** One user with many sessions among others with one. */
const MANY = 1_000
const LOOKS = 200
const BATCHES = 5
const DEVICES = 'many-devices'
/** What a deployment has by default: a count asks each, all in one round trip. */
const PARTITIONS = 16

interface Look {
  readonly size: number
  readonly pageServerUs: number
  readonly pageMs: number
  readonly scanMs: number
  readonly pingMs: number
  /** As many PINGs as there are partitions, in one round trip. */
  readonly pingsMs: number
  /** For one partition. */
  readonly countServerUs: number
  readonly countByClientMs: number
  readonly countMs: number
}

export async function measure({ url, full }: Surroundings): Promise<Report> {
  const redis = new Redis(url)
  const place = { url, nodes: [], prefix: 'authstate', variant: 'batched' }
  const store = await openStore(place, [redisUserSessions()], {
    spi: { 'user-session': { sweepIntervalMs: 0 } },
  })
  const sessions = store.registry.get(userSessionSpi)
  try {
    await forEach(MANY, () => create(sessions, DEVICES))
    const looks: Look[] = []
    let made = MANY
    for (const size of full ? [...SIZES, FULL] : SIZES) {
      const before = made
      await forEach(size - before, (n) => create(sessions, userOf(before + n)), 128)
      made = size
      looks.push(await look(redis, sessions, size))
    }
    return { findings: findingsOf(looks), facts: looks.map(factOf) }
  } finally {
    await store.close()
    redis.disconnect()
  }
}

const create = (sessions: UserSessionProvider, userId: string) =>
  sessions.create(REALM, { userId, loginUsername: userId, client: { clientId: CLIENT_IDS[0] } })

async function look(redis: Redis, sessions: UserSessionProvider, size: number): Promise<Look> {
  const page = () => sessions.listByUser(REALM, DEVICES, { limit: 20 })
  const countByClient = () => sessions.countByClient(REALM, CLIENT_IDS[0])
  return {
    size,
    pageServerUs: await serverUsOf(redis, page),
    pageMs: await medianMs(page),
    countServerUs: await serverUsOf(redis, countByClient),
    pingMs: await medianMs(() => redis.ping()),
    pingsMs: await medianMs(() => pingPerPartition(redis)),
    countByClientMs: await medianMs(countByClient),
    countMs: await medianMs(() => sessions.count(REALM)),
    scanMs: await medianMs(() => scan(redis), 3),
  }
}

/** What one run of its script takes in the server: the median of some means, the first of which is warm-up. */
async function serverUsOf(redis: Redis, work: () => Promise<unknown>): Promise<number> {
  const means: number[] = []
  for (let batch = 0; batch <= BATCHES; batch++) {
    await redis.config('RESETSTAT')
    for (let i = 0; i < LOOKS / BATCHES; i++) await work()
    const stats = await redis.info('commandstats')
    means.push(Number(/cmdstat_evalsha:.*usec_per_call=([\d.]+)/.exec(stats)?.[1]))
  }
  return median(means.slice(1))
}

async function pingPerPartition(redis: Redis): Promise<void> {
  const pipeline = redis.pipeline()
  for (let partition = 0; partition < PARTITIONS; partition++) pipeline.ping()
  await pipeline.exec()
}

/** What a store without an index has to do to find the sessions of a user: walk over all keys. */
async function scan(redis: Redis): Promise<void> {
  let cursor = '0'
  do [cursor] = await redis.scan(cursor, 'MATCH', `*:${DEVICES}:*`, 'COUNT', 1_000)
  while (cursor !== '0')
}

async function medianMs(work: () => Promise<unknown>, times = LOOKS): Promise<number> {
  const spans: number[] = []
  for (let i = 0; i < times; i++) {
    const begun = performance.now()
    await work()
    spans.push(performance.now() - begun)
  }
  return median(spans)
}

function findingsOf(looks: readonly Look[]): Finding[] {
  const [least, most] = [looks[0], looks.at(-1)] as [Look, Look]
  const findings: Finding[] = [
    {
      target: 'D7',
      name: `server time for a page of 20 of one user: at ${most.size} sessions over ${least.size}`,
      value: most.pageServerUs / least.pageServerUs,
      unit: 'x',
      bound: { atMost: 1.5 },
      detail: `${most.pageServerUs.toFixed(0)} over ${least.pageServerUs.toFixed(0)} us`,
    },
    countOf('count of a client', most.countByClientMs, most),
    countOf('count of the realm', most.countMs, most),
  ]
  for (const [index, atLeast] of [5, 100].entries()) {
    const { size, scanMs, pageMs } = looks[index] as Look
    findings.push({
      target: 'R13',
      name: `SCAN over a page of a user, at ${size} sessions`,
      value: scanMs / pageMs,
      unit: 'x',
      bound: { atLeast },
      detail: `${scanMs.toFixed(0)} over ${pageMs.toFixed(2)} ms`,
    })
  }
  return findings
}

/** A count asks each partition, all in one round trip: it is held against as many PINGs. */
const countOf = (name: string, ms: number, { size, pingsMs }: Look): Finding => ({
  target: 'D8',
  name: `${name}, over ${PARTITIONS} PINGs in one round trip, at ${size} sessions`,
  value: ms / pingsMs,
  unit: 'x',
  bound: { atMost: 4 },
  detail: `${round(ms)} over ${round(pingsMs)} ms; ${PARTITIONS} partitions in one round trip`,
})

const factOf = ({ size, ...look }: Look): Fact => ({
  group: 'growth',
  name: `${size} sessions`,
  values: {
    'page of 20, server us': Math.round(look.pageServerUs),
    'page of 20, ms': round(look.pageMs),
    'PING, ms': round(look.pingMs),
    '16 PINGs in one trip, ms': round(look.pingsMs),
    'count of a client, server us per partition': round(look.countServerUs),
    'count of a client, ms': round(look.countByClientMs),
    'count of the realm, ms': round(look.countMs),
    'SCAN of all keys, ms': round(look.scanMs),
  },
})

const round = (ms: number) => Number(ms.toPrecision(3))
