import type { Counter, Histogram, Meter, Observable } from '@opentelemetry/api'
import { Board, type Sink } from './board.js'
import { METRICS, type MetricName, type NamedMetric } from './metrics.js'
import type { Attributes } from './series.js'

/** Attributes whose conventions say that they are numbers. */
const NUMBERS: ReadonlySet<string> = new Set(['server.port'])

/** The metrics of one provider of meters. */
export class Meters implements Sink {
  readonly board = new Board(this)
  readonly #counters = new Map<MetricName, Counter>()
  readonly #histograms = new Map<MetricName, Histogram>()
  readonly #spelled = new WeakMap<Attributes, Record<string, string | number>>()

  constructor(meter: Meter) {
    const observed = new Map<MetricName, Observable>()
    for (const { name, kind, unit, description, buckets, isRead } of METRICS as readonly NamedMetric[]) {
      const options = { unit, description }
      if (kind === 'histogram') {
        const advice = { explicitBucketBoundaries: [...(buckets ?? [])] }
        this.#histograms.set(name, meter.createHistogram(name, { ...options, advice }))
      } else if (!isRead) this.#counters.set(name, meter.createCounter(name, options))
      else if (kind === 'counter') observed.set(name, meter.createObservableCounter(name, options))
      else observed.set(name, meter.createObservableGauge(name, options))
    }
    meter.addBatchObservableCallback(
      (result) => {
        for (const { metric, attributes, value } of this.board.read()) {
          const instrument = observed.get(metric)
          if (instrument !== undefined) result.observe(instrument, value, this.#spell(attributes))
        }
      },
      [...observed.values()],
    )
  }

  count(metric: MetricName, attributes: Attributes): void {
    this.#counters.get(metric)?.add(1, this.#spell(attributes))
  }

  measure(metric: MetricName, attributes: Attributes, seconds: number): void {
    this.#histograms.get(metric)?.record(seconds, this.#spell(attributes))
  }

  #spell(attributes: Attributes): Record<string, string | number> {
    const known = this.#spelled.get(attributes)
    if (known !== undefined) return known
    const spelled = spell(attributes)
    this.#spelled.set(attributes, spelled)
    return spelled
  }
}

/** Attributes as OpenTelemetry types them. */
export const spell = (attributes: Attributes): Record<string, string | number> =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => {
      const number = Number(value)
      return [name, NUMBERS.has(name) && Number.isInteger(number) ? number : value]
    }),
  )
