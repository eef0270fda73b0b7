/**
 * A cache provider for @node-saml/node-saml over the action tokens of authstate: the ids of SAML requests are known on every node,
 * and of the posts of one response, however many and wherever, exactly one is let in.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { hash } from 'node:crypto'
import type { ActionTokenProvider } from '@authstate/action-token'
import {
  assertLifespan,
  assertName,
  assertOptions,
  assertText,
  type Known,
  systemClock,
} from '@authstate/spi'

/** Where requests are kept: what `createAuthState` answers, or whatever else has the provider. */
export interface SamlCacheState {
  readonly actionTokens: ActionTokenProvider
}

/** How requests are kept. */
export interface SamlCacheOptions {
  /** The realm of the requests: one per service provider that shares the deployment. @default 'saml' */
  readonly realmId?: string | undefined
  /**
   * How long a response may take, whole ms above 0: the `requestIdExpirationPeriodMs` of node-saml. @default 28_800_000
   */
  readonly lifespanMs?: number | undefined
}

/** What node-saml gets for a request that was stored. */
export interface CacheItem {
  value: string
  /** Ms since the epoch. */
  createdAt: number
}

/** What node-saml calls: its `CacheProvider`. */
export interface SamlCacheProvider {
  /** Keeps a request. `null` when its id is taken: the request of before stays. */
  saveAsync(key: string, value: string): Promise<CacheItem | null>
  /** What was kept of a request, `null` when there is none. */
  getAsync(key: string): Promise<string | null>
  /**
   * Spends a request, for one caller: of N at once, on whatever nodes, exactly one resolves.
   *
   * @returns the key; `null` when there is no key, or when the validation that spent the request asks again, as node-saml does
   *   when it refuses a response for another reason
   * @throws {Error} somebody else spent the request, or it is unknown. node-saml drops what this answers, so that only a
   *   rejection keeps a second post out
   */
  removeAsync(key: string | null): Promise<string | null>
}

const OPTIONS: Known<SamlCacheOptions> = { realmId: true, lifespanMs: true }

const KIND = 'saml-request'
const EIGHT_HOURS_MS = 28_800_000

/** Whether the validation that this belongs to spent its request. */
interface Mark {
  isSpent: boolean
}

/** A look at a request. node-saml looks once or twice in a validation, and spends the request only then. */
interface Look {
  readonly id: string
  /** Its own, and that of the look that came before it in the same validation. */
  readonly marks: readonly [Mark, Mark?]
}

/**
 * A `cacheProvider` for `new SAML({ cacheProvider, validateInResponseTo })`.
 *
 * @param state What `createAuthState` answers. The provider does not close it.
 * @throws {TypeError | RangeError} an option is wrong
 * @throws {ConfigurationError} `lifespanMs` is longer than `actionTokens.limits` allow
 */
export function cacheProvider(state: SamlCacheState, options: SamlCacheOptions = {}): SamlCacheProvider {
  assertOptions<SamlCacheOptions>(options, 'options', OPTIONS)
  const { realmId = 'saml', lifespanMs = EIGHT_HOURS_MS } = options
  assertName(realmId, 'realmId')
  const { actionTokens } = state
  assertLifespan(lifespanMs, 'lifespanMs', { name: 'action-token', limits: actionTokens.limits })
  const looks = new AsyncLocalStorage<Look>()

  async function find(id: string): Promise<string | null> {
    const found = await actionTokens.get(realmId, KIND, id)
    return typeof found?.data['value'] === 'string' ? found.data['value'] : null
  }

  return {
    async saveAsync(key, value) {
      assertText(value, 'value')
      const createdAt = (actionTokens.clock ?? systemClock).now()
      const token = { data: { value }, lifespanMs }
      const isStored = await actionTokens.putIfAbsent(realmId, KIND, idOf(key), token)
      return isStored ? { value, createdAt } : null
    },

    async getAsync(key) {
      const id = idOf(key)
      const before = looks.getStore()
      const mark: Mark = { isSpent: false }
      // Before anything is awaited: so it is known to what the caller does next, and to nobody beside it.
      looks.enterWith({ id, marks: before?.id === id ? [mark, before.marks[0]] : [mark] })
      return find(id)
    },

    async removeAsync(key) {
      if (key === null || key === undefined) return null
      const id = idOf(key)
      const look = looks.getStore()
      const marks = look?.id === id ? look.marks : []
      if (marks[0]?.isSpent) return null
      const taken = await actionTokens.take(realmId, KIND, id)
      if (taken === undefined)
        throw new Error(
          'InResponseTo is not valid: another response to the request was accepted, or the request is unknown or has expired',
        )
      for (const mark of marks) if (mark !== undefined) mark.isSpent = true
      return key
    },
  }
}

/** Ids come from responses that are not verified yet: they may be anything, of any length. */
function idOf(key: string): string {
  if (typeof key !== 'string') throw new TypeError('"key" must be a string')
  return hash('sha256', key, 'base64url')
}
