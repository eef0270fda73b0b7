import { assertFunction, assertOptions, type Known } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { Board, type Sink, sharedFor } from './board.js'
import { METRICS, type MetricName, metricOf, type NamedMetric, promLabelOf, promNameOf } from './metrics.js'
import { type MetricOptions, tokenKindsOf } from './options.js'
import type { Reading } from './readings.js'
import type { Attributes } from './series.js'
import { checkState, type ObservedState } from './state.js'

export type { MetricOptions } from './options.js'
export type { ObservedState } from './state.js'

/** What {@link instrument} takes. */
export interface PromOptions extends MetricOptions {
  /** Where the metrics are registered. The default registry of prom-client is used only where it is given here. */
  readonly registry: Registry
}

const OPTIONS: Known<PromOptions> = { registry: true, tokenKinds: true }

/**
 * Metrics of a state in a registry of prom-client.
 *
 * Several states may share a registry: their values are summed. To instrument a state twice is the same as once. A scrape reads
 * memory and never asks Redis.
 *
 * @returns Stops counting; what was counted stays in the registry.
 * @throws {TypeError} an option is unknown or of the wrong type, or the registry has a metric with one of our names that is not ours
 */
export function instrument(state: ObservedState, options: PromOptions): () => void {
  checkState(state)
  assertOptions(options, 'options', OPTIONS)
  const { registry } = options
  assertFunction(registry?.getSingleMetric, 'options.registry.getSingleMetric')
  const tokenKinds = tokenKindsOf(options)
  const registered = sharedFor(registry, () => new Registered(registry))
  registered.register()
  return registered.board.observe(state, { tokenKinds })
}

type PromMetric = Counter | Gauge | Histogram

/** The metrics of one registry. */
class Registered implements Sink {
  readonly board = new Board(this)
  readonly #registry: Registry
  readonly #metrics = new Map<MetricName, PromMetric>()
  #latest: readonly Reading[] | undefined
  readonly #labels = new WeakMap<Attributes, Record<string, string>>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Makes what the registry does not have: all of it the first time, or after it was cleared. */
  register(): void {
    for (const metric of METRICS as readonly NamedMetric[]) {
      const there = this.#registry.getSingleMetric(promNameOf(metric))
      if (there !== undefined && there !== this.#metrics.get(metric.name))
        throw new TypeError(
          `"options.registry" has a metric "${promNameOf(metric)}" that is not of @authstate/telemetry: give it a registry of its own, ` +
            'or rename that metric',
        )
    }
    for (const metric of METRICS as readonly NamedMetric[]) {
      if (this.#registry.getSingleMetric(promNameOf(metric)) !== undefined) continue
      this.#metrics.set(metric.name, this.#make(metric))
    }
  }

  count(metric: MetricName, attributes: Attributes): void {
    ;(this.#metrics.get(metric) as Counter).inc(this.#labelsOf(attributes))
  }

  measure(metric: MetricName, attributes: Attributes, seconds: number): void {
    ;(this.#metrics.get(metric) as Histogram).observe(this.#labelsOf(attributes), seconds)
  }

  #make(metric: NamedMetric): PromMetric {
    const { name, kind, description, attributes, buckets = [], isRead } = metric
    const common = {
      name: promNameOf(metric),
      help: description,
      labelNames: Object.keys(attributes).map(promLabelOf),
      registers: [this.#registry],
    }
    if (kind === 'histogram') return new Histogram({ ...common, buckets: [...buckets] })
    const read = (made: Counter | Gauge): void => this.#fill(made, name)
    const collect = isRead && {
      collect(this: Counter | Gauge) {
        read(this)
      },
    }
    return kind === 'counter' ? new Counter({ ...common, ...collect }) : new Gauge({ ...common, ...collect })
  }

  #fill(made: Counter | Gauge, name: MetricName): void {
    made.reset()
    // Without labels there is a zero now. What nobody has, such as a cluster that is switched off, is no zero.
    if (Object.keys(metricOf(name).attributes).length === 0) made.remove()
    for (const { metric, attributes, value } of this.#read())
      if (metric === name) made.inc(this.#labelsOf(attributes), value)
  }

  /** A scrape asks every metric in one turn: they tell of the same moment. */
  #read(): readonly Reading[] {
    if (this.#latest === undefined) {
      this.#latest = this.board.read()
      timers.queueMicrotask(() => {
        this.#latest = undefined
      })
    }
    return this.#latest
  }

  #labelsOf(attributes: Attributes): Record<string, string> {
    const known = this.#labels.get(attributes)
    if (known !== undefined) return known
    const labels = Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [promLabelOf(name), value]),
    )
    this.#labels.set(attributes, labels)
    return labels
  }
}
