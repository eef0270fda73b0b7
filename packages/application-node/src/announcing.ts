import type { Clock } from '@authstate/spi'
import { checkedOr } from './attempt.js'
import { canonicalHost } from './hosts.js'
import type { ApplicationNodeOptions } from './options.js'
import { messagesTo, type Recipient, unreachable } from './rules.js'
import { MOST_PER_STEP, type NewMessage, type NodeStore, type StoredAnnouncement } from './store.js'

/** Clients of one announcement that are looked up at once. */
const LOOK_UPS = 32

/** What the clients of an announcement are looked up in. */
export interface AnnouncementSources {
  readonly options: ApplicationNodeOptions
  readonly store: NodeStore
  readonly clock: Clock
}

/**
 * The recipients of an announcement.
 *
 * @param ofSession The clients of a session that ended; `undefined` for another announcement.
 * @throws {TypeError} no clients are given
 */
export async function recipientsOf(
  options: ApplicationNodeOptions,
  realmId: string,
  ofSession: readonly Recipient[] | undefined,
  clientIds: readonly string[] | undefined,
): Promise<readonly Recipient[]> {
  if (ofSession !== undefined) {
    const wanted = clientIds && new Set(clientIds)
    return wanted ? ofSession.filter(({ clientId }) => wanted.has(clientId)) : ofSession
  }
  const ids = clientIds ?? (await options.clientIds?.(realmId))
  if (ids === undefined)
    throw new TypeError('"options.clientIds" must name the clients, because the provider has no "clientIds"')
  return [...new Set(ids)].map((clientId) => ({ clientId }))
}

/** The messages of an announcement, as many at a time as one step stores; at least one time, also where there are none. */
export async function* stepsOf(
  sources: AnnouncementSources,
  realmId: string,
  recipients: readonly Recipient[],
  announcement: StoredAnnouncement,
): AsyncGenerator<readonly NewMessage[]> {
  let step: NewMessage[] = []
  let isStored = false
  for (let from = 0; from < recipients.length; from += LOOK_UPS) {
    const some = recipients.slice(from, from + LOOK_UPS)
    const found = await Promise.all(
      some.map((recipient) => messagesOf(sources, realmId, recipient, announcement)),
    )
    for (const message of found.flat()) {
      step.push(message)
      if (step.length < MOST_PER_STEP) continue
      yield step
      isStored = true
      step = []
    }
  }
  if (step.length > 0 || !isStored) yield step
}

async function messagesOf(
  { options, store, clock }: AnnouncementSources,
  realmId: string,
  recipient: Recipient,
  announcement: StoredAnnouncement,
): Promise<NewMessage[]> {
  const { clientId, nodeHost } = recipient
  const given = await options.clients(realmId, clientId)
  if (given === undefined) return [unreachable(clientId, 'logout-token', 'no-target')]
  const targets = checkedOr(clientId, given)
  if (targets === undefined) return [unreachable(clientId, 'logout-token', 'configuration')]
  const nodes = await store.listNodes({ realmId, clientId }, clock.now())
  const hosts = nodes.map(({ host }) => host)
  // What is no host is not known either, and that is told apart from none.
  const said = nodeHost === undefined ? recipient : { ...recipient, nodeHost: canonicalHost(nodeHost) ?? '' }
  return messagesTo(said, announcement, targets, hosts)
}
