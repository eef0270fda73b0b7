import { BarChart, CustomChart, ScatterChart } from 'echarts/charts'
import { GridComponent, LegendComponent, MarkLineComponent, TitleComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { byGroup, type Result } from './result.js'

use([
  BarChart,
  CustomChart,
  ScatterChart,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TitleComponent,
  SVGRenderer,
])

const WIDTH = 900
/** Told apart also by those who do not see all colours (Okabe and Ito). */
const COLORS = ['#0072b2', '#56b4e9', '#999999', '#e69f00', '#d55e00', '#009e73', '#cc79a7']
/** Operations against Redis at 64 callers, in the order of the pictures. */
const CELLS = ['get', 'get one client', 'light touch', 'full touch', 'create', 'failure', 'single use']

/** Pictures of a result by the names of their files. What was not measured is not drawn. */
export function picturesOf(result: Result): ReadonlyMap<string, string> {
  const pictures = new Map<string, string>()
  const bars = (file: string, title: string, key: string) => {
    const groups = byGroup(result.facts)
    const cells = CELLS.filter((cell) => groups.has(cell))
    if (cells.length === 0) return
    const names = [...new Set(cells.flatMap((cell) => groups.get(cell)?.map(({ name }) => name) ?? []))]
    const value = (cell: string, name: string) =>
      groups.get(cell)?.find((fact) => fact.name === name)?.values[key]
    pictures.set(
      file,
      draw(450, {
        color: COLORS,
        title: { text: title, left: 'center', textStyle: { fontSize: 15 } },
        legend: { top: 34, width: 640, itemGap: 24, itemWidth: 16, textStyle: { fontSize: 10 } },
        grid: { top: 120, left: 70, right: 20, bottom: 40 },
        xAxis: { type: 'category', data: cells },
        yAxis: { type: 'value' },
        series: names.map((name) => ({
          type: 'bar',
          name,
          barGap: '5%',
          data: cells.map((cell) => value(cell, name) ?? null),
        })),
      }),
    )
  }
  bars('throughput.svg', 'operations per second, 64 callers, one process each (more is better)', 'ops/s')
  bars('cpu.svg', 'client CPU per operation in microseconds, 64 callers (less is better)', 'client CPU us/op')
  const ratios = drawRatios(result)
  if (ratios !== undefined) pictures.set('ratios.svg', ratios)
  return pictures
}

/** Each ratio over its target, with its band: at the right of the line is better than wanted. */
function drawRatios({ findings }: Result): string | undefined {
  const banded = findings.filter(({ band }) => band !== undefined)
  if (banded.length === 0) return undefined
  // A ratio that has to be small is turned round, so that one direction is good for all.
  const points = banded.map(({ target, name, value, bound, band = [value, value] }) => {
    const over = (x: number) => ('atMost' in bound ? bound.atMost / x : x / bound.atLeast)
    return { label: `${target} ${name}`, value: over(value), band: band.map(over).sort((a, b) => a - b) }
  })
  return draw(60 + banded.length * 22, {
    title: {
      text: 'how far from the target, with the 95 % band (1 is the target)',
      left: 'center',
      textStyle: { fontSize: 15 },
    },
    grid: { top: 40, left: 470, right: 30, bottom: 30 },
    xAxis: { type: 'log', logBase: 2, min: 'dataMin' },
    yAxis: {
      type: 'category',
      inverse: true,
      data: points.map(({ label }) => label),
      axisLabel: { fontSize: 10, width: 460, overflow: 'truncate' },
    },
    series: [
      {
        type: 'custom',
        renderItem: (_: unknown, api: { value(i: number): number; coord(point: number[]): number[] }) => {
          const [x1, y] = api.coord([api.value(1), api.value(0)]) as [number, number]
          const [x2] = api.coord([api.value(2), api.value(0)]) as [number, number]
          return { type: 'line', shape: { x1, y1: y, x2, y2: y }, style: { stroke: '#56b4e9', lineWidth: 5 } }
        },
        data: points.map(({ band }, row) => [row, ...band]),
        encode: { x: [1, 2], y: 0 },
      },
      {
        type: 'scatter',
        symbolSize: 9,
        itemStyle: { color: '#0072b2' },
        data: points.map(({ value }, row) => [value, row]),
        markLine: {
          silent: true,
          symbol: 'none',
          label: { show: false },
          lineStyle: { color: '#d55e00', type: 'solid' },
          data: [{ xAxis: 1 }],
        },
      },
    ],
  })
}

function draw(height: number, option: object): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height })
  chart.setOption({ animation: false, backgroundColor: '#ffffff', ...option })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}
