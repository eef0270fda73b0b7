import { escapePart, unescapePart } from '@authstate/redis'
import { nextStep } from '@authstate/spi'
import type { CheckedCopy } from '../checks.js'
import type { LimitedOutcome } from '../contract.js'
import * as scripts from '../scripts.js'
import type { SessionWrite, StoredSessions } from './stored-sessions.js'

/**
 * Copies a session into its offline twin.
 *
 * One command where the clients are named. Without names the script first says which clients it met, since only the
 * realm knows their time-outs, and writes nothing until it has them all.
 */
export async function createOffline(
  store: StoredSessions,
  { sessionName: { realmId, id }, key: online, realm, now, life }: SessionWrite,
  { clientIds: wanted, login: { beginning } }: CheckedCopy,
  limits: string,
): Promise<LimitedOutcome> {
  const offline = store.keys.session(realmId, id, true) as string
  const offlineLife = store.life(realm, true)
  let clientIds = wanted ?? []
  let isBegun = false
  for (;;) {
    const lives = clientIds.map((clientId) => [
      escapePart(clientId),
      [false, true].map((offline) => store.clientLife(realm, clientId, offline)),
    ])
    const step = store.redis.run(
      scripts.createOffline,
      { online, offline },
      {
        now,
        beginning,
        life,
        offlineLife,
        clientLives: JSON.stringify(Object.fromEntries(lives)),
        all: wanted ? 0 : 1,
        limits,
        layout: store.redis.layout,
        tell: store.events.notes,
      },
    )
    const reply = await nextStep(step, isBegun)
    if (reply.outcome === 'gone') return { outcome: 'gone' }
    if (reply.outcome === 'refused') return { outcome: 'refused', reason: reply.reason }
    if (reply.outcome === 'unknown') {
      clientIds = [...clientIds, ...reply.clients.map(unescapePart)]
      continue
    }
    store.events.limited(realmId, reply.ended)
    isBegun = true
    if (reply.outcome === 'more') continue
    if (reply.expired) store.events.expired(realmId, true, reply.expired)
    const session = store.decode(reply.values, { realmId, id, offline: true })
    if (session && reply.outcome === 'created') store.events.created(session)
    return session ? { outcome: 'done', session } : { outcome: 'gone' }
  }
}
