import {
  assertName,
  assertObject,
  assertOptionalName,
  assertSpanMs,
  assertText,
  parseDuration,
} from '@authstate/spi'
import { z } from 'zod'
import type { ConsumeOptions, NewToken, TokenData } from './contract.js'

const DAY_MS = 86_400_000

/** Deepest nesting of a token's data. */
const MAX_DEPTH = 16

const durationMs = z.preprocess(parseDuration, z.int().min(0).max(Number.MAX_SAFE_INTEGER))

/** Properties of both providers. */
export const actionTokenConfig = z.strictObject({
  /** Ceiling on every lifespan; a longer one is cut. Also how long a revoked family stays refused. */
  maxLifespanMs: durationMs.refine((ms) => ms > 0, 'must be above 0').default(30 * DAY_MS),
  /** How long an expired token can still be told from an unknown one. */
  readGraceMs: durationMs.default(0),
  /** Ceiling on the JSON of a token's data. */
  maxDataBytes: z
    .int()
    .min(2)
    .max(16 * 1024 * 1024)
    .default(65_536),
})

/** Properties of a provider, with defaults filled in. */
export type ActionTokenConfig = z.output<typeof actionTokenConfig>

/** A revoked token id, as it is kept elsewhere. */
export interface RevokedToken {
  readonly realmId: string
  readonly tokenId: string
  /** Ms since the epoch. */
  readonly expiresAt: number
}

/** Where a memory store keeps revoked token ids over a restart. */
export interface RevokedTokenSource {
  /** Everything that was saved; what has expired is passed over. Asked once, before the provider serves. */
  load(): Iterable<RevokedToken> | AsyncIterable<RevokedToken> | Promise<Iterable<RevokedToken>>
  /** Keeps one. `revoke` resolves after it. */
  save(revoked: RevokedToken): Promise<void>
}

/** Properties of the memory provider. */
export const memoryActionTokenConfig = actionTokenConfig.extend({
  revokedTokens: z
    .custom<RevokedTokenSource>((value) => isSource(value), 'must have the functions load and save')
    .optional(),
})

/** Properties of the memory provider, with defaults filled in. */
export type MemoryActionTokenConfig = z.output<typeof memoryActionTokenConfig>

/** A {@link NewToken} that was checked, as a store takes it. */
export interface CheckedToken {
  readonly expiresAt: number
  /** JSON. */
  readonly data: string
  /** `''` for none. */
  readonly family: string
  readonly subject: string
}

/** Every verb on one token starts here. */
export function checkKey(realmId: unknown, kind: unknown, key: unknown): void {
  assertName(realmId, 'realmId')
  assertName(kind, 'kind')
  assertName(key, 'key')
}

/** @throws {TypeError | RangeError} naming the part of the token that is wrong */
export function checkToken(token: NewToken, now: number, config: ActionTokenConfig): CheckedToken {
  assertObject(token, 'token')
  assertOptionalName(token.family, 'family')
  assertOptionalName(token.subject, 'subject')
  return {
    expiresAt: expiryOf(token.lifespanMs, now, config),
    data: encodeData(token.data === undefined ? {} : token.data, config.maxDataBytes),
    family: token.family ?? '',
    subject: token.subject ?? '',
  }
}

/** {@link ConsumeOptions} that were checked; `''` stands for what was left out. */
export interface CheckedConsume {
  readonly attempt: string
  readonly graceUntil: number | ''
  readonly successor: string
}

/** @throws {TypeError | RangeError} naming the option that is wrong */
export function checkConsume(
  options: ConsumeOptions,
  now: number,
  config: ActionTokenConfig,
): CheckedConsume {
  assertObject(options, 'options')
  const { attempt, graceMs, successor } = options
  assertOptionalName(attempt, 'attempt')
  if (graceMs !== undefined) assertSpanMs(graceMs, 'graceMs')
  if (successor !== undefined) {
    assertText(successor, 'successor', config.maxDataBytes)
    if (attempt === undefined) throw new TypeError('"successor" needs an "attempt" that can ask for it again')
  }
  return {
    attempt: attempt ?? '',
    graceUntil: graceMs === undefined ? '' : now + graceMs,
    successor: successor ?? '',
  }
}

/** The end of a life that starts now, cut to the ceiling. */
export function expiryOf(lifespanMs: unknown, now: number, config: ActionTokenConfig): number {
  assertSpanMs(lifespanMs, 'lifespanMs')
  return now + Math.min(lifespanMs, config.maxLifespanMs)
}

/** Gone at `expiresAt`, not a millisecond later. */
export function isExpired(expiresAt: number, now: number): boolean {
  return expiresAt <= now
}

/**
 * The JSON of a token's data.
 *
 * @throws {TypeError} something in it is no JSON value
 * @throws {RangeError} it is longer than the ceiling
 */
export function encodeData(data: unknown, maxBytes: number): string {
  assertObject(data, 'data')
  checkJson(data, 0)
  const text = JSON.stringify(data)
  const bytes = Buffer.byteLength(text)
  if (bytes > maxBytes)
    throw new RangeError(`"data" must have at most ${maxBytes} bytes of JSON, got ${bytes}`)
  return text
}

/** `undefined` for what this version can not read. */
export function decodeData(text: string): TokenData | undefined {
  try {
    const data: unknown = JSON.parse(text)
    return typeof data === 'object' && data !== null && !Array.isArray(data) ? (data as TokenData) : undefined
  } catch {
    return undefined
  }
}

function checkJson(value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw new TypeError(`"data" must not be nested deeper than ${MAX_DEPTH} levels`)
  if (value === null || typeof value === 'boolean') return
  if (typeof value === 'string') {
    assertText(value, 'data: a value')
    return
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('"data" must hold finite numbers only')
    return
  }
  if (Array.isArray(value)) {
    for (const item of value) checkJson(item, depth + 1)
    return
  }
  if (typeof value !== 'object' || ![Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    throw new TypeError(
      '"data" must hold JSON values only: objects, lists, strings, numbers, booleans and null',
    )
  }
  for (const [name, item] of Object.entries(value)) {
    if (name === '__proto__') throw new TypeError('"data" must not have a property named "__proto__"')
    assertText(name, 'data: a name')
    checkJson(item, depth + 1)
  }
}

function isSource(value: unknown): boolean {
  const { load, save } = (value ?? {}) as Partial<RevokedTokenSource>
  return typeof load === 'function' && typeof save === 'function'
}
