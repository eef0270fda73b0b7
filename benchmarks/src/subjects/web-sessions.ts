import { webSessionSpi } from '@authstate/web-session'
import { redisWebSessions } from '@authstate/web-session/redis'
import { LIFE_MS, sessionDataOf, sessionIdOf } from '../application-session.js'
import { REALM } from '../login.js'
import { openStore } from '../open-store.js'
import type { Place, Subject } from '../subject.js'

const PREPARED = 1_000

/** The web sessions of this library, each of a user of its own. */
export async function open(place: Place): Promise<Subject> {
  const store = await openStore(place, [redisWebSessions()])
  const sessions = store.registry.get(webSessionSpi)
  const made = Array.from({ length: PREPARED }, (_, n) => {
    const data = sessionDataOf(n)
    return { id: sessionIdOf(n), session: { data, lifespanMs: LIFE_MS, userId: data.userId } }
  })
  for (const { id, session } of made) await sessions.save(REALM, id, session)
  const at = (turn: number) => made[turn % PREPARED] as (typeof made)[number]
  return {
    operations: {
      'get of an application': (turn) => sessions.get(REALM, at(turn).id),
      'touch of an application': (turn) => sessions.update(REALM, at(turn).id, { lifespanMs: LIFE_MS }),
      'save of an application': (turn) => sessions.save(REALM, at(turn).id, at(turn).session),
    },
    close: store.close,
  }
}
