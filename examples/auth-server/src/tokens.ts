import type { Clock } from 'authstate'
import { type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { randomSecret } from './secrets.js'
import { ALGORITHM, type SigningKey } from './signing-key.js'

/** What a user allowed a client, and when: all tokens of one sign-in come from one grant. */
export interface Grant {
  readonly userId: string
  readonly sessionId: string
  readonly clientId: string
  readonly scope: string
  /** Everything that came from one authorization code. */
  readonly family: string
  /** When the user typed the password, in ms. */
  readonly authenticatedAt: number
}

/** A refresh token as its own issuer reads it. */
export interface RefreshToken extends Grant {
  readonly tokenId: string
  readonly issuedAt: number
}

/** An access token as userinfo reads it. */
export interface AccessToken {
  readonly userId: string
  readonly sessionId: string
  readonly clientId: string
  readonly scope: string
  readonly tokenId: string
}

/** Signs and reads the tokens of one issuer. A token that is forged, foreign, of another type or over reads as `undefined`. */
export interface Tokens {
  /** @see RFC 9068 */
  signAccess(grant: Grant, tokenId: string, lifespanMs: number): Promise<string>
  readAccess(token: string): Promise<AccessToken | undefined>
  signRefresh(grant: Grant, tokenId: string, issuedAt: number, expiresAt: number): Promise<string>
  readRefresh(token: string): Promise<RefreshToken | undefined>
  /** @see OpenID Connect Core 1.0 §2 */
  signId(grant: Grant, claims: JWTPayload, lifespanMs: number): Promise<string>
  /** An ID token that comes back as a hint; it may be over. */
  readIdHint(token: string): Promise<{ sessionId: string; clientId: string } | undefined>
}

type Type = 'at+jwt' | 'rt+jwt' | 'JWT'

export const newTokenId = randomSecret

export function createTokens(issuer: string, key: SigningKey, clock: Clock): Tokens {
  const sign = (type: Type, claims: JWTPayload, expiresAt: number, issuedAt = clock.now()): Promise<string> =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, kid: key.kid, typ: type })
      .setIssuer(issuer)
      .setIssuedAt(seconds(issuedAt))
      .setExpirationTime(seconds(expiresAt))
      .sign(key.privateKey)

  const read = async (type: Type, token: string, currentDate: Date): Promise<Claims | undefined> => {
    try {
      const options = { issuer, typ: type, algorithms: [ALGORITHM], currentDate }
      return (await jwtVerify<Claims>(token, key.publicKey, options)).payload
    } catch {
      return undefined
    }
  }
  const now = (): Date => new Date(clock.now())

  return {
    signAccess: (grant, tokenId, lifespanMs) =>
      sign('at+jwt', { ...claimsOf(grant), aud: issuer, jti: tokenId }, clock.now() + lifespanMs),
    async readAccess(token) {
      const claims = await read('at+jwt', token, now())
      return (
        claims && {
          userId: claims.sub,
          sessionId: claims.sid,
          clientId: claims.client_id,
          scope: claims.scope,
          tokenId: claims.jti,
        }
      )
    },
    signRefresh: (grant, tokenId, issuedAt, expiresAt) =>
      sign(
        'rt+jwt',
        {
          ...claimsOf(grant),
          aud: issuer,
          jti: tokenId,
          family: grant.family,
          auth_ms: grant.authenticatedAt,
          iat_ms: issuedAt,
        },
        expiresAt,
        issuedAt,
      ),
    async readRefresh(token) {
      const claims = await read('rt+jwt', token, now())
      return (
        claims && {
          userId: claims.sub,
          sessionId: claims.sid,
          clientId: claims.client_id,
          scope: claims.scope,
          tokenId: claims.jti,
          family: claims.family,
          authenticatedAt: claims.auth_ms,
          issuedAt: claims.iat_ms,
        }
      )
    },
    signId: ({ userId, sessionId, clientId, authenticatedAt }, claims, lifespanMs) =>
      sign(
        'JWT',
        { ...claims, sub: userId, sid: sessionId, aud: clientId, auth_time: seconds(authenticatedAt) },
        clock.now() + lifespanMs,
      ),
    async readIdHint(token) {
      // Any time will do: a hint is read long after the token is over.
      const claims = await read('JWT', token, new Date(0))
      return claims && { sessionId: claims.sid, clientId: claims.aud as string }
    },
  }
}

/** What we wrote, signature checked: `typ` says which of these are there. */
interface Claims extends JWTPayload {
  readonly sub: string
  readonly sid: string
  readonly jti: string
  readonly client_id: string
  readonly scope: string
  readonly family: string
  readonly auth_ms: number
  readonly iat_ms: number
}

const claimsOf = ({ userId, sessionId, clientId, scope }: Grant): JWTPayload => ({
  sub: userId,
  sid: sessionId,
  client_id: clientId,
  scope,
})

const seconds = (ms: number): number => Math.floor(ms / 1000)
