import { webSessionSpi } from '@authstate/web-session'
import { redisWebSessions } from '@authstate/web-session/redis'
import { RedisStore } from 'connect-redis'
import type { SessionData } from 'express-session'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { LIFE_MS, sessionDataOf, sessionIdOf } from '../application-session.js'
import type { Report } from '../finding.js'
import { REALM } from '../login.js'
import type { Surroundings } from '../measure.js'
import { openStore } from '../open-store.js'
import { openWire } from '../wire.js'
import { footprint } from './memory.js'
import { oneTripEach, trafficOf } from './verbs.js'

const STORED = 10_000

export async function measure({ url }: Surroundings): Promise<Report> {
  const redis = new Redis(url)
  const client = createClient({ url })
  await client.connect()
  const wire = await openWire(url)
  const place = { url: wire.url, nodes: [], prefix: 'authstate', variant: 'batched' }
  const store = await openStore(place, [redisWebSessions()])
  const sessions = store.registry.get(webSessionSpi)
  const save = (n: number) => {
    const data = sessionDataOf(n)
    return sessions.save(REALM, sessionIdOf(n), { data, lifespanMs: LIFE_MS, userId: data.userId })
  }
  const id = sessionIdOf(0)
  let removed = 1
  try {
    const findings = oneTripEach(
      'web sessions',
      await trafficOf(wire, [
        { name: 'save', run: () => save(0) },
        { name: 'get', run: () => sessions.get(REALM, id) },
        { name: 'touch', run: () => sessions.update(REALM, id, { lifespanMs: LIFE_MS }) },
        { name: 'change of a name', run: () => sessions.update(REALM, id, { set: { locale: 'fr' } }) },
        { name: 'remove', run: () => sessions.remove(REALM, sessionIdOf(removed++)) },
      ]),
    )
    const ours = await footprint(redis, STORED, save)
    const peer = new RedisStore({ client, ttl: LIFE_MS / 1_000 })
    const theirs = await footprint(redis, STORED, (n) =>
      peer.set(sessionIdOf(n), sessionDataOf(n) as unknown as SessionData),
    )
    const [all, bare] = [ours.perItem, theirs.perItem].map(Math.round) as [number, number]
    return {
      findings: [
        ...findings,
        {
          target: 'D10',
          name: 'a web session with its realm and user indexes, over connect-redis 9, which has none',
          value: ours.perItem / theirs.perItem,
          unit: 'x',
          bound: { atMost: 1.9 },
          detail: `${all} over ${bare} bytes, of ${JSON.stringify(sessionDataOf(0)).length} bytes of JSON`,
        },
      ],
      facts: [
        {
          group: 'bytes per web session in Redis',
          name: 'authstate',
          values: {
            'all in all': all,
            ...Object.fromEntries(
              Object.entries(ours.byKind).map(([kind, bytes]) => [`kind ${kind}`, Math.round(bytes)]),
            ),
            'connect-redis 9': bare,
          },
        },
      ],
    }
  } finally {
    await store.close()
    client.destroy()
    await wire.stop()
    redis.disconnect()
  }
}
