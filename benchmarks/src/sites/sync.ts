// Verbs that wait for the other site: how long, and what waiting costs while there is nobody to wait for.
import type { Redis } from 'ioredis'
import type { Finding } from '../finding.js'
import { createdSession, loginOf, REALM } from '../login.js'
import { quantile } from '../statistics.js'
import { openSite, type Site } from './site.js'
import { at, withTwo } from './two.js'

const RTT_MS = 20
const CALLERS = 16
const CALLS = 40
const ROUNDS = 40
const spi = { 'user-session': { strategy: 'sync' } } as const

export async function waits(url: string, redis: Redis): Promise<readonly Finding[]> {
  await redis.flushall()
  return withTwo(url, { rttMs: RTT_MS, spi }, async (a) => {
    const ids = await Promise.all(
      Array.from(
        { length: CALLERS },
        async (_, n) => createdSession(await a.sessions.create(REALM, loginOf(n))).id,
      ),
    )
    await timesOf(a, ids)
    const waited = await timesOf(a, ids)
    await a.sites.takeOffline('b')
    // A node of the same site whose verbs wait for nobody.
    const beside = await openSite(url, 'a', { name: 'b', url })
    const times: [number[], number[]] = [[], []]
    try {
      for (let round = 0; round < ROUNDS; round++) {
        times[0].push(quantile(await timesOf(a, ids), 0.5))
        times[1].push(quantile(await timesOf(beside, ids), 0.5))
      }
    } finally {
      await beside.close()
    }
    const [skipping, local] = [quantile(times[0], 0.5), quantile(times[1], 0.5)]
    return [
      at(
        `SYNC: an update is at the other site, p50, ${CALLERS} callers`,
        quantile(waited, 0.5),
        { atMost: RTT_MS + 5 },
        'ms',
        `${RTT_MS} ms there and back, ${waited.length} calls`,
      ),
      at(
        'SYNC while the other site is offline, over verbs that wait for no site',
        skipping / local,
        { atMost: 1.05 },
        'x',
        `${skipping.toFixed(2)} over ${local.toFixed(2)} ms, ${CALLERS} callers`,
      ),
    ]
  })
}

/** How long each call takes, of callers who have one session each. */
async function timesOf({ sessions }: Site, ids: readonly string[]): Promise<readonly number[]> {
  const times: number[] = []
  await Promise.all(
    ids.map(async (id) => {
      for (let n = 0; n < CALLS; n++) {
        const begun = performance.now()
        await sessions.update(REALM, id, { notes: { n: `${n}` } })
        times.push(performance.now() - begun)
      }
    }),
  )
  return times
}
