import type { ActionTokenProvider, TokenRecord } from '@authstate/action-token'
import { ConfigurationError, type JsonValue } from '@authstate/spi'
import type { Grants } from './grants.js'
import type { RedemptionLease } from './lease.js'
import {
  type Adapter,
  accountOf,
  familyOf,
  keyOf,
  type Payload,
  type PlainPayload,
  plain,
  signedInBy,
  textOf,
} from './models.js'
import { invalidGrant, invalidRequest, invalidRequestUri } from './oauth-error.js'
import { type CheckedOptions, tooLong } from './options.js'
import type { Requests } from './requests.js'

/** What the adapters of all models share. */
export interface Shared {
  readonly tokens: ActionTokenProvider
  readonly options: CheckedOptions
  readonly requests: Requests
  readonly grants: Grants
  /** Absent where requests do not wait for each other. */
  readonly lease: RedemptionLease | undefined
}

/** How long the id of a proof is remembered behind its end: what checks it may allow so much for clocks. */
const REPLAY_GRACE_S = 60

/** Beside the payload of an interaction that was finished: when, ms since the epoch. */
const FINISHED_AT = 'authstate:finishedAt'

/** The adapter of every model but sessions and clients. */
export class TokenAdapter implements Adapter {
  readonly #model: string
  readonly #shared: Shared

  constructor(model: string, shared: Shared) {
    this.#model = model
    this.#shared = shared
  }

  async upsert(id: string, payload: Payload, expiresIn?: number): Promise<void> {
    if (this.#model === 'ReplayDetection') return this.#remember(id, plain(payload), expiresIn ?? 0)
    const { tokens, options } = this.#shared
    const lifespanMs = lifespanOf(this.#model, expiresIn, this.#shared)
    const key = keyOf(id)
    const userCode = textOf(payload['userCode'])
    // Before the code, so that whoever sees the code also finds it.
    if (userCode !== undefined)
      await tokens.put(options.realmId, `${this.#model}:userCode`, keyOf(userCode), {
        data: { key },
        lifespanMs,
      })
    await tokens.put(options.realmId, this.#model, key, {
      data: this.#dataOf(payload),
      lifespanMs,
      family: familyOf(this.#model, payload),
      subject: accountOf(payload),
    })
  }

  async find(id: string): Promise<Payload | undefined> {
    const key = keyOf(id)
    if (this.#model === 'RefreshToken') await this.#shared.lease?.take(key)
    return this.#read(key)
  }

  async findByUserCode(userCode: string): Promise<Payload | undefined> {
    const { tokens, options } = this.#shared
    const alias = await tokens.get(options.realmId, `${this.#model}:userCode`, keyOf(userCode), {
      includeExpired: true,
    })
    const key = textOf(alias?.data['key'])
    return key === undefined ? undefined : this.#read(key)
  }

  async findByUid(): Promise<undefined> {
    return undefined
  }

  async consume(id: string): Promise<void> {
    const { tokens, options, grants } = this.#shared
    const consumed = await tokens.consume(options.realmId, this.#model, keyOf(id))
    if (consumed.outcome === 'consumed') return
    if (this.#model === 'PushedAuthorizationRequest') throw invalidRequestUri()
    if (consumed.outcome !== 'used') throw invalidGrant('the token expired or was revoked meanwhile')
    await grants.replayed(this.#model, id, familyOf(this.#model, consumed.data))
    throw invalidGrant('the token was redeemed by another request meanwhile')
  }

  async destroy(id: string): Promise<void> {
    if (this.#model === 'Grant') return this.#shared.grants.end(id)
    await this.#shared.tokens.remove(this.#shared.options.realmId, this.#model, keyOf(id))
  }

  revokeByGrantId(grantId: string): Promise<void> {
    return this.#shared.grants.revokeTokens(grantId)
  }

  async #read(key: string): Promise<Payload | undefined> {
    const { tokens, options } = this.#shared
    const record = await tokens.get(options.realmId, this.#model, key, { includeExpired: true })
    if (record === undefined) return undefined
    if (this.#model === 'Grant' && record.consumedAt !== undefined) return undefined
    // What has no end of its own is not checked by oidc-provider.
    if (record.expired && record.data['exp'] === undefined) return undefined
    if (this.#model === 'Interaction') return this.#resumed(record.data)
    return withConsumed(record)
  }

  #dataOf(payload: Payload): PlainPayload {
    const data = plain(payload)
    const now = this.#shared.tokens.clock?.now()
    if (this.#model !== 'Interaction' || signedInBy(payload) === undefined || now === undefined) return data
    return { ...data, [FINISHED_AT]: now }
  }

  /** The payload of an interaction. The request that reads it goes on with it. */
  async #resumed({ [FINISHED_AT]: finishedAt, ...payload }: PlainPayload): Promise<Payload> {
    const accountId = signedInBy(payload)
    const request = await this.#shared.requests.current()
    if (request !== undefined && accountId !== undefined && typeof finishedAt === 'number')
      request.signIn = { accountId, finishedAt }
    return payload
  }

  /** Stores the id of a proof that may be used once. @throws {OAuthError} it was used before */
  async #remember(id: string, data: PlainPayload, expiresIn: number): Promise<void> {
    const { tokens, options } = this.#shared
    const lifespanMs = Math.ceil((Math.max(expiresIn, 0) + REPLAY_GRACE_S) * SECOND_MS)
    if (lifespanMs > tokens.limits.maxLifespanMs)
      throw invalidRequest('the proof lives longer than its use can be remembered')
    const isFirst = await tokens.putIfAbsent(options.realmId, this.#model, keyOf(id), { data, lifespanMs })
    if (!isFirst) throw invalidRequest('the proof was used before')
  }
}

const SECOND_MS = 1_000

/** @throws {ConfigurationError} naming what would have to be configured */
export function lifespanOf(
  model: string,
  expiresIn: number | undefined,
  { tokens, options }: Pick<Shared, 'tokens' | 'options'>,
): number {
  if (expiresIn === undefined) {
    if (options.defaultTtlMs !== undefined) return options.defaultTtlMs
    throw new ConfigurationError(
      `oidc-provider gives a ${model} no end, and nothing is kept for ever: set "ttl.${model}" of oidc-provider, or "defaultTtlMs" of the adapter`,
    )
  }
  const { maxLifespanMs } = tokens.limits
  // What ended while it was worked on can still be told from what is unknown.
  const lifespanMs = Math.max(Math.ceil(expiresIn * SECOND_MS), 1)
  if (lifespanMs > maxLifespanMs) throw tooLong(model, expiresIn, 'action-token', maxLifespanMs)
  return lifespanMs
}

/** What a model says itself about its redemption goes before what the store knows. */
function withConsumed({ data, consumedAt }: TokenRecord): Payload {
  if (consumedAt === undefined || data['consumed']) return data
  const consumed: JsonValue = Math.floor(consumedAt / SECOND_MS)
  return { ...data, consumed }
}
