const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const DURATION = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*$/

/** A span as text, such as `'30m'`: what a property named `…Ms` may be given as, beside a number. */
export type Duration = `${number}${keyof typeof UNIT_MS}`

/**
 * Turns `'500ms'`, `'30s'`, `'30m'`, `'12h'` and `'30d'` into milliseconds and passes anything else through, so
 * that a schema behind it judges what is left.
 *
 * @returns Whole milliseconds for a duration; `value` itself for everything else, plain numbers included, and for a duration that
 *   is no whole number of them: rounded, `'0.4ms'` would be 0, which often means "none".
 */
export function parseDuration(value: string | number): string | number
export function parseDuration(value: unknown): unknown
export function parseDuration(value: unknown): unknown {
  const match = typeof value === 'string' ? DURATION.exec(value) : null
  if (!match) return value
  const ms = Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]
  const whole = Math.round(ms)
  // 1.1 s are 1100.0000000000002 ms in binary.
  return Math.abs(ms - whole) < 1e-6 ? whole : value
}
