import type { RedisConnection } from '@authstate/redis'
import { assertInteger, assertOptions, type Known } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { BarrierOptions } from './public.js'
import { reachedKey } from './reached.js'
import { progress } from './scripts.js'
import { isBehind, pause } from './waits.js'

/** What a {@link Barriers} is made of. */
export interface BarriersParts {
  /** Of this site. */
  readonly connection: RedisConnection
  readonly site: string
  /** All other sites. */
  readonly others: readonly string[]
  readonly consumer: string
  /** How many records of a partition at least one other site has not received. */
  readonly behind: (partition: number) => Promise<number>
  readonly signal: AbortSignal
}

/** A place to wait for: all changes of a partition up to a note. */
interface Place {
  readonly partition: number
  readonly id: string
}

const WAIT_MS = 1_000
const MOST_WAIT_MS = 60_000
/** Time between two looks, at first and at most. */
const FIRST_LOOK_MS = 2
const LAST_LOOK_MS = 25

const BARRIER: Known<BarrierOptions> = { waitMs: true }

/** Makes tokens for what this node wrote, and waits for what a node of another site wrote. */
export class Barriers {
  readonly #parts: BarriersParts
  /** Partitions in which this node changed something. */
  readonly #changed = new Set<number>()

  constructor(parts: BarriersParts) {
    this.#parts = parts
  }

  changing(partition: number): void {
    this.#changed.add(partition)
  }

  async token(): Promise<string> {
    const places = await Promise.all([...this.#changed].map((partition) => this.#untold(partition)))
    return [this.#parts.site, ...places.flatMap((place) => (place === undefined ? [] : encode(place)))].join(
      '~',
    )
  }

  async barrier(token: string, options: BarrierOptions = {}): Promise<boolean> {
    assertOptions(options, 'options', BARRIER)
    const { waitMs = WAIT_MS } = options
    assertInteger(waitMs, 'options.waitMs', 0, MOST_WAIT_MS)
    const { connection, site: own, signal } = this.#parts
    const { site, places } = this.#decode(token)
    // This site has what it wrote itself.
    if (site === own) return true
    const endsAtMs = timers.monotonicMs() + waitMs
    let missing = places
    for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(2 * lookMs, LAST_LOOK_MS)) {
      missing = await stillMissing(connection, site, missing)
      if (missing.length === 0) return true
      const leftMs = endsAtMs - timers.monotonicMs()
      if (leftMs <= 0 || signal.aborted) return false
      await pause(Math.min(lookMs, leftMs), signal)
    }
  }

  /** The last note of a partition, unless every other site has received it. */
  async #untold(partition: number): Promise<Place | undefined> {
    const { connection, consumer, behind } = this.#parts
    const keys = { notes: connection.keys.key(partition, 'xn'), had: connection.keys.key(partition, 'xh') }
    const { last, had } = await connection.run(progress, keys, { consumer })
    const isTold = !isBehind(had, last) && (await behind(partition)) === 0
    return isTold ? undefined : { partition, id: last }
  }

  #decode(token: string): { readonly site: string; readonly places: readonly Place[] } {
    const { connection, site: own, others } = this.#parts
    const [site = '', ...parts] = typeof token === 'string' ? token.split('~') : []
    const places = parts.map(decode)
    const isWhole = /^[a-z0-9-]{1,16}$/.test(site) && places.every((place) => place !== undefined)
    if (!isWhole) throw new TypeError('"token" must be a text that token() of a site returned')
    if (site !== own && !others.includes(site)) {
      const known = [own, ...others].map((name) => `"${name}"`).join(', ')
      throw new TypeError(`"token" is of the site "${site}", which is not configured here. Known: ${known}`)
    }
    const beyond = places.find(({ partition }) => !connection.keys.all.includes(partition))
    if (beyond !== undefined) {
      throw new TypeError(
        `"token" names the partition ${beyond.partition}; this site has ${connection.keys.all.length}`,
      )
    }
    return { site, places }
  }
}

async function stillMissing(
  connection: RedisConnection,
  site: string,
  places: readonly Place[],
): Promise<readonly Place[]> {
  const reached = await Promise.all(
    places.map(({ partition }) =>
      connection.hmget('cross-site.barrier', reachedKey(connection, partition), [site]),
    ),
  )
  return places.filter(({ id }, index) => isBehind(reached[index]?.[0] ?? '', id))
}

/** As short as possible: a token may travel in a code or a URL. */
const encode = ({ partition, id }: Place): string =>
  [partition, ...id.split('-')].map((number) => Number(number).toString(36)).join('.')

function decode(text: string): Place | undefined {
  const match = /^([0-9a-z]{1,2})\.([0-9a-z]{1,10})\.([0-9a-z]{1,10})$/.exec(text)
  if (match === null) return undefined
  const [partition = 0, ms, n] = match.slice(1).map((part) => Number.parseInt(part, 36))
  return { partition, id: `${ms}-${n}` }
}
