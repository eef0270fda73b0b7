import { assertFunction, assertOptions, type JsonValue, type Known } from '@authstate/spi'
import type { ClientTargets } from './contract.js'

/** What is signed. */
export type Claims = Readonly<Record<string, JsonValue>>

/** How and for whom something is signed. */
export interface SigningRequest {
  readonly realmId: string
  readonly clientId: string
  /** `typ` of the header. */
  readonly typ: 'logout+jwt' | 'secevent+jwt' | 'JWT'
  /** What the client's `alg` says. */
  readonly alg?: string | undefined
}

/** What the application knows and a store does not. Each function may be asked for every message. */
export interface ApplicationNodeOptions {
  /** Where a client is reached. `undefined` for one that does not exist or is disabled: nothing is sent to it. */
  readonly clients: (
    realmId: string,
    clientId: string,
  ) => ClientTargets | undefined | Promise<ClientTargets | undefined>
  /** The clients of a realm, for announcements that name none. Left out: such an announcement must name them. */
  readonly clientIds?: ((realmId: string) => readonly string[] | Promise<readonly string[]>) | undefined
  /** `iss` of the tokens: `hostname.issuer`, or a function of yours. */
  readonly issuer: (realmId: string) => string
  /** Signs claims as a compact JWS, with the keys and the algorithm of the realm. Never with `none`. */
  readonly sign: (claims: Claims, request: SigningRequest) => string | Promise<string>
  /** `sub` of a user at a client, where it is not the user id. */
  readonly subjectOf?:
    | ((realmId: string, userId: string, clientId: string) => string | Promise<string>)
    | undefined
  /**
   * Whether a user has a session at a client that began after an instant, ms since the epoch. Asked
   * before a token without `sid` is sent, because that would end such a session as well. Left out:
   * no user has one.
   */
  readonly hasNewerSession?:
    | ((realmId: string, userId: string, clientId: string, at: number) => boolean | Promise<boolean>)
    | undefined
}

const OPTIONS: Known<ApplicationNodeOptions> = {
  clients: true,
  clientIds: true,
  issuer: true,
  sign: true,
  subjectOf: true,
  hasNewerSession: true,
}

/** @throws {TypeError} naming the option that is wrong */
export function checkOptions(options: unknown): asserts options is ApplicationNodeOptions {
  assertOptions<ApplicationNodeOptions>(options, 'options', OPTIONS)
  const { clients, clientIds, issuer, sign, subjectOf, hasNewerSession } = options
  for (const [name, value] of Object.entries({ clients, issuer, sign })) assertFunction(value, name)
  for (const [name, value] of Object.entries({ clientIds, subjectOf, hasNewerSession })) {
    if (value !== undefined) assertFunction(value, name)
  }
}
