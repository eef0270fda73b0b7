import type { RedisConnection } from '@authstate/redis'
import { hear, said } from './site-scripts.js'
import { decodeMessage, encodeAbandonment, encodeMessage } from './wire.js'

/** Topics of applications begin with it. */
const APPLICATION = 'a'
/** The sender of what another site said begins with it. */
const ELSEWHERE = '~'
/** As nodes keep their channel: an hour, and so many entries where none has said how many. */
const KEEP_MS = 3_600_000
const MAX_LENGTH = 10_000
/** Entries at a time. */
const BATCH = 200

/** A topic whose events go to other sites, whatever their scope. */
export interface SiteTopic {
  /** The service: `'realm-cache'`. */
  readonly spi: string
  readonly topic: string
  /** The event for nodes that may have missed some. */
  readonly missed: unknown
  /**
   * Does at another site what has to be done before its nodes hear of it; answers the event that they hear.
   *
   * @param peer To the Redis of that site.
   */
  pass(peer: RedisConnection, event: unknown): Promise<unknown>
}

/** What of the work channel another site gets, and how. */
export interface WorkLink {
  readonly from: string
  readonly to: string
  readonly topics: readonly SiteTopic[]
  /** Whether the other site gets events of all other topics, with the scopes `all` and `other-sites`. */
  readonly isEverything: boolean
  readonly ask: <T>(operation: string, ask: (peer: RedisConnection) => Promise<T>) => Promise<T>
}

/** What came of telling: events that went there, and whether there are more. */
export interface WorkTold {
  readonly events: number
  readonly isMore: boolean
}

/** The partition in which the work channel lies: the node that holds it tells other sites. */
export const workPartition = ({ keys }: RedisConnection): number => keys.partitionFor('cluster')

/**
 * Sends another site what nodes of this one published since the last time. There it is as if one of
 * its own nodes had published it, and it goes to no further site. In order; each once, unless two
 * nodes send at the same moment. What the site may have missed is sent first: that something is
 * missing, and to topics of their own what they want to get then.
 *
 * @throws what `ask` throws; it is sent again
 */
export async function tellWork(connection: RedisConnection, link: WorkLink): Promise<WorkTold> {
  const { heard, owed, entries } = await look(connection, link.to, { limit: BATCH })
  const batch: (readonly [id: string, text: string])[] = []
  if (owed.startsWith('lost') && link.isEverything) batch.push([owed, ''])
  else if (owed !== '')
    batch.push(...link.topics.map((topic) => [`${owed}.${topic.topic}`, missed(topic, link)] as const))
  for (const { id, sender, text } of entries) {
    if (sender === '' || sender.startsWith(ELSEWHERE)) continue
    const passed = await pass(text, link)
    if (passed !== undefined) batch.push([id, passed])
  }
  if (batch.length > 0) await link.ask('cluster.hear', (peer) => hearOf(peer, link.from, heard, batch))
  const last = entries.at(-1)?.id
  if (last !== undefined || owed !== '' || batch.length > 0) {
    await look(connection, link.to, {
      had: last ?? '',
      heard: batch.at(-1)?.[0] ?? '',
      owed: owed === '' ? '' : 'told',
    })
  }
  return { events: batch.length, isMore: entries.length >= BATCH }
}

/** Notes that another site was away, or misses something for good: it gets that when it is back. Safe to repeat. */
export async function oweWork(connection: RedisConnection, to: string, owed: 'away' | 'lost'): Promise<void> {
  await look(connection, to, { owed })
}

function look(
  connection: RedisConnection,
  to: string,
  {
    had = '',
    heard = '',
    owed = '',
    limit = 0,
  }: { readonly had?: string; readonly heard?: string; readonly owed?: string; readonly limit?: number },
) {
  const { keys } = connection
  const partition = workPartition(connection)
  const of = { events: keys.key(partition, 'ce'), told: keys.key(partition, 'xw', to) }
  return connection.run(said, of, { had, heard, owed, limit })
}

function hearOf(
  peer: RedisConnection,
  site: string,
  after: string,
  batch: readonly (readonly [id: string, text: string])[],
) {
  const partition = workPartition(peer)
  const events = peer.keys.key(partition, 'ce')
  return peer.run(
    hear,
    { events, cluster: peer.keys.key(partition, 'cl'), told: peer.keys.key(partition, 'xw', site) },
    {
      site,
      after,
      batch: JSON.stringify(batch),
      gap: encodeAbandonment({ name: site, site }),
      keepMs: KEEP_MS,
      maxLength: MAX_LENGTH,
      channel: events,
      sharded: peer.isCluster ? '1' : '',
    },
  )
}

/** What another site gets of an event; empty: that something is missing; `undefined`: nothing. */
async function pass(
  text: string,
  { from, topics, isEverything, ask }: WorkLink,
): Promise<string | undefined> {
  const message = decodeMessage(text)
  // Of an event of a version to come, and of events that were given up, nobody knows what they said.
  if (message?.topic === undefined || message.json === undefined) return ''
  const { topic, json, scope, sender } = message
  if (!topic.startsWith(APPLICATION)) return undefined
  const asLocal = (told: string) =>
    encodeMessage(
      { topic, json: told, scope: 'all', skipSender: false },
      { ...sender, site: sender.site ?? from },
    )
  const of = topics.find((one) => APPLICATION + one.topic === topic)
  if (of !== undefined) {
    const event = await ask(`${of.spi}.pass`, (peer) => of.pass(peer, JSON.parse(json)))
    return asLocal(JSON.stringify(event))
  }
  return isEverything && (scope === 'all' || scope === 'other-sites') ? asLocal(json) : undefined
}

const missed = ({ topic, missed: event }: SiteTopic, { from }: WorkLink): string =>
  encodeMessage(
    { topic: APPLICATION + topic, json: JSON.stringify(event), scope: 'all', skipSender: false },
    { name: from, site: from },
  )
