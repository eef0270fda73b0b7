import type { ListedToken } from '@authstate/action-token'
import { allItems, assertName, assertOptions, type Known } from '@authstate/spi'
import type { WebSession } from '@authstate/web-session'
import { keyOf, objectOf, textOf } from './models.js'
import type { SessionContext } from './sessions.js'
import type { Shared } from './tokens.js'

/** A session of a user, for a page of devices. It does not name the id that the browser holds. */
export interface AccountSession {
  /** Names it to {@link Accounts.endSession} and in `session.uid` of oidc-provider. */
  readonly uid: string
  /** Clients that the user went to in it. */
  readonly clientIds: readonly string[]
  /** When the user signed in, ms since the epoch, by the clock of oidc-provider. */
  readonly signedInAt?: number
  /** When it was used last, ms since the epoch. */
  readonly savedAt: number
  /** Ms since the epoch. */
  readonly expiresAt: number
}

/** What a user allowed a client. */
export interface AccountGrant {
  readonly grantId: string
  readonly clientId: string
  /** What was granted for OpenID Connect, and of each resource. */
  readonly scopes: readonly string[]
  /** When it was made, ms since the epoch, by the clock of oidc-provider. */
  readonly createdAt?: number
  /** Ms since the epoch. */
  readonly expiresAt: number
}

/** Which sessions are ended. */
export interface EndSessionsOptions {
  /** `uid` of the session that stays: the one that the user is looking at. */
  readonly except?: string | undefined
}

/** More for an application, about its users. */
export interface Accounts {
  /** The living sessions of a user, in no order. */
  sessionsOf(accountId: string): Promise<AccountSession[]>

  /** Ends one, by its uid, with the tokens that are bound to it. @returns whether it was alive */
  endSession(uid: string): Promise<boolean>

  /**
   * Ends every session of a user, with the tokens that are bound to them, and refuses sign-ins under way. Tokens that outlive
   * a session stay: revoke their grants.
   *
   * @returns how many were alive
   */
  endSessions(accountId: string, options?: EndSessionsOptions): Promise<number>

  /** What a user allowed clients, in no order: for a page of connected applications. */
  grantsOf(accountId: string): Promise<AccountGrant[]>

  /** Revokes a grant and every token that came from it. Safe to repeat. */
  revokeGrant(grantId: string): Promise<void>
}

const EXCEPT: Known<EndSessionsOptions> = { except: true }
const SECOND_MS = 1_000

/** Sessions and grants by their user, over what the adapters store. */
export function accountsOf(
  { sessions, options: { realmId } }: SessionContext,
  { tokens, grants }: Shared,
): Accounts {
  const keyOfSession = async (uid: string): Promise<string | undefined> => {
    assertName(uid, 'uid')
    return (await sessions.find(realmId, keyOf(uid)))?.id
  }
  return {
    async sessionsOf(accountId) {
      assertName(accountId, 'accountId')
      const all = await allItems((page) => sessions.listByUser(realmId, accountId, page))
      return all.map(sessionOf)
    },
    async endSession(uid) {
      const key = await keyOfSession(uid)
      return key !== undefined && sessions.remove(realmId, key, { generation: uid })
    },
    async endSessions(accountId, endOptions = {}) {
      assertName(accountId, 'accountId')
      assertOptions<EndSessionsOptions>(endOptions, 'options', EXCEPT)
      const except = endOptions.except === undefined ? undefined : await keyOfSession(endOptions.except)
      return sessions.removeByUser(realmId, accountId, except === undefined ? {} : { except })
    },
    async grantsOf(accountId) {
      assertName(accountId, 'accountId')
      const all = await allItems((page) =>
        tokens.listBySubject(realmId, accountId, { kind: 'Grant', ...page }),
      )
      return all.map(grantOf)
    },
    async revokeGrant(grantId) {
      assertName(grantId, 'grantId')
      await Promise.all([grants.revokeTokens(grantId), grants.end(grantId)])
    },
  }
}

function sessionOf({ generation: uid, data, savedAt, expiresAt }: WebSession): AccountSession {
  const { loginTs, authorizations } = data
  return {
    uid,
    clientIds: Object.keys(objectOf(authorizations)),
    ...(typeof loginTs === 'number' && { signedInAt: loginTs * SECOND_MS }),
    savedAt,
    expiresAt,
  }
}

function grantOf({ data, expiresAt }: ListedToken): AccountGrant {
  const { jti, clientId, iat, openid, resources } = data
  const scopes = [objectOf(openid)['scope'], ...Object.values(objectOf(resources))].flatMap(
    (scope) => textOf(scope)?.split(' ') ?? [],
  )
  return {
    grantId: textOf(jti) ?? '',
    clientId: textOf(clientId) ?? '',
    scopes: [...new Set(scopes)],
    ...(typeof iat === 'number' && { createdAt: iat * SECOND_MS }),
    expiresAt,
  }
}
