import { table } from '../../../tools/lib/table.mjs'
import { type Bound, type Finding, isMet, type Missing } from '../finding.js'
import { TARGETS } from '../measures.js'
import { REASONS } from './reasons.js'

export const COLUMNS = ['target', 'what', 'wanted', 'measured', 'band', 'met', 'made of'] as const

/** The rows of the main table, in the order of the targets. */
export function rowsOf(findings: readonly Finding[], missing: readonly Missing[]): string[][] {
  const rows = [
    ...findings.map((finding) => ({ target: finding.target, cells: cellsOf(finding) })),
    ...missing.map(({ target, name, reason }) => ({
      target,
      cells: [target, name, '', '', '', 'not measured', reason],
    })),
  ]
  return rows.sort((a, b) => orderOf(a.target) - orderOf(b.target)).map(({ cells }) => cells)
}

function cellsOf({ target, name, value, unit, bound, goal, band, detail }: Finding): string[] {
  const met = isMet(value, bound) ? (goal && isMet(value, goal) ? 'yes, and the goal' : 'yes') : 'MISSED'
  return [
    target,
    name,
    textOfBound(bound) + (goal ? ` (goal ${textOfBound(goal)})` : ''),
    `${textOf(value)} ${unit}`,
    band ? `${textOf(band[0])}–${textOf(band[1])}` : '',
    met,
    detail ?? '',
  ]
}

const textOfBound = (bound: Bound) => ('atMost' in bound ? `≤ ${bound.atMost}` : `≥ ${bound.atLeast}`)

const textOf = (value: number) =>
  Number.isInteger(value) || Math.abs(value) >= 100 ? String(Math.round(value)) : value.toFixed(2)

/** The targets that were missed, each with the reason for missing it. */
export function missedOf(findings: readonly Finding[]): string[] {
  const missed = new Set(
    findings.filter(({ value, bound }) => !isMet(value, bound)).map(({ target }) => target),
  )
  return [...missed]
    .sort((a, b) => orderOf(a) - orderOf(b))
    .map((target) => `${target}: ${REASONS[target] ?? 'not understood yet.'}`)
}

/** Where a target stands among all of them. */
export const orderOf = (target: string) => TARGETS.indexOf(target)

export const markdownTable = (columns: readonly string[], rows: readonly (readonly string[])[]): string =>
  [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

/** For the terminal: columns of equal width, the widest cut nowhere. */
export function plainTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)))
  return table([columns, widths.map((width) => '-'.repeat(width)), ...rows])
}
