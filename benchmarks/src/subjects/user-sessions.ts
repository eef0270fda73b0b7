import { userSessionSpi } from '@authstate/user-session'
import { redisUserSessions } from '@authstate/user-session/redis'
import { CLIENT_IDS, createdSession, loginOf, otherClientsOf, preparedLogin, REALM } from '../login.js'
import { openStore } from '../open-store.js'
import type { Place, Subject } from '../subject.js'

const PREPARED = 1_000

/** An index may lag by this much: a touch after less leaves the indexes alone. */
const INDEX_LAG_MS = 61_000

/** The user sessions of this library. */
export async function open(place: Place): Promise<Subject> {
  const store = await openStore(place, [redisUserSessions()], {
    spi: { 'user-session': { sweepIntervalMs: 0 } },
  })
  const sessions = store.registry.get(userSessionSpi)
  // Ids alone: of sessions that are kept, V8 makes all later ones in its old generation, and each collection drags them along.
  const made: string[] = []
  for (let n = 0; n < PREPARED; n++) {
    const session = createdSession(await sessions.create(REALM, loginOf(n)))
    for (const client of otherClientsOf(n)) await sessions.putClientSession(REALM, session.id, client)
    made.push(session.id)
  }
  const idOf = (turn: number) => made[turn % PREPARED] as string
  const one = { clientId: CLIENT_IDS[0] }
  const get = (turn: number) => sessions.get(REALM, idOf(turn))
  /** Client sessions are decoded when they are asked for: here all of them. */
  const getAll = async (turn: number) => (await get(turn))?.clients.size
  let touched = 0
  return {
    operations: {
      get: place.variant === 'clients read' ? getAll : get,
      'get one client': (turn) => sessions.get(REALM, idOf(turn), one),
      create: (turn) => sessions.create(REALM, preparedLogin(PREPARED + turn)),
      'light touch': (turn) => sessions.touch(REALM, idOf(turn)),
      // Of a token request: the user's, the realm's and the client's index follow.
      'full touch': () => {
        if (touched++ % PREPARED === 0) store.clock.aheadMs += INDEX_LAG_MS
        return sessions.touch(REALM, idOf(touched), one)
      },
      refresh: (turn) => sessions.refresh(REALM, idOf(turn), one),
    },
    close: store.close,
  }
}
