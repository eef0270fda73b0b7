import type { ClusterNode, Scope } from '../contract.js'
import type { Message } from '../transport.js'

// What travels through Redis. Short names: a channel keeps ten thousand of these.

/** What a node says of itself at every beat. */
interface MemberOnWire {
  readonly v: 1
  readonly name: string
  readonly site?: string | undefined
  readonly route?: string | undefined
  readonly joinedAt: number
  /** Number of the beat: two beats never say the same. */
  readonly beat: number
  /** Number of the last event that Redis acknowledged. */
  readonly sent: number
  /** The node's clock. */
  readonly now: number
  /** Present: it publishes everything that it adds to the work channel. */
  readonly told?: 1 | undefined
  /** The latest layout of records that it reads; left out: 1. */
  readonly reads?: number | undefined
}

/** An event, or, without a topic, the word that events before it were given up. */
interface EventOnWire {
  readonly v: 1
  readonly t?: string
  readonly e?: string
  readonly c?: Scope
  readonly k?: 1
  readonly n: string
  readonly x?: string | undefined
}

export interface HeardMember extends Pick<MemberOnWire, 'sent' | 'now'> {
  readonly node: ClusterNode
  /** Whether it publishes everything that it adds to the work channel. */
  readonly isTold: boolean
  /** The latest layout of records that it reads. */
  readonly reads: number
}

export function encodeMember(
  node: ClusterNode,
  said: Pick<MemberOnWire, 'beat' | 'sent' | 'now' | 'told' | 'reads'>,
): string {
  const { name, site, route, joinedAt } = node
  return JSON.stringify({ v: 1, name, site, route, joinedAt, ...said } satisfies MemberOnWire)
}

/** `undefined` for what this version cannot read. */
export function decodeMember(field: string, text: string): HeardMember | undefined {
  const member = parse<MemberOnWire>(text)
  if (member === undefined) return undefined
  const { name, site, route, joinedAt, sent, now } = member
  if (!isText(name) || !isTextOrNone(site) || !isTextOrNone(route)) return undefined
  if (![joinedAt, sent, now].every(Number.isFinite)) return undefined
  const incarnation = incarnationOf(field)
  return {
    node: Object.freeze({
      name,
      ...(site !== undefined && { site }),
      ...(route !== undefined && { route }),
      incarnation,
      joinedAt,
    }),
    sent,
    now,
    isTold: member.told === 1,
    reads: typeof member.reads === 'number' ? member.reads : 1,
  }
}

export const incarnationOf = (field: string): string => field.slice(field.lastIndexOf(':') + 1)

export function encodeMessage(
  { topic, json, scope, skipSender }: Message,
  { name, site }: Pick<ClusterNode, 'name' | 'site'>,
): string {
  return JSON.stringify({
    v: 1,
    t: topic,
    e: json,
    c: scope,
    ...(skipSender && { k: 1 }),
    n: name,
    x: site,
  } satisfies EventOnWire)
}

/** Says that the events numbered just before it will never come. */
export function encodeAbandonment({ name, site }: Pick<ClusterNode, 'name' | 'site'>): string {
  return JSON.stringify({ v: 1, n: name, x: site } satisfies EventOnWire)
}

export interface HeardMessage extends Partial<Message> {
  readonly sender: { readonly name: string; readonly site?: string }
}

/** Without a topic: an abandonment. `undefined` for what this version cannot read. */
export function decodeMessage(text: string): HeardMessage | undefined {
  const event = parse<EventOnWire>(text)
  if (event === undefined || !isText(event.n) || !isTextOrNone(event.x)) return undefined
  const sender = { name: event.n, ...(event.x !== undefined && { site: event.x }) }
  if (event.t === undefined || event.e === undefined) return { sender }
  if (!isText(event.t) || !isText(event.e) || !SCOPES.has(event.c ?? 'all')) return undefined
  return { sender, topic: event.t, json: event.e, scope: event.c ?? 'all', skipSender: event.k === 1 }
}

const SCOPES: ReadonlySet<unknown> = new Set<Scope>(['all', 'others', 'site', 'other-sites'])
const isText = (said: unknown): boolean => typeof said === 'string'
const isTextOrNone = (said: unknown): boolean => said === undefined || isText(said)

function parse<T extends { readonly v: 1 }>(text: string): T | undefined {
  try {
    const value = JSON.parse(text) as T
    return value.v === 1 ? value : undefined
  } catch {
    return undefined
  }
}

/** Compares two ids of a stream, `ms-number`. */
export function compareIds(a: string, b: string): number {
  if (a === b) return 0
  const [aMs = '', aNumber = ''] = a.split('-')
  const [bMs = '', bNumber = ''] = b.split('-')
  return Number(aMs) - Number(bMs) || Number(aNumber) - Number(bNumber)
}
