// Several sites: what a write pays for them, how late the other one is, and what a push takes. Each has a server of its own; a delay line stands
// between a site and the server of the other one.
import { setTimeout as pause } from 'node:timers/promises'
import type { PushInfo } from '@authstate/cross-site'
import { userSessionJoiner } from '@authstate/user-session/sites'
import { Redis } from 'ioredis'
import type { Finding, Report } from '../finding.js'
import { forEach } from '../for-each.js'
import { CLIENT_IDS, createdSession, loginOf, preparedLogin, REALM } from '../login.js'
import type { Surroundings } from '../measure.js'
import { commandTime, timeBetween } from '../redis-info.js'
import { quantile } from '../statistics.js'
import { openSessions, planOf, type Site } from './site.js'
import { waits } from './sync.js'
import { at, isOnline, until, withTwo } from './two.js'

const CALLS = 100
const BATCHES = 40
/** Of batches: others who want the processor make a batch longer, never shorter. */
const BEST = 0.1
const client = { clientId: CLIENT_IDS[0] }

export async function measure({ url }: Surroundings): Promise<Report> {
  const redis = new Redis(url)
  try {
    const findings: Finding[] = []
    for (const [name, part] of Object.entries(parts)) {
      try {
        findings.push(...(await part(url, redis)))
      } catch (error) {
        throw new Error(`several sites, ${name}: ${(error as Error).stack}`, { cause: error })
      }
    }
    return { findings }
  } finally {
    redis.disconnect()
  }
}

/** What is measured, one after the other. */
export const parts: Readonly<Record<string, (url: string, redis: Redis) => Promise<readonly Finding[]>>> = {
  writes,
  lag,
  waits,
  pushes,
  joins,
}

type Verb = (n: number) => Promise<unknown>

/** Time in the server of one call of each, us, batch by batch in turn. */
async function besideEachOther(
  redis: Redis,
  verbs: readonly [Verb, Verb],
): Promise<readonly [number, number]> {
  const times: [number[], number[]] = [[], []]
  for (let batch = 0; batch < BATCHES; batch++) {
    for (const [side, verb] of verbs.entries()) {
      const before = await commandTime(redis)
      await forEach(CALLS, (n) => verb(batch * CALLS + n))
      times[side]?.push(timeBetween(before, await commandTime(redis)) / CALLS)
    }
  }
  return [quantile(times[0], BEST), quantile(times[1], BEST)]
}

/** What a write pays for the note that other sites are told by. */
async function writes(url: string, redis: Redis): Promise<readonly Finding[]> {
  const { consumer } = planOf('a', 'b', url, 'nobody', {})
  const withSites = await openSessions(url, 'noted', [consumer])
  const without = await openSessions(url, 'silent', [])
  try {
    const idsOf = async ({ sessions }: typeof without) => {
      const created = await Promise.all(
        Array.from({ length: CALLS }, (_, n) => sessions.create(REALM, loginOf(n))),
      )
      return created.map((outcome) => createdSession(outcome).id)
    }
    const ids = [await idsOf(withSites), await idsOf(without)] as const
    const refreshing =
      (side: 0 | 1, { sessions }: typeof without): Verb =>
      (n) =>
        sessions.refresh(REALM, ids[side][n % CALLS] ?? '', client)
    const creating =
      ({ sessions }: typeof without): Verb =>
      (n) =>
        sessions.create(REALM, preparedLogin(n))
    const refresh = await besideEachOther(redis, [refreshing(0, withSites), refreshing(1, without)])
    const create = await besideEachOther(redis, [creating(withSites), creating(without)])
    const notes = withSites.connection.keys.all.map((partition) =>
      withSites.connection.keys.key(partition, 'xn'),
    )
    let [bytes, entries] = [0, 0]
    for (const key of notes) {
      entries += await redis.xlen(key)
      bytes += Number(await redis.memory('USAGE', key, 'SAMPLES', 0))
    }
    const over = ([ours, least]: readonly [number, number]) =>
      `${ours.toFixed(1)} over ${least.toFixed(1)} us`
    return [
      at(
        'refresh with sites, over without: time in the server',
        refresh[0] / refresh[1],
        { atMost: 1.3 },
        'x',
        over(refresh),
      ),
      at(
        'create with sites, over without: time in the server',
        create[0] / create[1],
        { atMost: 1.4 },
        'x',
        over(create),
      ),
      at('a note of a change', bytes / entries, { atMost: 60 }, 'bytes', `${entries} notes`),
    ]
  } finally {
    await withSites.close()
    await without.close()
  }
}

const RTT_MS = 20
const RATES = [500, 2_000]
const LOOKS = 200
const CROWD = 400

/** How long after a write the other site has it, while others write. */
async function lag(url: string, redis: Redis): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const perSecond of RATES) {
    await redis.flushall()
    findings.push(...(await withTwo(url, { rttMs: RTT_MS }, (a, b) => lagOf(a, b, perSecond))))
  }
  return findings
}

async function lagOf(a: Site, b: Site, perSecond: number): Promise<readonly Finding[]> {
  const created = Array.from({ length: CROWD }, (_, n) => a.sessions.create(REALM, loginOf(n)))
  const ids = (await Promise.all(created)).map((outcome) => createdSession(outcome).id)
  await a.sites.caughtUp()
  const crowd = startCrowd(a, ids, perSecond)
  const lags: number[] = []
  try {
    for (let look = 0; look < LOOKS; look++) {
      const id = ids[look % CROWD] ?? ''
      await a.sessions.update(REALM, id, { notes: { look: `${look}` } })
      const written = performance.now()
      const isThere = async () => (await b.sessions.get(REALM, id))?.notes['look'] === `${look}` || undefined
      await until(`the other site has change ${look}`, isThere, 1)
      lags.push(performance.now() - written)
    }
  } finally {
    await crowd.stop()
  }
  const about = `${RTT_MS} ms there and back, ${Math.round(crowd.perSecond())} writes a second`
  const name = `until the other site has a change, ${perSecond} writes a second`
  // It is there half a way before the teller knows that it is.
  return [
    at(`${name}, p50`, quantile(lags, 0.5), { atMost: 0.75 * RTT_MS + 5 }, 'ms', about),
    at(`${name}, p99`, quantile(lags, 0.99), { atMost: 1.5 * RTT_MS + 25 }, 'ms', about),
  ]
}

/** Users who refresh at a steady pace. What they cannot do in time they do as soon as they can. */
function startCrowd({ sessions }: Site, ids: readonly string[], perSecond: number) {
  const began = performance.now()
  let [count, isOver, tookMs] = [0, false, 0]
  const run = (async () => {
    while (!isOver) {
      const due = Math.floor(((performance.now() - began) / 1_000) * perSecond) - count
      const turn = Array.from({ length: Math.min(due, 50) }, (_, n) => ids[(count + n) % ids.length] ?? '')
      count += turn.length
      await Promise.all(turn.map((id) => sessions.refresh(REALM, id, client)))
      await pause(1)
    }
    tookMs = performance.now() - began
  })()
  // It is awaited at the end, and must not end the process before.
  run.catch(() => {})
  return {
    perSecond: () => count / (tookMs / 1_000),
    stop: () => {
      isOver = true
      return run
    },
  }
}

const STORED = 20_000
const FAR_MS = 80
const PROBE_MS = 1_500

/** What a push takes, and what it does to those who use the site meanwhile. */
async function pushes(url: string, redis: Redis): Promise<readonly Finding[]> {
  await redis.flushall()
  const findings = await withTwo(url, { rttMs: FAR_MS, maxRecordsPerSecond: 1_000_000 }, async (a) => {
    const ids = await filled(a, STORED)
    const full = await finished(a, await a.sites.push('b'))
    await pause(50)
    const since = a.connection.clock.now()
    await forEach(STORED / 20, (n) => a.sessions.update(REALM, ids[n] ?? '', { notes: { changed: '1' } }))
    await a.sites.caughtUp()
    const delta = await finished(a, await a.sites.push('b', { since }))
    return [
      at(
        `push of what changed, 1 of 20, over a full one, ${FAR_MS} ms there and back`,
        took(delta) / took(full),
        { atMost: 0.25 },
        'x',
        `${took(delta)} over ${took(full)} ms, ${full.sent} and ${delta.sent} records`,
      ),
    ]
  })
  await redis.flushall()
  const beside = await withTwo(url, { rttMs: 0 }, async (a) => besidePush(a, await filled(a, STORED)))
  return [...findings, beside]
}

/** Sessions that the other site has not heard of. */
async function filled(a: Site, count: number): Promise<readonly string[]> {
  await a.sites.takeOffline('b')
  const ids: string[] = []
  await forEach(count, async (n) => {
    ids.push(createdSession(await a.sessions.create(REALM, preparedLogin(n))).id)
  })
  await a.sites.caughtUp()
  await a.sites.bringOnline('b', { push: 'none' })
  await isOnline(a)
  return ids
}

const took = ({ startedAt = 0, finishedAt = 0 }: PushInfo): number => finishedAt - startedAt

function finished({ sites }: Site, { id }: PushInfo): Promise<PushInfo> {
  return until(
    'a push is done',
    async () => {
      const push = (await sites.pushes()).find((known) => known.id === id)
      if (push !== undefined && ['done', 'running', 'queued'].includes(push.status))
        return push.status === 'done' ? push : undefined
      throw new Error(`a push is ${push?.status ?? 'not known'}: ${JSON.stringify(push)}`)
    },
    10,
  )
}

/** Refreshes at a steady pace, before and while a push of the usual pace runs in the same process. */
async function besidePush(a: Site, ids: readonly string[]): Promise<Finding> {
  const probe = async () => {
    const times: number[] = []
    const until = performance.now() + PROBE_MS
    for (let n = 0; performance.now() < until; n++) {
      const begun = performance.now()
      await a.sessions.refresh(REALM, ids[n % ids.length] ?? '', client)
      times.push(performance.now() - begun)
      await pause(1)
    }
    return quantile(times, 0.99)
  }
  await probe()
  const alone = await probe()
  const { id } = await a.sites.push('b')
  const beside = await probe()
  await a.sites.controlPush(id, 'cancel')
  return at(
    'local p99 while a push runs at its usual pace, over without',
    beside / alone,
    { atMost: 1.5 },
    'x',
    `${beside.toFixed(2)} over ${alone.toFixed(2)} ms`,
  )
}

/** What it costs a site to join a use that it is told of. */
async function joins(url: string, redis: Redis): Promise<readonly Finding[]> {
  await redis.flushall()
  const plan = planOf('a', 'b', url, 'nobody', {})
  const from = await openSessions(url, 'from', [plan.consumer])
  const to = await openSessions(url, 'to', [plan.consumer])
  const terms = { site: 'a', endsMs: 86_400_000, aheadMs: 120_000 }
  try {
    const ids = await Promise.all(
      Array.from(
        { length: CALLS },
        async (_, n) => createdSession(await from.sessions.create(REALM, loginOf(n))).id,
      ),
    )
    const records = ids.map((id) => ({
      name: `us:${REALM}:${id}`,
      partition: Number.parseInt(id.slice(-2), 16),
      isRemoved: false,
    }))
    const states: string[] = []
    const tell = async (n: number) => {
      const record = records[n % CALLS]
      const state = states[n % CALLS]
      if (record === undefined || state === undefined) throw new Error('there is no such session')
      await userSessionJoiner.join(to.connection, record, state, { ...terms, site: 'b' })
    }
    const read = async (isTouch: boolean) => {
      await forEach(CALLS, async (n) => {
        const record = records[n]
        if (record === undefined) return
        await from.sessions.refresh(REALM, ids[n] ?? '', client)
        states[n] =
          (await userSessionJoiner.read(from.connection, { ...record, at: Date.now(), isTouch }, terms)) ?? ''
      })
    }
    await read(false)
    await forEach(CALLS, tell)
    const times: [number[], number[]] = [[], []]
    for (let batch = 0; batch < BATCHES; batch++) {
      await pause(2)
      await read(true)
      const before = await commandTime(redis)
      await forEach(CALLS, tell)
      const between = await commandTime(redis)
      await forEach(CALLS, (n) => from.sessions.refresh(REALM, ids[n] ?? '', client))
      times[0].push(timeBetween(before, between) / CALLS)
      times[1].push(timeBetween(between, await commandTime(redis)) / CALLS)
    }
    const [join, refresh] = [quantile(times[0], BEST), quantile(times[1], BEST)]
    return [
      at(
        'to join a use, over a refresh: time in the server',
        join / refresh,
        { atMost: 1.2 },
        'x',
        `${join.toFixed(1)} over ${refresh.toFixed(1)} us`,
      ),
    ]
  } finally {
    await from.close()
    await to.close()
  }
}
