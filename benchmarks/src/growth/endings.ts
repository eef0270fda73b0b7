import { type UserSessionProvider, userSessionSpi } from '@authstate/user-session'
import { redisUserSessions } from '@authstate/user-session/redis'
import { Redis } from 'ioredis'
import type { Finding, Report } from '../finding.js'
import { forEach } from '../for-each.js'
import { CLIENT_IDS, REALM, userOf } from '../login.js'
import type { Surroundings } from '../measure.js'
import { openStore, type Store } from '../open-store.js'
import { median } from '../statistics.js'
import type { SlotResult } from '../subject.js'
import { Worker } from '../workers.js'

const ENDING = 100_000
const PROBE = { operation: 'get text', callers: 1, ms: 100 }
const IDLE_PROBES = 10
/** Longer than any session of the realm may be idle. */
const AFTER_ALL_MS = 2 * 86_400_000

export async function measure({ url }: Surroundings): Promise<Report> {
  const place = { url, nodes: [], prefix: 'authstate', variant: 'batched' }
  const store = await openStore(place, [redisUserSessions()], {
    spi: { 'user-session': { sweepIntervalMs: 0 } },
  })
  const sessions = store.registry.get(userSessionSpi)
  const neighbour = await Worker.open('raw-ioredis', { ...place, prefix: 'neighbour', variant: 'plain' })
  try {
    const touched = await mostTouched(url, sessions)
    await neighbour.run({ ...PROBE, ms: 1_000 })
    const idle = await probe(neighbour, Array.from({ length: IDLE_PROBES }))
    const removal = await ending(store, sessions, neighbour, () => sessions.removeByRealm(REALM))
    const sweepAll = () => {
      store.clock.aheadMs += AFTER_ALL_MS
      return sessions.sweep()
    }
    const sweep = await ending(store, sessions, neighbour, sweepAll)
    let told = 0
    sessions.on('expired', () => {
      told += 1
    })
    const toldSweep = await ending(store, sessions, neighbour, sweepAll)
    if (told !== toldSweep.ended) throw new Error(`${toldSweep.ended} ended, ${told} were told of`)
    return {
      findings: [
        {
          target: 'D9',
          name: 'sessions that one script touches when a realm is removed',
          value: touched,
          unit: 'sessions',
          bound: { atMost: 100 },
        },
        ...findingsOf('removal of a realm', removal, idle),
        ...findingsOf('sweep of what expired', sweep, idle),
        ...findingsOf('sweep of what expired, with a listener', toldSweep, idle),
      ],
    }
  } finally {
    await neighbour.close()
    await store.close()
  }
}

interface Ending {
  readonly ended: number
  readonly ms: number
  readonly neighbourP99Us: number
}

async function ending(
  store: Store,
  sessions: UserSessionProvider,
  neighbour: Worker,
  end: () => Promise<number>,
): Promise<Ending> {
  store.clock.aheadMs += 1 // behind the fence of a removal before
  await fill(sessions, ENDING)
  const begun = performance.now()
  let endedAt: number | undefined
  const work = end().finally(() => {
    endedAt = performance.now()
  })
  const during: SlotResult[] = []
  while (endedAt === undefined) during.push(await neighbour.run(PROBE))
  return { ended: await work, ms: endedAt - begun, neighbourP99Us: median(during.map(({ p99Us }) => p99Us)) }
}

const fill = (sessions: UserSessionProvider, count: number, userId?: string) =>
  forEach(
    count,
    (n) =>
      sessions.create(REALM, {
        userId: userId ?? userOf(n),
        loginUsername: 'someone',
        client: { clientId: CLIENT_IDS[0] },
      }),
    128,
  )

async function probe(neighbour: Worker, times: readonly unknown[]): Promise<number> {
  const p99s: number[] = []
  for (const _ of times) p99s.push((await neighbour.run(PROBE)).p99Us)
  return median(p99s)
}

function findingsOf(name: string, { ended, ms, neighbourP99Us }: Ending, idleP99Us: number): Finding[] {
  return [
    {
      target: 'D9',
      name: `${name}, for ${ENDING} sessions`,
      value: ms * (ENDING / ended),
      unit: 'ms',
      bound: { atMost: 2_000 },
      detail: `${ended} ended in ${ms.toFixed(0)} ms`,
    },
    {
      target: 'D9',
      name: `p99 of a neighbour during the ${name}, over idle`,
      value: neighbourP99Us / idleP99Us,
      unit: 'x',
      bound: { atMost: 5 },
      detail: `${neighbourP99Us.toFixed(0)} over ${idleP99Us.toFixed(0)} us`,
    },
  ]
}

const OF_ONE_USER = 350

/** The most session keys that one run of a script names, among those of one partition. */
async function mostTouched(url: string, sessions: UserSessionProvider): Promise<number> {
  await fill(sessions, OF_ONE_USER, 'one')
  const redis = new Redis(url)
  const monitor = await redis.monitor()
  let [most, touched] = [0, new Set<string>()]
  monitor.on('monitor', (_time: string, [name = '', ...args]: string[], source: string) => {
    if (/^evalsha$/i.test(name)) touched = new Set()
    if (source !== 'lua') return
    for (const key of args) if (/\}:us:/.test(key)) touched.add(key)
    most = Math.max(most, touched.size)
  })
  try {
    const removed = await sessions.removeByRealm(REALM)
    await redis.ping()
    if (removed < OF_ONE_USER || most === 0) throw new Error('nothing was seen of the removal')
    return most
  } finally {
    monitor.disconnect()
    redis.disconnect()
  }
}
