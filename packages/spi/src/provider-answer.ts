/**
 * The words that verbs answer, of every SPI of this library. The list is closed: what tells of a call tells one of these and no
 * other text, because a verb may also answer a token or an id.
 */
export const PROVIDER_ANSWERS = [
  'absent',
  'true',
  'false',
  'done',
  'created',
  'gone',
  'refused',
  'rotated',
  'reused',
  'stale',
  'stored',
  'conflict',
  'consumed',
  'used',
  'expired',
  'unknown',
  'valid',
  'invalid',
  'success',
  'failure',
  'locked',
  'busy',
  'cleared',
  'executed',
  'completed',
  'failed',
  'registered',
  'renewed',
] as const

/** The word that a verb answered. `absent` stands for `undefined`. */
export type ProviderAnswer = (typeof PROVIDER_ANSWERS)[number]

const WORDS: ReadonlySet<unknown> = /* @__PURE__ */ new Set(PROVIDER_ANSWERS)

/**
 * The word in what a verb answered: the answer itself, or its `outcome`. `undefined` where there is none, as for a record, a
 * count, or any text that is not in the list.
 */
export function answerOf(value: unknown): ProviderAnswer | undefined {
  if (value === undefined) return 'absent'
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value === 'string') return wordOf(value)
  if (typeof value !== 'object' || value === null) return undefined
  try {
    return wordOf((value as { outcome?: unknown }).outcome)
  } catch {
    // A task of the application may answer an object that nobody may look into.
    return undefined
  }
}

const wordOf = (text: unknown): ProviderAnswer | undefined =>
  typeof text === 'string' && WORDS.has(text) ? (text as ProviderAnswer) : undefined
