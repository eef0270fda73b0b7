import {
  escapePart,
  KEY_GRACE_MS,
  type KeySpace,
  type RedisConnection,
  redisConnectionSpi,
  unescapePart,
} from '@authstate/redis'
import {
  type CheckedPage,
  isExpired,
  nextStep,
  type ProviderContext,
  UnreadableCounter,
} from '@authstate/spi'
import { applicationNodeSpi } from '../contract.js'
import { deadIdOf, partsOfDeadId } from '../rules.js'
import * as scripts from '../scripts.js'
import {
  type Claim,
  type Claimed,
  type ClientName,
  type DeadPage,
  type MessageTarget,
  MOST_LANES,
  type NewDelivery,
  type NodeStore,
  type PutOutcome,
  type Settlement,
  type StoredDeadLetter,
  type StoredDelivery,
  type StoredMessage,
  type StoredNode,
  type Terms,
} from '../store.js'
import { readAnnouncement, readNode, readState, readTarget, stateText, targetText } from './texts.js'

/** Nodes and deliveries in Redis. All of a realm lies in one partition, so that what bounds it is looked at in one step. */
export class RedisStore implements NodeStore {
  readonly #redis: RedisConnection
  readonly #keys: KeySpace
  readonly #unreadable: UnreadableCounter
  /** The partition that is asked first, so that none is always the last. */
  #first = 0

  constructor(context: ProviderContext) {
    this.#redis = context.get(redisConnectionSpi)
    this.#keys = this.#redis.keys
    this.#unreadable = new UnreadableCounter(context.logger, applicationNodeSpi.name, 'a stored record')
  }

  get unreadable(): number {
    return this.#unreadable.total
  }

  async putNode(client: ClientName, node: StoredNode, maxNodes: number, now: number): Promise<PutOutcome> {
    const { host, source, expiresAt, version } = node
    const put = await this.#redis.run(scripts.putNode, this.#nodeKeys(client), {
      now,
      host,
      source,
      expiresAt: expiresAt === Number.POSITIVE_INFINITY ? 'inf' : expiresAt,
      version: version === undefined ? '' : `=${version}`,
      maxNodes,
      client: escapePart(client.clientId),
    })
    if (put === undefined) return { outcome: 'limit' }
    const stored = readNode(host, put.node) ?? node
    return { outcome: put.wasThere ? 'renewed' : 'registered', node: stored }
  }

  removeNode(client: ClientName, host: string, source: 'registered' | undefined, now: number) {
    const args = { now, host, source: source ?? '', client: escapePart(client.clientId) }
    return this.#redis.run(scripts.removeNode, this.#nodeKeys(client), args)
  }

  async listNodes(client: ClientName, now: number) {
    const found = await this.#redis.hgetall('application-node.list', this.#nodeKeys(client).nodes)
    return Object.entries(found).flatMap(([host, text]) => {
      const node = readNode(host, text) ?? this.#unreadable.count()
      return node === undefined || isExpired(node.expiresAt, now) ? [] : [node]
    })
  }

  removeNodes(client: ClientName, now: number) {
    const args = { now, client: escapePart(client.clientId) }
    return this.#redis.run(scripts.removeNodes, this.#nodeKeys(client), args)
  }

  async removeRealm(realmId: string, now: number) {
    const partition = this.#keys.partitionFor(realmId)
    const keys = {
      clients: this.#keys.key(partition, 'nc', realmId),
      deliveries: this.#keys.key(partition, 'nv', realmId),
      open: this.#keys.key(partition, 'no', realmId),
      dead: this.#keys.key(partition, 'nx', realmId),
      notBefore: this.#keys.key(partition, 'nb', realmId),
      due: this.#keys.key(partition, 'nq'),
    }
    let removed = 0
    for (let [more, isBegun] = [true, false]; more; isBegun = true) {
      const args = { now, keepMs: KEY_GRACE_MS }
      const chunk = await nextStep(this.#redis.run(scripts.removeRealm, keys, args), isBegun)
      removed += chunk.removed
      more = chunk.more
    }
    return removed
  }

  enqueue({ realmId, deliveryId, announcement, messages }: NewDelivery, terms: Terms) {
    const { now, maxLifeMs, keepMs, maxQueued } = terms
    const partition = this.#keys.partitionFor(realmId)
    const value = announcement.type === 'not-before-raised' ? announcement.notBefore : ''
    return this.#redis.run(
      scripts.enqueue,
      {
        delivery: this.#keys.key(partition, 'nd', realmId, deliveryId),
        due: this.#keys.key(partition, 'nq'),
        open: this.#keys.key(partition, 'no', realmId),
        notBefore: this.#keys.key(partition, 'nb', realmId),
      },
      {
        now,
        maxLifeMs,
        keepMs,
        maxQueued,
        announcement: JSON.stringify(announcement),
        value,
        messages: JSON.stringify(
          messages.map(({ id, target, refused = '' }) => {
            const lane = target.host === '' ? '' : laneOf(realmId, target)
            return [id, lane, targetText(lane, target), refused]
          }),
        ),
      },
    )
  }

  async loadDelivery(realmId: string, deliveryId: string, now: number): Promise<StoredDelivery | undefined> {
    const key = this.#keys.key(this.#keys.partitionFor(realmId), 'nd', realmId, deliveryId)
    const fields = await this.#redis.hgetall('application-node.delivery', key)
    const { _v, c, x, e } = fields
    if (_v === undefined || isExpired(Number(x), now)) return undefined
    const announcement = _v === VERSION && e !== undefined ? readAnnouncement(e) : undefined
    if (announcement === undefined) return this.#unreadable.count()
    const messages = Object.entries(fields).flatMap(([field, text]) => {
      if (!field.startsWith('t:')) return []
      const found = readTarget(text)
      const state = readState(fields[`s:${field.slice(2)}`] ?? '')
      if (found === undefined || state === undefined) return this.#unreadable.count() ?? []
      return [{ target: found.target, state }]
    })
    return { createdAt: Number(c), expiresAt: Number(x), type: announcement.type, messages }
  }

  async claim(claim: Claim): Promise<Claimed> {
    const { now, limit, terms } = claim
    const dueIn = await this.#redis.runEach(
      scripts.due,
      this.#keys.all.map((partition) => ({ keys: { due: this.#keys.key(partition, 'nq') }, args: { now } })),
    )
    const [messages, ended]: [StoredMessage[], StoredMessage[]] = [[], []]
    this.#first = (this.#first + 1) % this.#keys.partitions
    for (const index of this.#keys.all) {
      const partition = (index + this.#first) % this.#keys.partitions
      if (dueIn[partition] === 0 || messages.length >= limit) continue
      const sending = [
        ...claim.sending.map(({ realmId, ...target }) => laneOf(realmId, target)),
        ...messages.map(({ realmId, target }) => laneOf(realmId, target)),
      ]
      const taken = await this.#redis.run(
        scripts.claim,
        { due: this.#keys.key(partition, 'nq') },
        {
          now,
          leaseUntil: claim.leaseUntil,
          owner: claim.owner,
          limit: limit - messages.length,
          maxPerClient: claim.maxPerClient,
          sending: JSON.stringify(sending),
          mostLanes: MOST_LANES,
          maxLifeMs: terms.maxLifeMs,
          keepMs: terms.keepMs,
          deadKeepMs: terms.deadKeepMs,
          maxDead: terms.maxDead,
        },
      )
      for (const text of taken) {
        const message = this.#messageOf(realmOf(text.lane), text)
        if (message === undefined) continue
        const isTaken = message.state.state === 'queued' || message.state.state === 'retrying'
        ;(isTaken ? messages : ended).push(message)
      }
    }
    return { messages, ended }
  }

  async settle({ realmId, deliveryId, id, target }: StoredMessage, settlement: Settlement) {
    const { owner, state, laneFreeAt, terms } = settlement
    const partition = this.#keys.partitionFor(realmId)
    const head = this.#keys.key(partition, 'nl')
    const stored = await this.#redis.run(
      scripts.settle,
      {
        delivery: this.#keys.key(partition, 'nd', realmId, deliveryId),
        lane: `${head}:${laneOf(realmId, target)}`,
        due: this.#keys.key(partition, 'nq'),
      },
      {
        now: terms.now,
        message: id,
        owner,
        state: stateText(state),
        laneFreeAt,
        maxLifeMs: terms.maxLifeMs,
        keepMs: terms.keepMs,
        deadKeepMs: terms.deadKeepMs,
        maxDead: terms.maxDead,
      },
    )
    return stored === undefined ? undefined : readState(stored)
  }

  async listDead(realmId: string, { limit, after }: CheckedPage, now: number): Promise<DeadPage> {
    const dead = this.#keys.key(this.#keys.partitionFor(realmId), 'nx', realmId)
    const found = await this.#redis.run(
      scripts.listDead,
      { dead },
      { now, afterScore: after.score, afterId: after.id, limit: limit + 1 },
    )
    const shown = found.slice(0, limit)
    const items = shown.flatMap(({ letter, expiresAt, ...text }): StoredDeadLetter[] => {
      const parts = partsOfDeadId(letter)
      const message = parts && this.#messageOf(realmId, { ...text, ...parts })
      return message === undefined ? [] : [{ ...message, expiresAt: Number(expiresAt) }]
    })
    const last = found.length > limit ? shown.at(-1) : undefined
    return { items, end: last && { score: Number(last.expiresAt), id: last.letter } }
  }

  reviveDead(realmId: string, deliveryId: string, id: string, terms: Terms) {
    const partition = this.#keys.partitionFor(realmId)
    return this.#redis.run(
      scripts.reviveDead,
      {
        delivery: this.#keys.key(partition, 'nd', realmId, deliveryId),
        due: this.#keys.key(partition, 'nq'),
        open: this.#keys.key(partition, 'no', realmId),
        dead: this.#keys.key(partition, 'nx', realmId),
      },
      { now: terms.now, letter: deadIdOf(deliveryId, id), maxLifeMs: terms.maxLifeMs, keepMs: terms.keepMs },
    )
  }

  discardDead(realmId: string, deliveryId: string, id: string, now: number) {
    const dead = this.#keys.key(this.#keys.partitionFor(realmId), 'nx', realmId)
    return this.#redis.run(scripts.discardDead, { dead }, { now, letter: deadIdOf(deliveryId, id) })
  }

  #messageOf(realmId: string, text: Omit<scripts.MessageText, 'lane'>): StoredMessage | undefined {
    const announcement = readAnnouncement(text.announcement)
    const found = readTarget(text.target)
    const state = readState(text.state)
    if (announcement === undefined || found === undefined || state === undefined)
      return this.#unreadable.count()
    const { deliveryId, id, createdAt } = text
    const { target } = found
    return { realmId, deliveryId, id, createdAt: Number(createdAt), announcement, target, state }
  }

  #nodeKeys({ realmId, clientId }: ClientName) {
    const partition = this.#keys.partitionFor(realmId)
    return {
      nodes: this.#keys.key(partition, 'nr', realmId, clientId),
      clients: this.#keys.key(partition, 'nc', realmId),
    }
  }
}

/** Of the hash of a delivery. */
const VERSION = '1'

/** What indexes call the lane of a message. */
function laneOf(realmId: string, { clientId, host }: Pick<MessageTarget, 'clientId' | 'host'>): string {
  return [realmId, clientId, host].map(escapePart).join(':')
}

function realmOf(lane: string): string {
  return unescapePart(lane.slice(0, lane.indexOf(':')))
}
