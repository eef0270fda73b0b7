import { BarChart, CustomChart, ScatterChart } from 'echarts/charts'
import { GridComponent, MarkLineComponent, TitleComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'

use([BarChart, CustomChart, ScatterChart, GridComponent, MarkLineComponent, TitleComponent, SVGRenderer])

const WIDTH = 900

/** Told apart also by those who do not see all colours (Okabe and Ito). */
export const COLORS = {
  ours: '#0072b2',
  oursOtherwise: '#56b4e9',
  others: '#999999',
  missed: '#d55e00',
  line: '#000000',
} as const

export function draw(height: number, title: string, subtext: string, option: object): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height })
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: {
      ...{ text: title, subtext, left: 'center', top: 8, itemGap: 6 },
      textStyle: { fontSize: 15 },
      subtextStyle: { fontSize: 12, color: '#444444' },
    },
    ...option,
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}
