import type { NodeIdentity } from '@authstate/spi'
import type { RedisCommand } from 'authstate/redis'
import { type Followed, follow } from './channels.js'
import { attributesOf } from './command-attributes.js'
import { listen } from './events.js'
import { METRICS, type MetricName, metricOf } from './metrics.js'
import { type Reading, readingsOf } from './readings.js'
import { type Attributes, Series } from './series.js'
import type { ObservedState } from './state.js'

/** Where metrics go that are reported as they happen. Those that are read come from {@link Board.read}. */
export interface Sink {
  count(metric: MetricName, attributes: Attributes): void
  /** @param seconds How long it took. */
  measure(metric: MetricName, attributes: Attributes, seconds: number): void
}

/** How a board counts the states that are put on it. */
export interface BoardOptions {
  /** Kinds of tokens that are counted separately. */
  readonly tokenKinds: ReadonlySet<string>
}

interface Observed {
  readonly state: ObservedState
  /** Those of every time that it was put on the board. */
  readonly tokenKinds: Set<string>
  /** What was read last. */
  latest: readonly Reading[]
  /** How many times it was put on the board and not yet taken off. */
  times: number
  readonly stops: readonly (() => void)[]
}

/**
 * The metrics of every state that is observed for one target: a registry of Prometheus, or a provider of meters. A state that is
 * put on it twice is counted once. What a state counted stays when it is taken off.
 */
export class Board {
  readonly #sink: Sink
  readonly #series = new Map(METRICS.map(({ name }) => [name as MetricName, new Series(name)]))
  readonly #observed = new Map<NodeIdentity, Observed>()
  /** Counters of states that were taken off. */
  readonly #left = new Map<string, Reading>()

  constructor(sink: Sink) {
    this.#sink = sink
  }

  /** @returns takes it off; calling it twice is the same as once */
  observe(state: ObservedState, options: BoardOptions): () => void {
    const { node } = state.describe()
    const observed = this.#observed.get(node) ?? this.#begin(node, state)
    observed.times += 1
    for (const kind of options.tokenKinds) observed.tokenKinds.add(kind)
    let isOn = true
    return () => {
      if (!isOn) return
      isOn = false
      observed.times -= 1
      if (observed.times === 0) this.#end(node, observed)
    }
  }

  /** What every metric that has to be read is now, over all states. Reads memory only, and never throws. */
  read(): Reading[] {
    const folded = new Map(this.#left)
    for (const observed of this.#observed.values()) {
      refresh(observed)
      for (const one of observed.latest) {
        const attributes = this.#attributes(one.metric, one.attributes)
        fold(folded, { ...one, attributes })
      }
    }
    return [...folded.values()]
  }

  #begin(node: NodeIdentity, state: ObservedState): Observed {
    const count = (metric: MetricName, attributes: Attributes): void =>
      this.#sink.count(metric, this.#attributes(metric, attributes))
    const tokenKinds = new Set<string>()
    // First what a closed state refuses, so that nothing is left of it.
    const stops = [listen(state, { tokenKinds }, count), follow(node, this.#followed(count))]
    const observed = { state, tokenKinds, latest: [], times: 0, stops }
    this.#observed.set(node, observed)
    return observed
  }

  #end(node: NodeIdentity, observed: Observed): void {
    for (const stop of observed.stops) stop()
    refresh(observed)
    this.#observed.delete(node)
    for (const one of observed.latest) {
      if (metricOf(one.metric).kind !== 'counter') continue
      fold(this.#left, { ...one, attributes: this.#attributes(one.metric, one.attributes) })
    }
  }

  #followed(count: Sink['count']): Followed {
    return {
      onCallEnd: ({ spi, verb, provider, outcome = 'error', answer, durationMs = 0 }) => {
        const call = { spi, verb, provider, outcome }
        this.#measure('authstate.call.duration', call, durationMs)
        if (answer === undefined) return
        count('authstate.answers', { spi, verb, answer })
        if (answer === 'refused') count('authstate.writes.refused', { spi, verb })
      },
      onCommandEnd: (command: RedisCommand) =>
        this.#measure('db.client.operation.duration', attributesOf(command), command.durationMs ?? 0),
    }
  }

  #measure(metric: MetricName, attributes: Attributes, ms: number): void {
    this.#sink.measure(metric, this.#attributes(metric, attributes), ms / 1_000)
  }

  #attributes(metric: MetricName, given: Attributes): Attributes {
    return (this.#series.get(metric) as Series).of(given)
  }
}

/** A state that is closed says nothing any more: what it said last stays, as far as it only grows. */
function refresh(observed: Observed): void {
  try {
    observed.latest = readingsOf(observed.state)
  } catch {
    observed.latest = observed.latest.filter(({ metric }) => metricOf(metric).kind === 'counter')
  }
}

function fold(into: Map<string, Reading>, one: Reading): void {
  const key = JSON.stringify([one.metric, one.attributes])
  const before = into.get(key)
  into.set(key, before === undefined ? one : { ...one, value: folded(one, before.value) })
}

function folded({ metric, value }: Reading, before: number): number {
  const { fold: how } = metricOf(metric)
  if (how === 'most') return Math.max(before, value)
  return how === 'least' ? Math.min(before, value) : before + value
}

// A module that is loaded again, as a server does that reloads its own code, must find what is counted already.
const place = Symbol.for('authstate.telemetry.1')

/** What belongs to a target, made when it is asked for first. */
export function sharedFor<T>(target: object, make: () => T): T {
  const holder = globalThis as { [place]?: WeakMap<object, unknown> }
  holder[place] ??= new WeakMap()
  const made = (holder[place].get(target) as T | undefined) ?? make()
  holder[place].set(target, made)
  return made
}
