import { createHash } from 'node:crypto'
import {
  assertName,
  assertText,
  type Clock,
  ConfigurationError,
  isExpired,
  type Keyring,
} from '@authstate/spi'
import { type DerivedKeyring, deriveKeyring, markIn, NO_SITE_MARK, withMark } from '@authstate/spi/internal'
import * as v from 'valibot'
import { checkConsumeSigned, checkNewActionToken, expiryOf } from './checks.js'
import type { ActionTokenConfig } from './config.js'
import type { ActionToken, ActionTokenProvider, NewActionToken, VerifyOutcome } from './contract.js'
import { loadJose } from './jose.js'

/** The namespace of signed tokens in the store. */
const KIND = 'action'
const TYPE = 'action+jwt'
const ALGORITHM = 'HS512'
const MAX_TOKEN_LENGTH = 8_192

const claimsSchema = v.object({
  rlm: v.string(),
  sub: v.string(),
  act: v.string(),
  nonce: v.string(),
  // Seconds with a fraction, which NumericDate allows: RFC 7519 §2.
  exp: v.pipe(v.number(), v.gtValue(0)),
})

type Claims = v.InferOutput<typeof claimsSchema>

/** Signs action tokens and redeems them through a provider's own verbs. */
export class SignedTokens {
  readonly #store: Pick<ActionTokenProvider, 'mintKey' | 'put' | 'get' | 'consume'>
  readonly #keys: DerivedKeyring | undefined
  readonly #clock: Clock
  readonly #config: ActionTokenConfig

  /** @param keyring Without one nothing can be issued, and every token is invalid. */
  constructor(
    store: Pick<ActionTokenProvider, 'mintKey' | 'put' | 'get' | 'consume'>,
    keyring: Keyring | undefined,
    clock: Clock,
    config: ActionTokenConfig,
  ) {
    this.#store = store
    this.#keys = keyring && deriveKeyring(keyring, 'action-token signature')
    this.#clock = clock
    this.#config = config
  }

  /** As {@link ActionTokenProvider.issueActionToken}. */
  async issue(realmId: string, token: NewActionToken): Promise<string> {
    assertName(realmId, 'realmId')
    checkNewActionToken(token)
    assertName(token.userId, 'userId')
    assertName(token.actionId, 'actionId')
    const nonce = token.nonce ?? this.#store.mintKey()
    assertName(nonce, 'nonce')
    const expiresAt = expiryOf(token, this.#clock.now(), this.#config)
    if (this.#keys === undefined) {
      throw new ConfigurationError(
        'action-token: signed tokens need a "keyring" in the configuration, the same on every node',
      )
    }
    const claims: Claims = {
      rlm: realmId,
      sub: token.userId,
      act: token.actionId,
      nonce,
      exp: expiresAt / 1000,
    }
    const { id, secret } = this.#keys.current
    const { CompactSign } = await loadJose()
    const signed = await new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid: id })
      .sign(secret)
    await this.#store.put(realmId, KIND, storeKey(claims), {
      expiresAt,
      data: token.data,
      subject: token.userId,
    })
    return signed
  }

  /** As {@link ActionTokenProvider.verifyActionToken}. */
  async verify(realmId: string, token: string, actionId: string): Promise<VerifyOutcome> {
    const claims = await this.#claims(realmId, token, actionId)
    if (claims === undefined) return { outcome: 'invalid' }
    if (isExpired(expiryOfClaims(claims), this.#clock.now())) return { outcome: 'expired' }
    const record = await this.#store.get(realmId, KIND, storeKey(claims))
    if (record === undefined) return { outcome: 'invalid' }
    const verified = toActionToken(claims, record.data)
    const { consumedAt } = record
    return consumedAt === undefined
      ? { outcome: 'valid', token: verified }
      : { outcome: 'used', token: verified, consumedAt }
  }

  /** As {@link ActionTokenProvider.consumeActionToken}. */
  async consume(
    realmId: string,
    token: string,
    actionId: string,
    options?: { readonly attempt?: string | undefined },
  ): Promise<VerifyOutcome> {
    checkConsumeSigned(options)
    const claims = await this.#claims(realmId, token, actionId)
    if (claims === undefined) return { outcome: 'invalid' }
    if (isExpired(expiryOfClaims(claims), this.#clock.now())) return { outcome: 'expired' }
    const result = await this.#store.consume(realmId, KIND, storeKey(claims), options)
    switch (result.outcome) {
      case 'consumed':
        return { outcome: 'valid', token: toActionToken(claims, result.data) }
      case 'used':
        return { outcome: 'used', token: toActionToken(claims, result.data), consumedAt: result.consumedAt }
      case 'expired':
        return { outcome: 'expired' }
      case 'unknown':
        return { outcome: 'invalid' }
    }
  }

  /** The claims of a token that this deployment signed for this realm and action. */
  async #claims(realmId: string, token: string, actionId: string): Promise<Claims | undefined> {
    assertName(realmId, 'realmId')
    assertText(token, 'token')
    assertName(actionId, 'actionId')
    const keys = this.#keys
    if (keys === undefined || token.length > MAX_TOKEN_LENGTH) return undefined
    const { compactVerify, errors } = await loadJose()
    try {
      const { payload } = await compactVerify(
        token,
        ({ kid }) => {
          const key = kid === undefined ? undefined : keys.find(kid)
          if (key === undefined) throw new errors.JWKSNoMatchingKey()
          return key.secret
        },
        { algorithms: [ALGORITHM] },
      )
      const claims = v.parse(claimsSchema, JSON.parse(Buffer.from(payload).toString('utf8')))
      return claims.rlm === realmId && claims.act === actionId ? claims : undefined
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof SyntaxError || v.isValiError(error))
        return undefined
      throw error
    }
  }
}

/** Names the whole subject, so that a proof for one user and action is none for another. It has the mark of the site that issued it. */
function storeKey({ sub, act, nonce }: Claims): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([sub, act, nonce]))
    .digest('base64url')
  const mark = markIn(nonce)
  return mark === undefined || mark === NO_SITE_MARK ? digest : withMark(digest.slice(0, 21), mark)
}

const expiryOfClaims = ({ exp }: Claims): number => Math.round(exp * 1000)

function toActionToken(claims: Claims, data: ActionToken['data']): ActionToken {
  return {
    userId: claims.sub,
    actionId: claims.act,
    nonce: claims.nonce,
    expiresAt: expiryOfClaims(claims),
    data,
  }
}
