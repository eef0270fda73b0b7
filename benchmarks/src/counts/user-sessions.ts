import { type UserSession, type UserSessionProvider, userSessionSpi } from '@authstate/user-session'
import { redisUserSessions } from '@authstate/user-session/redis'
import { Redis } from 'ioredis'
import type { Fact, Finding, Report } from '../finding.js'
import { CLIENT_IDS, createdSession, jsonOf, loginOf, otherClientsOf, REALM, userOf } from '../login.js'
import type { Surroundings } from '../measure.js'
import { openStore } from '../open-store.js'
import { openWire, type Wire } from '../wire.js'
import { type Footprint, footprint } from './memory.js'
import { oneTripEach, trafficOf } from './verbs.js'

const STORED = 10_000
const INDEX_LAG_MS = 61_000
const one = { clientId: CLIENT_IDS[0] }

export async function measure({ url }: Surroundings): Promise<Report> {
  const redis = new Redis(url)
  const wire = await openWire(url)
  const place = { url: wire.url, nodes: [], prefix: 'authstate', variant: 'batched' }
  const store = await openStore(place, [redisUserSessions()], {
    spi: { 'user-session': { sweepIntervalMs: 0 } },
  })
  const sessions = store.registry.get(userSessionSpi)
  try {
    const created = await Promise.all(Array.from({ length: 12 }, () => sessions.create(REALM, loginOf(7))))
    const tenOf = created.map((outcome) => createdSession(outcome).id)
    const used = await makeInUse(sessions, 1)
    const findings = oneTripEach(
      'user sessions',
      await trafficOf(wire, [
        { name: 'create', run: () => sessions.create(REALM, loginOf(2)) },
        { name: 'get', run: () => sessions.get(REALM, used.id) },
        { name: 'get with one client session', run: () => sessions.get(REALM, used.id, one) },
        { name: 'touch', run: () => sessions.touch(REALM, used.id) },
        { name: 'refresh', run: () => sessions.refresh(REALM, used.id, one) },
        { name: 'update notes', run: () => sessions.update(REALM, used.id, { notes: { locale: 'fr' } }) },
        {
          name: 'add a client session',
          run: () =>
            sessions.putClientSession(REALM, used.id, { clientId: 'console', notes: { nonce: '1' } }),
        },
        {
          name: 'remove a client session',
          run: () => sessions.removeClientSession(REALM, used.id, 'console'),
        },
        { name: 'page of a user', run: () => sessions.listByUser(REALM, userOf(7)) },
        { name: 'remove', run: () => sessions.remove(REALM, tenOf.pop() ?? '') },
      ]),
    )
    const touched = await makeInUse(sessions, 3)
    findings.push(...(await bytesOfTouches(wire, sessions, touched, store.clock)))
    const { findings: memory, facts } = await memoryOfSessions(redis, sessions, touched)
    return { findings: [...findings, ...memory], facts }
  } finally {
    await store.close()
    await wire.stop()
    redis.disconnect()
  }
}

async function makeInUse(sessions: UserSessionProvider, n: number): Promise<UserSession> {
  const { id } = createdSession(await sessions.create(REALM, loginOf(n)))
  for (const client of otherClientsOf(n)) await sessions.putClientSession(REALM, id, client)
  return (await sessions.get(REALM, id)) as UserSession
}

async function bytesOfTouches(
  wire: Wire,
  sessions: UserSessionProvider,
  { id, ...session }: UserSession,
  clock: { aheadMs: number },
): Promise<Finding[]> {
  const json = jsonOf({ id, ...session }).length
  const light = await wire.during(() => sessions.touch(REALM, id))
  clock.aheadMs += INDEX_LAG_MS
  const full = await wire.during(() => sessions.refresh(REALM, id, one))
  const share = (name: string, bytes: number, atMost: number): Finding => ({
    target: 'D2',
    name: `bytes sent by a ${name}, over the JSON of its session`,
    value: bytes / json,
    unit: 'x',
    bound: { atMost },
    detail: `${bytes} of ${json} bytes`,
  })
  return [
    share('refresh that scores every index', full.bytesSent, 0.3),
    share('light touch', light.bytesSent, 0.1),
  ]
}

/** Kinds of keys that a store without realm-wide listings would not have. */
const REALM_KINDS = ['ur', 'uk']

async function memoryOfSessions(redis: Redis, sessions: UserSessionProvider, sample: UserSession) {
  const text = jsonOf(sample)
  const size = await footprint(redis, STORED, (n) => makeInUse(sessions, n))
  const bare = await footprint(redis, STORED, (n) =>
    redis.set(`sess:Zb3kq0Yt7mXc1VfR9sLw${n}`, text, 'PX', 1_800_000),
  )
  const realm = REALM_KINDS.reduce((sum, kind) => sum + (size.byKind[kind] ?? 0), 0)
  const indexed = size.perItem - realm
  const over = (name: string, bytes: number, base: number, atMost: number, goal?: number): Finding => ({
    target: 'D3',
    name,
    value: bytes / base,
    unit: 'x',
    bound: { atMost },
    ...(goal !== undefined && { goal: { atMost: goal } }),
    detail: `${Math.round(bytes)} over ${Math.round(base)} bytes`,
  })
  const findings = [
    over('the key of a session, over its JSON', size.byKind['us'] ?? Number.NaN, text.length, 1.35),
    over('with its user and 3 client indexes, over its JSON', indexed, text.length, 1.8, 1.6),
    over('with its user and 3 client indexes, over a string key with the JSON', indexed, bare.perItem, 1.5),
  ]
  return { findings, facts: [factOf(size, text.length, bare)] }
}

const factOf = (size: Footprint, json: number, bare: Footprint): Fact => ({
  group: 'bytes per session in Redis',
  name: 'authstate',
  values: {
    JSON: json,
    'all in all': Math.round(size.perItem),
    ...Object.fromEntries(
      Object.entries(size.byKind).map(([kind, bytes]) => [`kind ${kind}`, Math.round(bytes)]),
    ),
    'a string key with the JSON': Math.round(bare.perItem),
  },
})
