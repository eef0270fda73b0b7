import type { Output, Surroundings } from './surroundings.js'

/** How an answer is printed. */
export interface Format {
  readonly json?: boolean | undefined
  readonly jsonl?: boolean | undefined
}

/** A column of a table. */
export interface Column<Row> {
  readonly title: string
  readonly of: (row: Row) => string | undefined
  /** The one that is cut when a line is too long. */
  readonly canShrink?: boolean
}

const COLOURS = { red: 31, yellow: 33, green: 32, dim: 2, bold: 1 } as const

/** Text in a colour, where a person reads along and has not said NO_COLOR. */
export function painter({ env }: Surroundings, { isTerminal }: Output) {
  const isPainted = isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  return (colour: keyof typeof COLOURS, text: string): string =>
    isPainted ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text
}

/** A text from outside on one line: nothing in it moves the cursor or paints. */
export const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?')

/** One object, for a program. */
export const jsonOf = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`

/** One object in each line, for a program. */
export const jsonLinesOf = (values: readonly unknown[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('')

/** Rows under their titles. On a terminal a line is not longer than it. */
export function tableOf<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { isTerminal, columns: width }: Output,
): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ of }) => plain(of(row) ?? '–') || '–')),
  ]
  const widths = columns.map((_, n) => Math.max(...cells.map((line) => line[n]?.length ?? 0)))
  const whole = widths.reduce((sum, of) => sum + of + 2, -2)
  const shrinking = columns.findIndex(({ canShrink }) => canShrink === true)
  if (isTerminal && whole > width && shrinking >= 0) {
    widths[shrinking] = Math.max(8, (widths[shrinking] ?? 0) - (whole - width))
  }
  const lineOf = (line: readonly string[]): string =>
    line
      .map((cell, n) => cut(cell, widths[n] ?? 0).padEnd(widths[n] ?? 0))
      .join('  ')
      .trimEnd()
  return `${cells.map(lineOf).join('\n')}\n`
}

const cut = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, Math.max(width - 1, 0))}…` : text

const SPANS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const

/** `3 min ago`, `in 9 h`, `now`. */
export function relative(at: number, now: number): string {
  const away = Math.abs(at - now)
  const [span, unit] = SPANS.find(([ms]) => away >= ms) ?? [0, '']
  if (span === 0) return 'now'
  const text = `${Math.floor(away / span)} ${unit}`
  return at < now ? `${text} ago` : `in ${text}`
}

/** `2026-11-29 09:12:00Z`. */
export const instant = (at: number): string =>
  new Date(at).toISOString().replace('T', ' ').replace(/\.\d+/, '')

/** `1 session`, `2 sessions`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
