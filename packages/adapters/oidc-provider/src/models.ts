import { createHash } from 'node:crypto'
import type { JsonValue } from '@authstate/spi'

/** What oidc-provider stores of a model: an object that JSON can say. */
export type Payload = Readonly<Record<string, unknown>>

/** A payload as JSON has it: what is `undefined` is not there. */
export type PlainPayload = Readonly<Record<string, JsonValue>>

/** The methods of an adapter that oidc-provider calls, of one model. */
export interface Adapter {
  /** Stores a model, new or changed. Without `expiresIn`, seconds, it has no end of its own. */
  upsert(id: string, payload: Payload, expiresIn?: number): Promise<void>
  /** What was stored, with `consumed` once it was redeemed; `undefined` when there is nothing. */
  find(id: string): Promise<Payload | undefined>
  /** The device code of a user code. */
  findByUserCode(userCode: string): Promise<Payload | undefined>
  /** The session of a uid. */
  findByUid(uid: string): Promise<Payload | undefined>
  /** Redeems it: of several calls exactly one succeeds. The others reject with an error of OAuth. */
  consume(id: string): Promise<void>
  /** Forgets it. */
  destroy(id: string): Promise<void>
  /** Forgets every token that came from a grant, of whatever model. */
  revokeByGrantId(grantId: string): Promise<void>
}

/** Models that fall with their grant. */
const GRANTABLE: ReadonlySet<string> = new Set([
  'AccessToken',
  'AuthorizationCode',
  'RefreshToken',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
  'PreAuthorizedCode',
])

/** The grant that a token falls with. */
export function familyOf(model: string, { grantId }: Payload): string | undefined {
  return GRANTABLE.has(model) ? textOf(grantId) : undefined
}

/** The account of a model. For an interaction it is the user who signed in, before or in it. */
export function accountOf(payload: Payload): string | undefined {
  return (
    textOf(payload['accountId']) ?? signedInBy(payload) ?? textOf(objectOf(payload['session'])['accountId'])
  )
}

/** The user who signed in, in an interaction that was finished. */
export function signedInBy({ result }: Payload): string | undefined {
  return textOf(objectOf(objectOf(result)['login'])['accountId'])
}

/**
 * The key of a model that clients or browsers name. It has a fixed length, and a person who reads
 * the store cannot present it.
 */
export const keyOf = (id: string): string => createHash('sha256').update(id).digest('base64url')

/** @throws {TypeError} JSON cannot say it */
export const plain = (payload: Payload): PlainPayload => JSON.parse(JSON.stringify(payload)) as PlainPayload

export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

export const objectOf = (value: unknown): Payload =>
  typeof value === 'object' && value !== null ? (value as Payload) : {}
