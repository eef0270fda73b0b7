import { type CheckedPage, comparePositions, isExpired, type PagePosition } from '@authstate/spi'
import { Pruner } from '@authstate/spi/internal'
import { DueQueue } from './due-queue.js'
import {
  add,
  isOfRealm,
  isOutdated,
  type Lane,
  laneKeyOf,
  type Message,
  type MutableDelivery,
  storedOf,
  textOf,
} from './memory-records.js'
import { deadIdOf, isFinal } from './rules.js'
import {
  type Claim,
  type Claimed,
  type ClientName,
  type DeadPage,
  type MessageState,
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
} from './store.js'

/** Nodes and deliveries of one process. */
export class MemoryStore implements NodeStore {
  readonly #nodes = new Map<string, Map<string, StoredNode>>()
  readonly #deliveries = new Map<string, MutableDelivery>()
  readonly #lanes = new Map<string, Lane>()
  /** Lanes with messages, by when the next one can be taken. */
  readonly #due = new DueQueue<Lane>()
  /** Messages under way, by realm. */
  readonly #open = new Map<string, number>()
  readonly #dead = new Map<string, Set<Message>>()
  readonly #deliveryPruner = new Pruner(this.#deliveries)
  readonly #lanePruner = new Pruner(this.#lanes)

  async putNode(client: ClientName, node: StoredNode, maxNodes: number, now: number): Promise<PutOutcome> {
    const key = textOf(client.realmId, client.clientId)
    const nodes = this.#nodes.get(key) ?? new Map<string, StoredNode>()
    for (const [host, { expiresAt }] of nodes) if (isExpired(expiresAt, now)) nodes.delete(host)
    const before = nodes.get(node.host)
    if (before === undefined && nodes.size >= maxNodes) return { outcome: 'limit' }
    const isPinned = before?.source === 'manual'
    const { registeredAt } = before ?? node
    const stored: StoredNode = isPinned
      ? { ...node, source: 'manual', expiresAt: Number.POSITIVE_INFINITY, registeredAt }
      : { ...node, registeredAt }
    nodes.set(node.host, stored)
    this.#nodes.set(key, nodes)
    return { outcome: before === undefined ? 'registered' : 'renewed', node: stored }
  }

  async removeNode(client: ClientName, host: string, source: 'registered' | undefined, now: number) {
    const key = textOf(client.realmId, client.clientId)
    const nodes = this.#nodes.get(key)
    const node = nodes?.get(host)
    if (node === undefined || (source !== undefined && node.source !== source)) return false
    nodes?.delete(host)
    if (nodes?.size === 0) this.#nodes.delete(key)
    return !isExpired(node.expiresAt, now)
  }

  async listNodes({ realmId, clientId }: ClientName, now: number) {
    const nodes = [...(this.#nodes.get(textOf(realmId, clientId))?.values() ?? [])]
    return nodes.filter(({ expiresAt }) => !isExpired(expiresAt, now))
  }

  async removeNodes({ realmId, clientId }: ClientName, now: number) {
    return this.#dropNodes(textOf(realmId, clientId), now)
  }

  async removeRealm(realmId: string, now: number) {
    let removed = 0
    for (const key of [...this.#nodes.keys()])
      if (isOfRealm(key, realmId)) removed += this.#dropNodes(key, now)
    for (const key of [...this.#deliveries.keys()]) if (isOfRealm(key, realmId)) this.#deliveries.delete(key)
    for (const [key, lane] of [...this.#lanes])
      if (lane.realmId === realmId) {
        this.#lanes.delete(key)
        this.#due.delete(lane)
      }
    this.#open.delete(realmId)
    this.#dead.delete(realmId)
    return removed
  }

  async enqueue({ realmId, deliveryId, announcement, messages }: NewDelivery, terms: Terms) {
    const { now, maxLifeMs, keepMs, maxQueued } = terms
    this.#prune(now)
    const key = textOf(realmId, deliveryId)
    const found = this.#deliveries.get(key)
    const isThere = found !== undefined && !isExpired(found.expiresAt, now)
    const diesAt = now + maxLifeMs
    const delivery: MutableDelivery = isThere
      ? found
      : {
          realmId,
          deliveryId,
          announcement,
          createdAt: now,
          expiresAt: 0,
          messages: new Map(),
          open: 0,
          diesAt: 0,
          dead: new Set(),
        }
    if (found !== undefined && !isThere) this.#drop(found)
    this.#deliveries.set(key, delivery)
    let refused = 0
    for (const { id, target, refused: reason } of messages) {
      const before = delivery.messages.get(id)?.state
      if (before !== undefined && !(before.state === 'refused' && before.reason === 'queue-full')) continue
      const isFull = reason === undefined && (this.#open.get(realmId) ?? 0) >= maxQueued
      if (isFull) refused += 1
      const why = isFull ? ('queue-full' as const) : reason
      const state: MessageState = {
        state: why === undefined ? 'queued' : 'refused',
        attempts: 0,
        nextAt: now,
        diesAt,
        ...(why !== undefined && { reason: why }),
      }
      const message: Message = { delivery, id, target, state, owner: '' }
      delivery.messages.set(id, message)
      if (announcement.type === 'not-before-raised' && target.host !== '') {
        const lane = this.#laneOf(message)
        lane.notBefore = Math.max(
          isExpired(lane.notBeforeUntil, now) ? 0 : lane.notBefore,
          announcement.notBefore,
        )
        lane.notBeforeUntil = diesAt + keepMs
      }
      if (why === undefined) {
        this.#begin(message)
      }
    }
    this.#settleDelivery(delivery, now, terms)
    return refused
  }

  async loadDelivery(realmId: string, deliveryId: string, now: number): Promise<StoredDelivery | undefined> {
    const delivery = this.#deliveries.get(textOf(realmId, deliveryId))
    if (delivery === undefined || isExpired(delivery.expiresAt, now)) return undefined
    const messages = [...delivery.messages.values()].map(({ target, state }) => ({ target, state }))
    const { createdAt, expiresAt, announcement } = delivery
    return { createdAt, expiresAt, type: announcement.type, messages }
  }

  async claim({ now, leaseUntil, owner, limit, maxPerClient, sending, terms }: Claim): Promise<Claimed> {
    const [messages, ended]: [StoredMessage[], StoredMessage[]] = [[], []]
    const busyHosts = new Set(sending.map(({ host }) => host))
    const busyClients = new Map<string, number>()
    for (const { realmId, clientId } of sending) add(busyClients, textOf(realmId, clientId), 1)
    const looked: Lane[] = []
    while (messages.length < limit && looked.length < MOST_LANES) {
      const next = this.#due.first()
      if (next === undefined || next.at > now) break
      const lane = next.item
      this.#due.delete(lane)
      looked.push(lane)
      const client = textOf(lane.realmId, lane.clientId)
      if (busyHosts.has(lane.host) || (busyClients.get(client) ?? 0) >= maxPerClient) continue
      for (let due = lane.messages.first(); due !== undefined && due.at <= now; due = lane.messages.first()) {
        const message = due.item
        const { state } = message
        if (isOutdated(message, lane)) {
          ended.push(this.#finish(message, { ...state, state: 'superseded', reason: 'newer-value' }, terms))
        } else if (state.diesAt <= now) {
          ended.push(this.#finish(message, { ...state, state: 'dead', reason: 'expired' }, terms))
        } else {
          message.state = { ...state, attempts: state.attempts + 1, nextAt: leaseUntil }
          message.owner = owner
          lane.messages.set(message, leaseUntil)
          lane.freeAt = leaseUntil
          messages.push(storedOf(message))
          busyHosts.add(lane.host)
          add(busyClients, client, 1)
          break
        }
      }
    }
    for (const lane of looked) this.#place(lane)
    return { messages, ended }
  }

  async settle(
    { realmId, deliveryId, id }: StoredMessage,
    { owner, state, laneFreeAt, terms }: Settlement,
  ): Promise<MessageState | undefined> {
    const message = this.#deliveries.get(textOf(realmId, deliveryId))?.messages.get(id)
    if (message === undefined || message.owner !== owner || isFinal(message.state)) return undefined
    const lane = this.#laneOf(message)
    lane.freeAt = laneFreeAt
    message.owner = ''
    if (!isFinal(state)) {
      message.state = state
      lane.messages.set(message, state.nextAt)
      this.#place(lane)
      return state
    }
    const isLate = state.state === 'dead' && isOutdated(message, lane)
    const final: MessageState = isLate ? { ...state, state: 'superseded', reason: 'newer-value' } : state
    this.#finish(message, final, terms)
    return final
  }

  async listDead(realmId: string, { limit, after }: CheckedPage, now: number): Promise<DeadPage> {
    const letters = [...(this.#dead.get(realmId) ?? [])]
      .flatMap((message) => {
        const { deadUntil = 0, delivery, id } = message
        if (isExpired(deadUntil, now)) return []
        const position: PagePosition = { score: deadUntil, id: deadIdOf(delivery.deliveryId, id) }
        const letter: StoredDeadLetter = { ...storedOf(message), expiresAt: deadUntil }
        return [{ position, letter }]
      })
      .filter(({ position }) => comparePositions(position, after) > 0)
      .sort((a, b) => comparePositions(a.position, b.position))
    const shown = letters.slice(0, limit)
    const end = letters.length > limit ? shown.at(-1)?.position : undefined
    return { items: shown.map(({ letter }) => letter), end }
  }

  async reviveDead(realmId: string, deliveryId: string, id: string, terms: Terms): Promise<boolean> {
    const { now, maxLifeMs, keepMs } = terms
    const message = this.#takeDead(realmId, deliveryId, id, now)
    if (message === undefined) return false
    const diesAt = now + maxLifeMs
    message.state = { state: 'queued', attempts: 0, nextAt: now, diesAt }
    this.#begin(message)
    message.delivery.expiresAt = Math.max(message.delivery.expiresAt, diesAt + keepMs)
    return true
  }

  async discardDead(realmId: string, deliveryId: string, id: string, now: number): Promise<boolean> {
    return this.#takeDead(realmId, deliveryId, id, now) !== undefined
  }

  async close() {
    for (const map of [this.#nodes, this.#deliveries, this.#lanes, this.#due, this.#open, this.#dead])
      map.clear()
  }

  #takeDead(realmId: string, deliveryId: string, id: string, now: number): Message | undefined {
    const message = this.#deliveries.get(textOf(realmId, deliveryId))?.messages.get(id)
    if (message?.deadUntil === undefined || isExpired(message.deadUntil, now)) return undefined
    this.#forget(this.#dead.get(realmId), message)
    return message
  }

  #finish(message: Message, state: MessageState, terms: Terms): StoredMessage {
    const { delivery } = message
    const { now, deadKeepMs, maxDead } = terms
    message.state = state
    message.owner = ''
    const lane = this.#laneOf(message)
    if (lane.messages.delete(message)) {
      this.#count(delivery.realmId, -1)
      delivery.open -= 1
    }
    this.#place(lane)
    if (state.state === 'dead') {
      message.deadUntil = now + deadKeepMs
      const dead = this.#dead.get(delivery.realmId) ?? new Set()
      this.#dead.set(delivery.realmId, dead.add(message))
      delivery.dead.add(message)
      for (const letter of dead) if (isExpired(letter.deadUntil ?? 0, now)) this.#forget(dead, letter)
      for (const letter of dead) {
        if (dead.size <= maxDead) break
        this.#forget(dead, letter)
      }
    }
    this.#settleDelivery(delivery, now, terms)
    return storedOf(message)
  }

  #forget(dead: Set<Message> | undefined, letter: Message): void {
    dead?.delete(letter)
    letter.delivery.dead.delete(letter)
    delete letter.deadUntil
  }

  /** Says how long a delivery is kept, after one of its messages changed. */
  #settleDelivery(delivery: MutableDelivery, now: number, { keepMs }: Terms): void {
    let latest = (delivery.open > 0 ? Math.max(now, delivery.diesAt) : now) + keepMs
    for (const { deadUntil = 0 } of delivery.dead) latest = Math.max(latest, deadUntil)
    delivery.expiresAt = latest
  }

  #prune(now: number): void {
    this.#deliveryPruner.prune((delivery) => {
      const isOver = isExpired(delivery.expiresAt, now)
      if (isOver) this.#drop(delivery)
      return isOver
    })
    this.#lanePruner.prune(
      ({ messages, freeAt, notBeforeUntil }) =>
        messages.size === 0 && freeAt <= now && isExpired(notBeforeUntil, now),
    )
  }

  /** Takes what is left of a delivery out of lanes and lists. */
  #drop(delivery: MutableDelivery): void {
    for (const message of delivery.messages.values()) {
      const lane = this.#lanes.get(laneKeyOf(message))
      if (lane?.messages.delete(message)) {
        this.#count(delivery.realmId, -1)
        this.#place(lane)
      }
      this.#dead.get(delivery.realmId)?.delete(message)
    }
  }

  #dropNodes(key: string, now: number): number {
    const nodes = [...(this.#nodes.get(key)?.values() ?? [])]
    this.#nodes.delete(key)
    return nodes.filter(({ expiresAt }) => !isExpired(expiresAt, now)).length
  }

  #laneOf(message: Message): Lane {
    const key = laneKeyOf(message)
    const { clientId, host } = message.target
    const { realmId } = message.delivery
    const lane = this.#lanes.get(key) ?? {
      realmId,
      clientId,
      host,
      messages: new DueQueue(),
      freeAt: 0,
      notBefore: 0,
      notBeforeUntil: 0,
    }
    this.#lanes.set(key, lane)
    return lane
  }

  /** A message goes on from now. */
  #begin(message: Message): void {
    const { delivery, state } = message
    const lane = this.#laneOf(message)
    lane.messages.set(message, state.nextAt)
    this.#place(lane)
    this.#count(delivery.realmId, 1)
    delivery.open += 1
    delivery.diesAt = Math.max(delivery.diesAt, state.diesAt)
  }

  /** Puts a lane where its next message can be taken. */
  #place(lane: Lane): void {
    const next = lane.messages.first()
    if (next === undefined) this.#due.delete(lane)
    else this.#due.set(lane, Math.max(next.at, lane.freeAt))
  }

  #count(realmId: string, change: 1 | -1): void {
    const open = (this.#open.get(realmId) ?? 0) + change
    if (open === 0) this.#open.delete(realmId)
    else this.#open.set(realmId, open)
  }
}
