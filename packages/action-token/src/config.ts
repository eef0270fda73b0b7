import { parseDuration } from '@authstate/spi'
import * as v from 'valibot'
import type { ActionTokenLimits } from './contract.js'

const DAY_MS = 86_400_000

/** Longest span of the configuration: a century. */
const MAX_SPAN_MS = 36_525 * DAY_MS

const wholeNumber = (least: number, most: number) =>
  v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(least), v.maxValue(most))
const spanMs = (least: number, most: number) =>
  v.pipe(
    v.union([v.number(), v.string()]),
    v.transform((given) => parseDuration(given)),
    wholeNumber(least, most),
  )

/** The properties that every provider has, as entries of a schema. */
const properties = {
  /**
   * Ceiling on the life of a token; a longer one is refused. Also how long a revoked family is refused by
   * default.
   */
  maxLifespanMs: v.optional(spanMs(1, MAX_SPAN_MS), 30 * DAY_MS),
  /** How long an expired token is distinguished from an unknown one. */
  readGraceMs: v.optional(spanMs(0, MAX_SPAN_MS), 0),
  /** Ceiling on the JSON of a token's data. */
  maxDataBytes: v.optional(wholeNumber(2, 16 * 1024 * 1024), 65_536),
}

/** Properties of both providers. */
export const actionTokenConfig = v.strictObject(properties)

/** Properties of a provider, with defaults filled in. */
export type ActionTokenConfig = v.InferOutput<typeof actionTokenConfig>

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
export const memoryActionTokenConfig = v.strictObject({
  ...properties,
  /** Where revoked token ids outlive the process. @default nowhere */
  revokedTokens: v.optional(
    v.custom<RevokedTokenSource>((value) => isSource(value), 'must have the functions load and save'),
  ),
})

/** Properties of the memory provider, with defaults filled in. */
export type MemoryActionTokenConfig = v.InferOutput<typeof memoryActionTokenConfig>

/** What a provider tells of its properties. */
export function limitsOf({ maxLifespanMs, readGraceMs, maxDataBytes }: ActionTokenConfig): ActionTokenLimits {
  return Object.freeze({ maxLifespanMs, readGraceMs, maxDataBytes })
}

function isSource(value: unknown): boolean {
  const { load, save } = (value ?? {}) as Partial<RevokedTokenSource>
  return typeof load === 'function' && typeof save === 'function'
}
