import type { Fact } from '../finding.js'
import { COLORS, draw } from './draw.js'
import { byGroup } from './result.js'

/** Operations against Redis at 64 callers, in the order of the picture. */
const CELLS = ['get', 'get one client', 'light touch', 'full touch', 'create', 'failure', 'single use']
const ROW = 17
const TOP = 70

interface Row {
  readonly label: string
  readonly value?: number
}

/** One bar for each implementation, under the name of its operation. `undefined` when nothing of it was measured. */
export function drawBars(
  facts: readonly Fact[],
  key: string,
  title: string,
  subtext: string,
): string | undefined {
  const groups = byGroup(facts)
  const rows = CELLS.filter((cell) => groups.has(cell)).flatMap((cell): Row[] => [
    { label: `{cell|${cell}}` },
    ...(groups.get(cell) ?? []).map(({ name, values }) => ({ label: name, value: Number(values[key]) })),
  ])
  if (rows.length === 0) return undefined
  return draw(TOP + rows.length * ROW + 20, title, subtext, {
    grid: { top: TOP, left: 260, right: 70, bottom: 20 },
    xAxis: { type: 'value', axisLabel: { show: false } },
    yAxis: {
      type: 'category',
      inverse: true,
      data: rows.map(({ label }) => label),
      axisTick: { show: false },
      axisLabel: { interval: 0, fontSize: 11, rich: { cell: { fontSize: 12, fontWeight: 'bold' } } },
    },
    series: [
      {
        type: 'bar',
        barWidth: ROW - 5,
        label: { show: true, position: 'right', fontSize: 11, formatter: labelOf },
        data: rows.map(({ label, value }) => ({
          value: value ?? null,
          itemStyle: { color: colorOf(label) },
        })),
      },
    ],
  })
}

const labelOf = ({ value }: { readonly value: number | null }): string =>
  value === null ? '' : value.toLocaleString('en-GB', { maximumSignificantDigits: 3 })

function colorOf(name: string): string {
  if (name === 'authstate') return COLORS.ours
  return name.startsWith('authstate') ? COLORS.oursOtherwise : COLORS.others
}
