import { escapePart, LAYOUT_VERSION, type RedisConnection } from '@authstate/redis'
import { type Clock, type Logger, UnreadableCounter } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { ClusterConfig } from '../config.js'
import type { LocalNode } from '../local-node.js'
import { orderView, silenceLimitMs } from '../rules.js'
import * as scripts from '../scripts.js'
import type { Announcing } from './announcing.js'
import type { ChannelEnd } from './reader.js'
import { decodeMember, encodeMember, type HeardMember, incarnationOf } from './wire.js'

export interface MembershipKeys {
  readonly cluster: string
  readonly members: string
  readonly senders: string
  readonly events: string
}

/** What this node last heard another one say, and for how long it has said nothing new. */
interface Observation {
  readonly record: string
  readonly silentMs: number
}

/**
 * Says that this node lives, and watches the others.
 *
 * Clocks of two nodes are never compared to decide which node is dead. Every heartbeat is
 * different. If a node sees the same heartbeat of another for long enough, by its own monotonic
 * clock, it removes that node, in a step that checks that no new heartbeat came. Time in which the
 * watching node itself could not look does not count.
 */
export class Membership {
  readonly #redis: RedisConnection
  readonly #keys: MembershipKeys
  readonly #node: LocalNode
  readonly #clock: Clock
  readonly #watch: () => number
  readonly #logger: Logger
  readonly #config: ClusterConfig
  readonly #keepMs: number
  readonly #sent: () => number
  readonly #onEnd: (end: ChannelEnd) => void
  readonly #announcing: Announcing
  readonly #member: string
  readonly #observed = new Map<string, Observation>()
  #beats = 0
  #checkedAt: number | undefined
  #startedAt = 0
  readonly #unreadable: UnreadableCounter
  #failing = false
  #left = false
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(parts: {
    readonly redis: RedisConnection
    readonly keys: MembershipKeys
    readonly node: LocalNode
    readonly clock: Clock
    /** Measures spans: does not step. */
    readonly watch: () => number
    readonly logger: Logger
    readonly config: ClusterConfig
    readonly keepMs: number
    /** Number of the last event of this node that is stored. */
    readonly sent: () => number
    readonly onEnd: (end: ChannelEnd) => void
    readonly announcing: Announcing
  }) {
    this.#redis = parts.redis
    this.#keys = parts.keys
    this.#node = parts.node
    this.#clock = parts.clock
    this.#watch = parts.watch
    this.#logger = parts.logger
    this.#unreadable = new UnreadableCounter(parts.logger, 'cluster', 'a node')
    this.#config = parts.config
    this.#keepMs = parts.keepMs
    this.#sent = parts.sent
    this.#onEnd = parts.onEnd
    this.#announcing = parts.announcing
    this.#member = `${escapePart(parts.node.node.name)}:${parts.node.node.incarnation}`
  }

  /** Nodes that could not be read so far, each time they were heard. */
  get unreadable(): number {
    return this.#unreadable.total
  }

  get startedAt(): number {
    return this.#startedAt
  }

  async join(): Promise<void> {
    await this.refresh()
    this.#schedule()
  }

  /** Beats. A call that comes while a beat is on its way gets one that begins after the call. */
  refresh(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#beat().finally(() => {
        this.#running = undefined
      })
      return this.#running
    }
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        return this.refresh()
      })
    return this.#next
  }

  /** When somebody says that there is a new view. */
  notice(version: number): void {
    if (this.#left || version <= this.#node.views.current.version) return
    this.refresh().catch(() => {})
  }

  async leave(): Promise<void> {
    timers.clearTimeout(this.#timer)
    this.#left = true
    // A beat that came after it would bring this node back.
    await this.#next?.catch(() => {})
    await this.#running?.catch(() => {})
    await this.#redis
      .run(scripts.leave, this.#keys, {
        member: this.#member,
        incarnation: this.#node.node.incarnation,
        keepMs: this.#keepMs,
        maxLength: this.#config.channelLength,
        ...this.#announcing.arguments,
      })
      .catch((error: Error) => {
        this.#logger.warn({ error: error.name }, 'cluster: this node could not say good-bye')
      })
  }

  #schedule(): void {
    if (this.#left) return
    this.#timer = timers
      .setTimeout(() => {
        this.refresh()
          .then(
            () => this.#recovered(),
            (error: Error) => this.#failed(error),
          )
          .finally(() => this.#schedule())
      }, this.#config.heartbeatMs)
      .unref()
  }

  async #beat(): Promise<void> {
    if (this.#left) return
    this.#beats += 1
    const first = this.#checkedAt === undefined
    const now = this.#clock.now()
    const checkedAt = this.#watch()
    const { name } = this.#node.node
    const announced = this.#announcing.arguments
    const reply = await this.#redis.run(scripts.beat, this.#keys, {
      ...announced,
      member: this.#member,
      record: encodeMember(this.#node.node, {
        beat: this.#beats,
        sent: this.#sent(),
        now,
        told: this.#announcing.isTold ? 1 : undefined,
        reads: LAYOUT_VERSION,
      }),
      now,
      // Another run of the same name has ended without a word, or this one would not be starting.
      replaces: first ? `${escapePart(name)}:` : '',
      keepMs: this.#keepMs,
      maxLength: this.#config.channelLength,
    })
    if (reply.joined && !first) {
      this.#logger.warn({}, 'cluster: the other nodes had taken this one for dead; it has joined again')
    }
    this.#announcing.note(reply.told, announced.channel !== '')
    this.#startedAt = reply.startedAt
    const heard = this.#decode(reply.members)
    const silent = this.#observe(reply.members, checkedAt)
    this.#node.views.update(
      orderView(
        [...heard.values()].map(({ node }) => node),
        reply.version,
      ),
      reply.departed,
    )
    this.#onEnd({
      lastId: reply.lastId,
      sent: new Map([...heard.values()].map(({ node, sent }) => [node.incarnation, sent])),
      isTold: heard.size === reply.members.size && [...heard.values()].every(({ isTold }) => isTold),
    })
    if (await this.#expel(silent)) return this.#beat()
    const everybody = [...heard.values()]
    if (heard.size === reply.members.size && everybody.every(({ reads }) => reads >= LAYOUT_VERSION)) {
      await this.#redis.raiseLayout()
    }
  }

  #decode(members: ReadonlyMap<string, string>): ReadonlyMap<string, HeardMember> {
    const heard = new Map<string, HeardMember>()
    for (const [field, text] of members) {
      const member = decodeMember(field, text)
      if (member !== undefined) heard.set(field, member)
      else this.#unreadable.count()
    }
    return heard
  }

  /** Brings the observations up to date. Returns the nodes that have been silent for too long. */
  #observe(members: ReadonlyMap<string, string>, checkedAt: number): ReadonlyMap<string, string> {
    const before = this.#checkedAt ?? checkedAt
    this.#checkedAt = checkedAt
    // A pause of this node or an outage of Redis says nothing about the others.
    const sinceLastMs = Math.min(Math.max(0, checkedAt - before), 2 * this.#config.heartbeatMs)
    const silent = new Map<string, string>()
    for (const [field, record] of members) {
      if (field === this.#member) continue
      const last = this.#observed.get(field)
      const silentMs = last?.record === record ? last.silentMs + sinceLastMs : 0
      this.#observed.set(field, { record, silentMs })
      if (silentMs >= silenceLimitMs(this.#config)) silent.set(field, record)
    }
    for (const field of this.#observed.keys()) if (!members.has(field)) this.#observed.delete(field)
    return silent
  }

  async #expel(silent: ReadonlyMap<string, string>): Promise<boolean> {
    let expelled = false
    for (const [member, heard] of silent) {
      const out = await this.#redis.run(scripts.expel, this.#keys, {
        member,
        incarnation: incarnationOf(member),
        heard,
        keepMs: this.#keepMs,
        maxLength: this.#config.channelLength,
        ...this.#announcing.arguments,
      })
      expelled ||= out
    }
    return expelled
  }

  #failed(error: Error): void {
    if (!this.#failing) this.#logger.warn({ error: error.name }, 'cluster: a heartbeat failed; going on')
    this.#failing = true
  }

  #recovered(): void {
    if (this.#failing) this.#logger.info({}, 'cluster: heartbeats succeed again')
    this.#failing = false
  }
}
