import {
  assertBoolean,
  assertInstant,
  assertJson,
  assertKnown,
  assertName,
  assertObject,
  assertOneOf,
  assertOptionalName,
  assertSpanMs,
  assertText,
  type CheckedPage,
  checkPage,
  type Known,
} from '@authstate/spi'
import { isPlainObject } from '@authstate/spi/internal'
import type { ActionTokenConfig } from './config.js'
import type {
  ConsumeOptions,
  FamilyRevocation,
  Lifetime,
  ListOptions,
  NewActionToken,
  NewToken,
} from './contract.js'
import type { Attempt, Listed, TokenDraft } from './rules.js'
import type { Revocation } from './store.js'

/** The last instant that a date can say. */
const LAST_INSTANT = 8_640_000_000_000_000

const LIFETIME: Known<Lifetime> = { lifespanMs: true, expiresAt: true }
const NEW_TOKEN: Known<NewToken> = { ...LIFETIME, data: true, family: true, subject: true }
const CONSUME: Known<ConsumeOptions> = { attempt: true, graceMs: true, successor: true }
const NEW_ACTION_TOKEN: Known<NewActionToken> = {
  ...LIFETIME,
  userId: true,
  actionId: true,
  nonce: true,
  data: true,
}
const GET: Known<{ readonly includeExpired?: boolean | undefined }> = { includeExpired: true }
const LIST: Known<ListOptions> = { limit: true, cursor: true, kind: true, consumed: true }
const REVOCATION: Known<FamilyRevocation> = { ...LIFETIME, refuse: true, consumed: true }
const COUNT: Known<{ readonly windowMs: number }> = { windowMs: true }
const CONSUME_SIGNED: Known<Pick<ConsumeOptions, 'attempt'>> = { attempt: true }

/** Every verb on one token starts here. */
export function checkKey(realmId: unknown, kind: unknown, key: unknown): void {
  assertName(realmId, 'realmId')
  assertName(kind, 'kind')
  assertName(key, 'key')
}

/** @throws {TypeError | RangeError} naming the part of the token that is wrong */
export function checkToken(token: NewToken, now: number, config: ActionTokenConfig): TokenDraft {
  assertKnown(token, 'token', NEW_TOKEN)
  assertOptionalName(token.family, 'family')
  assertOptionalName(token.subject, 'subject')
  return {
    expiresAt: expiryOf(token, now, config),
    data: encodeData(token.data === undefined ? {} : token.data, config.maxDataBytes),
    family: token.family ?? '',
    subject: token.subject ?? '',
  }
}

/** Whether `get` also answers what has expired. @throws {TypeError} naming the option that is wrong */
export function checkGet(options: { readonly includeExpired?: boolean | undefined }): boolean {
  assertKnown(options, 'options', GET)
  const { includeExpired = false } = options
  assertBoolean(includeExpired, 'includeExpired')
  return includeExpired
}

/** @throws {TypeError} the claims are no object, or one of them is unknown */
export function checkNewActionToken(token: NewActionToken): void {
  assertKnown(token, 'token', NEW_ACTION_TOKEN)
}

/** @throws {TypeError} naming the option that is wrong */
export function checkConsumeSigned(options: Pick<ConsumeOptions, 'attempt'> | undefined): void {
  if (options === undefined) return
  assertKnown(options, 'options', CONSUME_SIGNED)
  assertOptionalName(options.attempt, 'attempt')
}

/** @throws {TypeError | RangeError} naming the option that is wrong */
export function checkConsume(
  options: ConsumeOptions,
  now: number,
  { readGraceMs, maxDataBytes }: ActionTokenConfig,
): Attempt {
  assertKnown(options, 'options', CONSUME)
  const { attempt, graceMs, successor } = options
  assertOptionalName(attempt, 'attempt')
  if (graceMs !== undefined) assertSpanMs(graceMs, 'graceMs')
  if (successor !== undefined) {
    assertText(successor, 'successor', maxDataBytes)
    if (attempt === undefined) throw new TypeError('"successor" needs an "attempt" that can ask for it again')
  }
  return {
    name: attempt ?? '',
    graceUntil: graceMs === undefined ? undefined : now + graceMs,
    successor: successor ?? '',
    now,
    goneBy: now - readGraceMs,
  }
}

/**
 * The end of a token's life, as it was asked for. It may have passed when an instant was given.
 *
 * @throws {RangeError} it is further away than the ceiling
 */
export function expiryOf(
  life: number | Lifetime,
  now: number,
  { maxLifespanMs }: Pick<ActionTokenConfig, 'maxLifespanMs'>,
): number {
  const expiresAt = endOf(life, now)
  if (expiresAt - now <= maxLifespanMs) return expiresAt
  const isSpan = typeof life === 'number' || life.lifespanMs !== undefined
  throw new RangeError(
    isSpan
      ? `"lifespanMs" must be at most ${maxLifespanMs}, the "maxLifespanMs" of action-token`
      : `"expiresAt" must be at most ${maxLifespanMs} ms away, the "maxLifespanMs" of action-token`,
  )
}

/**
 * The end of a mark, as it was asked for: no ceiling shortens what protects. It may have passed when an instant was given.
 *
 * @param life A number is a `lifespanMs`.
 * @throws {TypeError | RangeError} naming what is wrong
 */
export function endOf(life: number | Lifetime, now: number): number {
  const { lifespanMs, expiresAt } = typeof life === 'object' && life !== null ? life : { lifespanMs: life }
  if (expiresAt === undefined) assertSpanMs(lifespanMs, 'lifespanMs')
  else if (lifespanMs !== undefined)
    throw new TypeError('"lifespanMs" and "expiresAt" must not both be given')
  else assertInstant(expiresAt, 'expiresAt')
  const end = expiresAt ?? now + (lifespanMs as number)
  if (end > LAST_INSTANT) {
    const name = expiresAt === undefined ? 'lifespanMs' : 'expiresAt'
    throw new RangeError(`"${name}" must not lead beyond the last instant of a date, ${LAST_INSTANT}`)
  }
  return end
}

/** {@link endOf}, of what a caller says of a mark and nothing else. @param name What it is called in a message. */
export function endOfMark(life: number | Lifetime, now: number, name: string): number {
  if (isPlainObject(life)) assertKnown(life, name, LIFETIME)
  return endOf(life, now)
}

/** @throws {TypeError | RangeError} naming the option that is wrong */
export function checkRevocation(
  revocation: FamilyRevocation,
  now: number,
  { maxLifespanMs }: Pick<ActionTokenConfig, 'maxLifespanMs'>,
): Revocation {
  assertKnown(revocation, 'revocation', REVOCATION)
  const { lifespanMs, expiresAt, refuse = true, consumed = 'keep' } = revocation
  assertBoolean(refuse, 'refuse')
  assertOneOf(consumed, 'consumed', ['keep', 'remove'])
  const hasEnd = lifespanMs !== undefined || expiresAt !== undefined
  if (hasEnd && !refuse) throw new TypeError('"refuse" must not be false beside an end of the refusal')
  const until = endOf(hasEnd ? (revocation as Lifetime) : maxLifespanMs, now)
  return { until: refuse ? until : undefined, consumed: consumed === 'remove' }
}

/** @throws {TypeError | RangeError} naming the option that is wrong */
export function checkList(options: ListOptions = {}): CheckedPage & Listed {
  assertKnown(options, 'options', LIST)
  const { limit, cursor, kind, consumed = false } = options
  assertOptionalName(kind, 'kind')
  assertBoolean(consumed, 'consumed')
  return { ...checkPage({ limit, cursor }), kind, consumed }
}

/** The window of a count, ms. @throws {TypeError | RangeError} naming what is wrong */
export function checkCount(
  options: { readonly windowMs: number },
  { maxLifespanMs }: Pick<ActionTokenConfig, 'maxLifespanMs'>,
): number {
  assertKnown(options, 'options', COUNT)
  const { windowMs } = options
  assertSpanMs(windowMs, 'windowMs')
  if (windowMs <= maxLifespanMs) return windowMs
  throw new RangeError(`"windowMs" must be at most ${maxLifespanMs}, the "maxLifespanMs" of action-token`)
}

/**
 * The JSON of a token's data.
 *
 * @throws {TypeError} something in it is no JSON value
 * @throws {RangeError} it is longer than the ceiling
 */
export function encodeData(data: unknown, maxBytes: number): string {
  assertObject(data, 'data')
  assertJson(data, 'data')
  const text = JSON.stringify(data)
  const bytes = Buffer.byteLength(text)
  if (bytes > maxBytes)
    throw new RangeError(
      `"data" must have at most ${maxBytes} bytes of JSON, the "maxDataBytes" of action-token, got ${bytes}`,
    )
  return text
}
