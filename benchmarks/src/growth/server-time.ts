import { actionTokenSpi } from '@authstate/action-token'
import { redisActionTokens } from '@authstate/action-token/redis'
import { loginFailureSpi } from '@authstate/login-failure'
import { redisLoginFailures } from '@authstate/login-failure/redis'
import { userSessionSpi } from '@authstate/user-session'
import { redisUserSessions } from '@authstate/user-session/redis'
import { Redis } from 'ioredis'
import { codeOf } from '../code.js'
import type { Fact, Report } from '../finding.js'
import { forEach } from '../for-each.js'
import { CLIENT_IDS, createdSession, loginOf, REALM, userOf } from '../login.js'
import type { Surroundings } from '../measure.js'
import { openStore } from '../open-store.js'
import { serverCpuUs } from '../redis-info.js'

const CALLS = 5_000

/** What verbs cost the server: the real limit of a deployment, and what masters of a Cluster share between them. */
export async function measure({ url }: Surroundings): Promise<Report> {
  const redis = new Redis(url)
  const place = { url, nodes: [], prefix: 'authstate', variant: 'batched' }
  const factories = [redisUserSessions(), redisLoginFailures(), redisActionTokens()]
  const store = await openStore(place, factories, { spi: { 'user-session': { sweepIntervalMs: 0 } } })
  const sessions = store.registry.get(userSessionSpi)
  const failures = store.registry.get(loginFailureSpi)
  const tokens = store.registry.get(actionTokenSpi)
  const ids: string[] = []
  const id = (n: number) => ids[n % ids.length] as string
  const one = { clientId: CLIENT_IDS[0] }
  const verbs: Readonly<Record<string, (n: number) => Promise<unknown>>> = {
    'create a session': async (n) => ids.push(createdSession(await sessions.create(REALM, loginOf(n))).id),
    'get a session': (n) => sessions.get(REALM, id(n)),
    'touch a session': (n) => sessions.touch(REALM, id(n)),
    'refresh a session and a client': (n) => sessions.refresh(REALM, id(n), one),
    'record a failure': (n) => failures.recordFailure(REALM, userOf(n), { ip: '203.0.113.7' }),
    'put a code': (n) =>
      tokens.put(REALM, 'code', codeOf(n).id, { lifespanMs: 60_000, data: codeOf(n).data }),
    'consume a code': (n) => tokens.consume(REALM, 'code', codeOf(n).id),
    'remove a session': (n) => sessions.remove(REALM, id(n)),
  }
  try {
    const facts: Fact[] = []
    for (const [name, verb] of Object.entries(verbs)) {
      await redis.config('RESETSTAT')
      const before = await serverCpuUs(redis)
      await forEach(CALLS, verb)
      const us = ((await serverCpuUs(redis)) - before) / CALLS
      const values = {
        'us in the command': Number((await usInCommand(redis)).toPrecision(3)),
        'CPU us, sockets included': Number(us.toPrecision(3)),
        'per second and master, at most': Math.round(1e6 / us),
      }
      facts.push({ group: 'what verbs cost the server', name, values })
    }
    return { findings: [], facts }
  } finally {
    await store.close()
    redis.disconnect()
  }
}

/** Time in commands that clients sent, those that scripts called included, over their number. */
async function usInCommand(redis: Redis): Promise<number> {
  const stats = await redis.info('commandstats')
  let [calls, us] = [0, 0]
  for (const [, count, usec] of stats.matchAll(
    /^cmdstat_(?:evalsha|hgetall|hvals|hmget|get):calls=(\d+),usec=(\d+)/gm,
  )) {
    if (Number(count) < CALLS) continue
    calls = CALLS
    us = Math.max(us, Number(usec))
  }
  return us / calls
}
