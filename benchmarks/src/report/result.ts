import type { Fact, Finding, Missing } from '../finding.js'

/** Everything one run has measured: what `--json` writes. */
export interface Result {
  readonly machine: string
  readonly rounds: number
  readonly findings: readonly Finding[]
  readonly missing: readonly Missing[]
  readonly facts: readonly Fact[]
}

/** Facts by their group, in the order in which they were measured. */
export function byGroup(facts: readonly Fact[]): ReadonlyMap<string, readonly Fact[]> {
  const groups = new Map<string, Fact[]>()
  for (const fact of facts) groups.set(fact.group, [...(groups.get(fact.group) ?? []), fact])
  return groups
}

/** A group as a table: a row for each name, a column for each value that any of them has. */
export function tableOf(facts: readonly Fact[]): { columns: string[]; rows: string[][] } {
  const keys = [...new Set(facts.flatMap(({ values }) => Object.keys(values)))]
  return {
    columns: ['', ...keys],
    rows: facts.map(({ name, values }) => [name, ...keys.map((key) => String(values[key] ?? ''))]),
  }
}
