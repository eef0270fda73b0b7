import {
  assertFunction,
  assertKnown,
  assertName,
  assertObject,
  assertOptionalName,
  assertOptions,
  type Clock,
  type Known,
  systemClock,
} from '@authstate/spi'
import * as v from 'valibot'
import type { CacheRegion, Invalidation, RealmCacheProvider } from './contract.js'

/** A public key, as far as it is looked for: a JWK has these. @see RFC 7517 §4 */
export interface PublicKey {
  readonly kid?: string | undefined
  readonly alg?: string | undefined
}

/** What a key set's owner answered. */
export interface LoadedKeys<K extends PublicKey> {
  readonly keys: readonly K[]
  /** Until when it says they hold, in ms since the epoch. */
  readonly expiresAt?: number | undefined
}

/** Asks the owner of a key set, for example its JWKS endpoint. */
export type KeyLoader<K extends PublicKey> = (modelKey: string) => LoadedKeys<K> | Promise<LoadedKeys<K>>

const WANTED: Known<{ kid?: string; alg?: string }> = { kid: true, alg: true }
const wholeNumber = (least: number) =>
  v.pipe(v.number(), v.safeInteger('must be a whole number'), v.minValue(least))
const optionsSchema = v.strictObject({
  /**
   * At least this long passes between two requests for one key set, however many callers ask for
   * unknown key ids. This also holds after an error of the owner, and while the work channel is
   * away. Meanwhile callers get the result of the last request, keys or an error.
   */
  minTimeBetweenRequestsMs: v.optional(wholeNumber(0), 10_000),
  /** After this long all keys of a set that does not say when it expires are asked for again. */
  maxCacheTimeMs: v.optional(wholeNumber(1), 86_400_000),
})

/** How long keys are believed, and how often they are loaded. */
export interface PublicKeysOptions extends v.InferInput<typeof optionsSchema> {
  /** @default the cache's */
  readonly clock?: Clock
}

const OPTIONS: Known<PublicKeysOptions> = {
  minTimeBetweenRequestsMs: true,
  maxCacheTimeMs: true,
  clock: true,
}

interface KeySet<K> {
  readonly requestedAt: number
  readonly keys: readonly K[]
  readonly expiresAt: number | undefined
}

/** Most requests whose answer is remembered for the pause after them. */
const MAX_REMEMBERED = 1_000

interface Request<K> {
  readonly requestedAt: number
  readonly answer: Promise<KeySet<K>>
}

/**
 * Key sets of others (identity providers, clients), in the region `keys`.
 *
 * An unknown key id makes one request, not one per caller, and none at all if the last was a moment ago, whether it brought
 * keys or failed. What is given out is a copy.
 *
 * @see Keycloak behaviour, public-key cache
 */
export class PublicKeys<K extends PublicKey = PublicKey> {
  readonly #region: CacheRegion<KeySet<K>>
  readonly #clock: Clock
  readonly #options: v.InferOutput<typeof optionsSchema>
  /** The last request for each set, for as long as there may be no other. The oldest first. */
  readonly #last = new Map<string, Request<K>>()

  constructor(cache: RealmCacheProvider, given: PublicKeysOptions = {}) {
    assertObject(cache, 'cache')
    assertOptions(given, 'options', OPTIONS)
    const { clock, ...options } = given
    const parsed = v.safeParse(optionsSchema, options)
    if (!parsed.success) {
      const [issue] = parsed.issues
      throw new TypeError(`"options.${v.getDotPath(issue) ?? ''}" is not valid: ${issue.message}`)
    }
    this.#region = cache.region<KeySet<K>>('keys')
    this.#clock = clock ?? cache.clock ?? systemClock
    this.#options = parsed.output
    // What was declared untrue, on whatever node, is asked for again at once.
    const forget = ({ region }: { readonly region: string }) => {
      if (region === this.#region.name) this.#last.clear()
    }
    cache.on('invalidated', forget)
    cache.on('cleared', forget)
  }

  /**
   * The key of that id, or the first for that algorithm when no id is given; `undefined` when the set has none.
   *
   * @throws what `load` threw, for everyone who waited; what is kept stays
   */
  async get(
    modelKey: string,
    wanted: { readonly kid?: string | undefined; readonly alg?: string | undefined },
    load: KeyLoader<K>,
  ): Promise<K | undefined> {
    assertKnown(wanted, 'wanted', WANTED)
    const { kid, alg } = wanted as { kid?: unknown; alg?: unknown }
    assertOptionalName(kid, 'kid')
    assertOptionalName(alg, 'alg')
    const matches = (key: K) =>
      (kid === undefined || key.kid === kid) &&
      (alg === undefined || key.alg === undefined || key.alg === alg)
    // Without an id any key matches: only a set that was just asked for can be taken to be complete.
    return this.#find(modelKey, matches, load, (set) => kid !== undefined || this.#wasJustAsked(set))
  }

  /** The first key that matches, of those kept or of those that one allowed request brings. */
  async first(modelKey: string, matches: (key: K) => boolean, load: KeyLoader<K>): Promise<K | undefined> {
    assertFunction(matches, 'matches')
    return this.#find(modelKey, matches, load, () => true)
  }

  /** Every key of a set. */
  async all(modelKey: string, load: KeyLoader<K>): Promise<readonly K[]> {
    const { maxCacheTimeMs } = this.#options
    const set = await this.#kept(modelKey, load)
    const tooOld = set.expiresAt === undefined && this.#clock.now() > set.requestedAt + maxCacheTimeMs
    return structuredClone((tooOld ? await this.#again(modelKey, load) : set).keys)
  }

  /** On every node. Call it when the owner's configuration changed. */
  invalidate(modelKeys: Invalidation): Promise<void> {
    return this.#region.invalidate(modelKeys)
  }

  /** Forgets all key sets, on every node. */
  clear(): Promise<void> {
    return this.#region.clear()
  }

  async #find(
    modelKey: string,
    matches: (key: K) => boolean,
    load: KeyLoader<K>,
    mayUse: (set: KeySet<K>) => boolean,
  ): Promise<K | undefined> {
    const set = await this.#kept(modelKey, load)
    const found = mayUse(set) ? set.keys.find(matches) : undefined
    if (found !== undefined) return structuredClone(found)
    const newer = this.#wasJustAsked(set) ? set : await this.#again(modelKey, load)
    return structuredClone(newer.keys.find(matches))
  }

  /** The set that is kept; requested again once it has expired. */
  async #kept(modelKey: string, load: KeyLoader<K>): Promise<KeySet<K>> {
    assertName(modelKey, 'modelKey')
    assertFunction(load, 'load')
    const set = (await this.#region.get(modelKey, () => this.#ask(modelKey, load))) as KeySet<K>
    const expired = set.expiresAt !== undefined && this.#clock.now() > set.expiresAt
    return expired && !this.#wasJustAsked(set) ? this.#again(modelKey, load) : set
  }

  async #again(modelKey: string, load: KeyLoader<K>): Promise<KeySet<K>> {
    return (await this.#region.refresh(modelKey, () => this.#ask(modelKey, load))) as KeySet<K>
  }

  async #ask(modelKey: string, load: KeyLoader<K>): Promise<KeySet<K>> {
    const last = this.#last.get(modelKey)
    if (last !== undefined && this.#wasJustAsked(last)) return last.answer
    const requestedAt = this.#clock.now()
    const answer = (async () => {
      const { keys, expiresAt } = await load(modelKey)
      return { requestedAt, keys: structuredClone(keys), expiresAt }
    })()
    this.#remember(modelKey, { requestedAt, answer })
    return answer
  }

  #remember(modelKey: string, request: Request<K>): void {
    if (this.#options.minTimeBetweenRequestsMs === 0) return
    this.#last.delete(modelKey)
    for (const [key, oldest] of this.#last) {
      if (this.#last.size < MAX_REMEMBERED && this.#wasJustAsked(oldest)) break
      this.#last.delete(key)
    }
    this.#last.set(modelKey, request)
  }

  #wasJustAsked({ requestedAt }: { readonly requestedAt: number }): boolean {
    const agoMs = this.#clock.now() - requestedAt
    // Below 0: the clock was set back.
    return agoMs >= 0 && agoMs <= this.#options.minTimeBetweenRequestsMs
  }
}
