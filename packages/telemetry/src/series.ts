import { type MetricName, MOST_SERIES, metricOf, OTHER } from './metrics.js'

export type Attributes = Readonly<Record<string, string>>

/** The combinations of attributes that a metric has had. It has no more than {@link MOST_SERIES}, whatever happens. */
export class Series {
  readonly #names: readonly string[]
  readonly #known = new Map<string, Attributes>()
  readonly #rest: Attributes

  constructor(metric: MetricName) {
    this.#names = Object.keys(metricOf(metric).attributes)
    this.#rest = Object.fromEntries(this.#names.map((name) => [name, OTHER]))
  }

  /** The attributes to count under: those given, one object for all that are alike. */
  of(given: Attributes): Attributes {
    let key = ''
    for (const name of this.#names) key += `${given[name] ?? ''}\n`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    // One is left for the rest.
    const attributes = this.#known.size < MOST_SERIES - 1 ? { ...given } : this.#rest
    if (attributes !== this.#rest) this.#known.set(key, attributes)
    return attributes
  }
}
