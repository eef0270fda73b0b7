import type { ClusterConfig } from './config.js'
import type { ClusterNode, ClusterView, Scope, ViewChange } from './contract.js'

/** What a delivery is decided by. */
export interface Delivery {
  readonly scope: Scope
  readonly skipSender: boolean
  readonly sender: { readonly incarnation: string; readonly site?: string | undefined }
}

/**
 * Whether a node gets an event. Sites are compared only where the sender has one; between sites it does not matter
 * whether the sender is to be skipped.
 */
export function delivers({ scope, skipSender, sender }: Delivery, to: ClusterNode): boolean {
  const sitesKnown = sender.site !== undefined
  if (scope === 'other-sites' && sitesKnown) return to.site !== sender.site
  if ((skipSender || scope === 'others') && to.incarnation === sender.incarnation) return false
  return scope !== 'site' || !sitesKnown || to.site === sender.site
}

/** The JSON of an event; `undefined` for what is not sent: nothing, or an empty list. */
export function encodeEvent(event: unknown, maxBytes: number): string | undefined {
  if (event === undefined || event === null || (Array.isArray(event) && event.length === 0)) return undefined
  let text: string | undefined
  try {
    text = JSON.stringify(event)
  } catch (cause) {
    throw new TypeError('"event" must be data that JSON can hold', { cause })
  }
  if (text === undefined) throw new TypeError('"event" must be data that JSON can hold')
  const bytes = Buffer.byteLength(text)
  if (bytes > maxBytes)
    throw new RangeError(`"event" must have at most ${maxBytes} bytes of JSON, got ${bytes}`)
  return text
}

/** A view whose nodes are in order of their names, then of their age. */
export function orderView(nodes: readonly ClusterNode[], version: number): ClusterView {
  const ordered = [...nodes].sort(
    (a, b) => compareText(a.name, b.name) || compareText(a.incarnation, b.incarnation),
  )
  return Object.freeze({ nodes: Object.freeze(ordered), version })
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** What happened between two views. A node that left without a known reason is taken for crashed. */
export function changeOf(
  before: ClusterView,
  after: ClusterView,
  departed: ReadonlySet<string>,
): ViewChange | undefined {
  const known = new Set(before.nodes.map(({ incarnation }) => incarnation))
  const alive = new Set(after.nodes.map(({ incarnation }) => incarnation))
  const joined = after.nodes.filter(({ incarnation }) => !known.has(incarnation))
  const gone = before.nodes.filter(({ incarnation }) => !alive.has(incarnation))
  if (joined.length === 0 && gone.length === 0) return undefined
  return {
    joined,
    left: gone.filter(({ incarnation }) => departed.has(incarnation)),
    crashed: gone.filter(({ incarnation }) => !departed.has(incarnation)),
  }
}

/** The line an operator knows: `view 7: 3 nodes [a, b, c]`. */
export function describeView({ nodes, version }: ClusterView): string {
  return `view ${version}: ${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'} [${nodes.map(({ name }) => name).join(', ')}]`
}

/**
 * How long a node must have been seen silent, heartbeat by heartbeat, to be removed within
 * `deadAfterMs` of its last sign: that sign may be one heartbeat older than it was seen, and the
 * last look one heartbeat late.
 */
export function silenceLimitMs({ heartbeatMs, deadAfterMs }: ClusterConfig): number {
  return deadAfterMs - 2 * heartbeatMs
}
