import { type Finding, isMet } from '../finding.js'
import { COLORS, draw } from './draw.js'
import { orderOf } from './table.js'

const ROW = 20
const TOP = 70

interface Point {
  readonly label: string
  readonly value: number
  readonly band: readonly [number, number]
  readonly color: string
}

/** Each ratio over its target, with its band: at the right of the line is better than wanted. */
export function drawRatios(findings: readonly Finding[]): string | undefined {
  const points = findings
    .flatMap((finding) => (finding.band === undefined ? [] : [pointOf(finding, finding.band)]))
    .sort((a, b) => orderOf(a.target) - orderOf(b.target))
  if (points.length === 0) return undefined
  const ends = points.flatMap(({ band }) => band)
  const title = 'how far each ratio is from its target, with its 95 % band'
  const subtext = '1 is the target, 2 is twice as good as wanted; orange: missed'
  return draw(TOP + points.length * ROW + 30, title, subtext, {
    grid: { top: TOP, left: 470, right: 30, bottom: 30 },
    xAxis: {
      type: 'log',
      logBase: 2,
      min: 2 ** Math.floor(Math.log2(Math.min(...ends))),
      max: 2 ** Math.ceil(Math.log2(Math.max(...ends))),
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: points.map(({ label }) => label),
      axisTick: { show: false },
      axisLabel: { interval: 0, fontSize: 10, width: 460, overflow: 'truncate' },
    },
    series: [bands(points), values(points)],
  })
}

/** A ratio that has to be small is turned round, so that one direction is good for all. */
function pointOf(
  { target, name, value, bound }: Finding,
  [low, high]: readonly [number, number],
): Point & { readonly target: string } {
  const over = (x: number) => ('atMost' in bound ? bound.atMost / x : x / bound.atLeast)
  const [one, other] = [over(low), over(high)]
  return {
    target,
    label: `${target} ${name}`,
    value: over(value),
    band: [Math.min(one, other), Math.max(one, other)],
    color: isMet(value, bound) ? COLORS.ours : COLORS.missed,
  }
}

const bands = (points: readonly Point[]) => ({
  type: 'custom',
  renderItem: (
    { dataIndex }: { readonly dataIndex: number },
    api: { value(i: number): number; coord(point: number[]): number[] },
  ) => {
    const [x1, y] = api.coord([api.value(1), api.value(0)]) as [number, number]
    const [x2] = api.coord([api.value(2), api.value(0)]) as [number, number]
    const stroke = points[dataIndex]?.color
    return { type: 'line', shape: { x1, y1: y, x2, y2: y }, style: { stroke, lineWidth: 5, opacity: 0.4 } }
  },
  data: points.map(({ band }, row) => [row, ...band]),
  encode: { x: [1, 2], y: 0 },
})

const values = (points: readonly Point[]) => ({
  type: 'scatter',
  symbolSize: 8,
  data: points.map(({ value, color }, row) => ({ value: [value, row], itemStyle: { color, opacity: 1 } })),
  markLine: {
    silent: true,
    symbol: 'none',
    label: { show: false },
    lineStyle: { color: COLORS.line, type: 'solid', width: 1 },
    data: [{ xAxis: 1 }],
  },
})
