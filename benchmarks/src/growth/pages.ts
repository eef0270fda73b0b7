import { userSessionSpi } from '@authstate/user-session'
import { redisUserSessions } from '@authstate/user-session/redis'
import { Redis } from 'ioredis'
import type { Fact, Finding, Report } from '../finding.js'
import { forEach } from '../for-each.js'
import { CLIENT_IDS, REALM, userOf } from '../login.js'
import type { Surroundings } from '../measure.js'
import { openStore } from '../open-store.js'
import { serverCpuUs } from '../redis-info.js'
import { median } from '../statistics.js'

const SESSIONS = 20_000
const PAGES = 100
const BATCHES = 7

/** The most that a page may cost the server, CPU us with sockets, by the number of partitions that it is gathered from. */
const MOST_US = new Map([
  [16, 1_040],
  [64, 2_500],
])

/** A page of the sessions of a client, which lie in every partition. */
export async function measure({ url }: Surroundings): Promise<Report> {
  const findings: Finding[] = []
  const facts: Fact[] = []
  for (const [partitions, atMost] of [[1, undefined], ...MOST_US] as const) {
    const us = await costOfPage(url, partitions)
    const values = { 'page of 20, server CPU us': Math.round(us) }
    facts.push({ group: 'pages', name: `${partitions} partitions`, values })
    if (atMost === undefined) continue
    findings.push({
      target: 'D11',
      name: `server CPU for a page of 20 of a client, gathered from ${partitions} partitions`,
      value: us / 1_000,
      unit: 'ms',
      bound: { atMost: atMost / 1_000 },
      detail: `${Math.round(us / partitions)} us a partition, at ${SESSIONS} sessions`,
    })
  }
  return { findings, facts }
}

async function costOfPage(url: string, partitions: number): Promise<number> {
  const redis = new Redis(url)
  const place = { url, nodes: [], prefix: `pages${partitions}`, variant: 'batched' }
  const store = await openStore(place, [redisUserSessions()], {
    spi: { 'user-session': { sweepIntervalMs: 0 } },
    partitions,
  })
  const sessions = store.registry.get(userSessionSpi)
  try {
    await forEach(
      SESSIONS,
      (n) =>
        sessions.create(REALM, {
          userId: userOf(n),
          loginUsername: userOf(n),
          client: { clientId: CLIENT_IDS[0] },
        }),
      128,
    )
    const costs: number[] = []
    for (let batch = 0; batch <= BATCHES; batch++) {
      const before = await serverCpuUs(redis)
      for (let page = 0; page < PAGES; page++) {
        await sessions.listByClient(REALM, CLIENT_IDS[0], { limit: 20 })
      }
      costs.push(((await serverCpuUs(redis)) - before) / PAGES)
    }
    return median(costs.slice(1)) // the first runs warm
  } finally {
    await store.close()
    redis.disconnect()
  }
}
