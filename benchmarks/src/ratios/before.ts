// npm run bench -- --before DIR: what a change did, as ratios of one run. Its runners take turns with ours.
import type { Group, Ratio } from './comparison.js'
import { OURS } from './plan.js'

const BEFORE = 'authstate before'

/** What may be noise between two runs of the same code on a machine that others use. */
const UNCHANGED = { throughput: 0.9, cpu: 1.1, server: 1.1 }

/** The groups that measure our code, with the code of the other checkout in each cell beside ours. */
export function besideBefore(groups: readonly Group[], checkout: string): readonly Group[] {
  return groups.flatMap((group) => {
    const ours = group.runners[OURS]
    if (ours === undefined) return []
    const cells = Object.entries(group.cells).map(([name, cell]) => {
      const runners = cell.runners.includes(OURS) ? [...cell.runners, BEFORE] : cell.runners
      return [name, { ...cell, runners }] as const
    })
    return [
      {
        ...group,
        runners: { ...group.runners, [BEFORE]: { ...ours, checkout } },
        cells: Object.fromEntries(cells),
        ratios: [...group.ratios, ...ratiosOf(group)],
      },
    ]
  })
}

/** One for each target and cell in which our code runs. */
function ratiosOf({ ratios, cells }: Group): readonly Ratio[] {
  const measured = new Map(ratios.map(({ target, cell }) => [`${target} ${cell}`, { target, cell }]))
  return [...measured.values()]
    .filter(({ cell }) => cells[cell]?.runners.includes(OURS))
    .map(({ target, cell }) => ({ target, cell, of: OURS, over: BEFORE, ...UNCHANGED }))
}
