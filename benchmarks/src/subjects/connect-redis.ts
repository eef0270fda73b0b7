import { RedisStore } from 'connect-redis'
import type { SessionData } from 'express-session'
import { createClient } from 'redis'
import { LIFE_MS, sessionDataOf, sessionIdOf } from '../application-session.js'
import { CLIENT_IDS, plainSession, userOf } from '../login.js'
import type { Place, Subject } from '../subject.js'

const PREPARED = 1_000

/** connect-redis on node-redis, as its page sets it up. */
export async function open({ url, prefix }: Place): Promise<Subject> {
  const client = createClient({ url })
  await client.connect()
  const store = new RedisStore({ client, prefix: `${prefix}:`, ttl: 1_800 })
  const data = (clients: readonly string[]) =>
    Array.from({ length: PREPARED }, (_, n) => plainSession(n, clients) as unknown as SessionData)
  const [inUse, logins] = [data(CLIENT_IDS), data(CLIENT_IDS.slice(0, 1))]
  const of = (list: SessionData[], turn: number) => list[turn % PREPARED] as SessionData
  for (const [n, session] of inUse.entries()) await store.set(`${n}`, session)
  const small = Array.from({ length: PREPARED }, (_, n) => sessionDataOf(n) as unknown as SessionData)
  const day = new RedisStore({ client, prefix: `${prefix}:day:`, ttl: LIFE_MS / 1_000 })
  for (const [n, session] of small.entries()) await day.set(sessionIdOf(n), session)
  const touch = (turn: number) => store.touch(`${turn % PREPARED}`, of(inUse, turn))
  return {
    operations: {
      get: (turn) => store.get(`${turn % PREPARED}`),
      create: (turn) =>
        store.set(`new-${turn}`, { ...of(logins, turn), userId: userOf(turn) } as unknown as SessionData),
      'light touch': touch,
      'full touch': touch,
      'get of an application': (turn) => day.get(sessionIdOf(turn % PREPARED)),
      'touch of an application': (turn) => day.touch(sessionIdOf(turn % PREPARED), of(small, turn)),
      'save of an application': (turn) => day.set(sessionIdOf(turn % PREPARED), of(small, turn)),
    },
    close: async () => client.destroy(),
  }
}
