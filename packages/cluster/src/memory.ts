import {
  type Clock,
  describedSchema,
  Lifecycle,
  type ProviderContext,
  type ProviderFactory,
} from '@authstate/spi'
import { assertNoProperties, timers } from '@authstate/spi/internal'
import { type ClusterConfig, clusterConfig } from './config.js'
import { type ChannelStatus, type ClusterProvider, clusterSpi } from './contract.js'
import type { Acquired, LeaseName, LeaseStore } from './leases.js'
import { LocalNode } from './local-node.js'
import { delivers, orderView } from './rules.js'
import type { Message, Transport } from './transport.js'

/**
 * A cluster within this process: the registries that are given the same factory are its nodes. It ends with the last
 * of them.
 */
export function memoryCluster(): ProviderFactory<ClusterProvider, ClusterConfig>
export function memoryCluster(...given: unknown[]): ProviderFactory<ClusterProvider, ClusterConfig> {
  assertNoProperties(given, 'memoryCluster', clusterSpi, 'memory')
  const hub = new Hub()
  return {
    spi: clusterSpi,
    id: 'memory',
    config: describedSchema(clusterConfig),
    create: (context, config) =>
      new LocalNode(context, config, (node) => new MemoryTransport(hub, node, context)),
  }
}

interface HeldInMemory {
  readonly owner: string
  readonly fence: number
  /** The holder's own, so that it does not matter how clocks differ. */
  readonly clock: Clock
  expiresAt: number
  awaited: boolean
}

/** What the nodes of this process share. */
class Hub {
  readonly #nodes = new Map<string, LocalNode>()
  readonly #leases = new Map<string, HeldInMemory>()
  #version = 0
  #fence = 0
  #events = 0
  #startedAt: number | undefined

  get startedAt(): number {
    return this.#startedAt ?? 0
  }

  join(node: LocalNode): void {
    this.#nodes.set(node.node.incarnation, node)
    this.#startedAt ??= node.node.joinedAt
    this.#tellView()
  }

  leave(node: LocalNode): void {
    this.#nodes.delete(node.node.incarnation)
    this.#tellView(node.node.incarnation)
    if (this.#nodes.size > 0) return
    this.#startedAt = undefined
    this.#leases.clear()
  }

  send(from: LocalNode, { topic, json, scope, skipSender }: Message): void {
    const { name, site, incarnation } = from.node
    const sender = { name, ...(site !== undefined && { site }), incarnation }
    const arrival = {
      json,
      info: { topic: topic.slice(1), id: `${sender.incarnation}-${++this.#events}`, sender },
    }
    // Not within the call of the sender: a listener must not run before the sender has gone on.
    timers.queueMicrotask(() => {
      for (const to of this.#nodes.values()) {
        if (delivers({ scope, skipSender, sender }, to.node)) to.topics.dispatch(topic, arrival)
      }
    })
  }

  acquire(name: string, owner: string, leaseMs: number, waits: boolean, clock: Clock): Acquired {
    const held = this.#leases.get(name)
    if (held !== undefined && held.owner !== owner && held.clock.now() < held.expiresAt) {
      held.awaited ||= waits
      return { acquired: false, fence: held.fence }
    }
    const fence = held?.owner === owner ? held.fence : Math.max(this.#fence + 1, clock.now())
    this.#fence = Math.max(this.#fence, fence)
    this.#leases.set(name, { owner, fence, clock, expiresAt: clock.now() + leaseMs, awaited: false })
    return { acquired: true, fence }
  }

  renew(name: string, owner: string, leaseMs: number): boolean {
    const held = this.#leases.get(name)
    if (held?.owner !== owner) return false
    held.expiresAt = held.clock.now() + leaseMs
    return true
  }

  release(name: string, owner: string): 'free' | 'awaited' | 'lost' {
    const held = this.#leases.get(name)
    if (held?.owner !== owner) return 'lost'
    this.#leases.delete(name)
    return held.awaited ? 'awaited' : 'free'
  }

  #tellView(departed?: string): void {
    this.#version += 1
    const view = orderView(
      [...this.#nodes.values()].map(({ node }) => node),
      this.#version,
    )
    for (const node of this.#nodes.values()) {
      node.views.update(view, new Set(departed === undefined ? [] : [departed]))
    }
  }
}

const nameOf = ({ kind, key }: LeaseName): string => `${kind}:${key}`

class MemoryTransport implements Transport {
  readonly leases: LeaseStore
  readonly #hub: Hub
  readonly #node: LocalNode
  readonly #clock: Clock
  readonly #lifecycle = new Lifecycle('cluster')

  constructor(hub: Hub, node: LocalNode, { clock }: ProviderContext) {
    this.#hub = hub
    this.#node = node
    this.#clock = clock
    this.leases = {
      acquire: async (name, owner, leaseMs, waits) => hub.acquire(nameOf(name), owner, leaseMs, waits, clock),
      renew: async (name, owner, leaseMs) => hub.renew(nameOf(name), owner, leaseMs),
      release: async (name, owner) => hub.release(nameOf(name), owner),
    }
    hub.join(node)
  }

  async send(message: Message): Promise<void> {
    this.#lifecycle.assertOpen()
    this.#hub.send(this.#node, message)
  }

  async refresh(): Promise<void> {}

  channel(): ChannelStatus {
    return { state: 'live', heardAt: this.#clock.now() }
  }

  startedAt(): number {
    return this.#hub.startedAt
  }

  async checkHealth(): Promise<void> {}

  async leave(): Promise<void> {
    this.#lifecycle.close()
    this.#hub.leave(this.#node)
  }
}
