import { type Clock, isExpired } from '@authstate/spi'
import { isPlainObject } from '@authstate/spi/internal'
import { loadJose } from './jose.js'
import type { JSONWebKeySet } from './jose-part.js'

/** Public keys, as a `jwks_uri` answers them. @see RFC 7517 §5 */
export interface JsonWebKeys {
  readonly keys: readonly object[]
}

/** Where the provider's keys come from: the keys, or what gets them from its `jwks_uri`. */
export type KeySource = JsonWebKeys | (() => Promise<JsonWebKeys>)

/** What the provider's signatures are checked with. */
export interface VerifierOptions {
  readonly keys: KeySource
  readonly algorithms: readonly string[]
  readonly clock: Clock
}

/** A message that was signed by the provider. */
export interface SignedMessage {
  /** The `typ` of its header. */
  readonly type: string | undefined
  readonly claims: Readonly<Record<string, unknown>>
}

/** The keys could not be fetched: it is not known yet whether a message is signed. */
export class KeysUnavailable extends Error {}

/** Keys are got again for one that is unknown, no sooner than this. */
const MIN_BETWEEN_MS = 10_000
/** And after this in any case. */
const KEYS_TTL_MS = 86_400_000

/** Checks signatures of one provider. */
export class Verifier {
  readonly #options: VerifierOptions
  #keys: JsonWebKeys | undefined
  #fetchedAt: number | undefined
  #fetching: Promise<void> | undefined

  constructor(options: VerifierOptions) {
    this.#options = options
    if (typeof options.keys !== 'function') this.#keys = options.keys
  }

  /**
   * The claims of a JWS in compact form; `undefined` when it is not signed by the provider with an algorithm that is allowed.
   *
   * @throws {KeysUnavailable} the provider's keys could not be got
   */
  async verify(token: string): Promise<SignedMessage | undefined> {
    const { compactVerify, createLocalJWKSet, errors } = await loadJose()
    await this.#freshen(false)
    for (const isAgain of [false, true]) {
      if (this.#keys === undefined) throw new KeysUnavailable()
      try {
        const { payload, protectedHeader } = await compactVerify(
          token,
          createLocalJWKSet(this.#keys as JSONWebKeySet),
          {
            algorithms: [...this.#options.algorithms],
          },
        )
        const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
        if (!isPlainObject(claims)) return undefined
        return { type: protectedHeader.typ, claims: claims as SignedMessage['claims'] }
      } catch (error) {
        const isUnknownKey = error instanceof errors.JWKSNoMatchingKey
        if (isUnknownKey && !isAgain && (await this.#freshen(true))) continue
        // Whatever is wrong with it: it is not signed by the provider.
        return undefined
      }
    }
    return undefined
  }

  /** Gets the keys where they are old, or where one is missing. @returns whether they are new */
  async #freshen(isMissing: boolean): Promise<boolean> {
    const { keys, clock } = this.#options
    if (typeof keys !== 'function') return false
    // Keys that are old are got again, those that are there count meanwhile; so is one that is missing, though not at every turn.
    const leastMs = isMissing || this.#keys === undefined ? MIN_BETWEEN_MS : KEYS_TTL_MS
    const isTooSoon = this.#fetchedAt !== undefined && !isExpired(this.#fetchedAt + leastMs, clock.now())
    if (this.#fetching === undefined && isTooSoon) return false
    this.#fetching ??= this.#fetch(keys).finally(() => {
      this.#fetching = undefined
    })
    const before = this.#keys
    await this.#fetching
    return this.#keys !== before
  }

  async #fetch(keys: () => Promise<JsonWebKeys>): Promise<void> {
    this.#fetchedAt = this.#options.clock.now()
    try {
      this.#keys = await keys()
    } catch {
      // Those of before still count.
    }
  }
}
