import { figure } from './format.js'
import { type Html, html } from './html.js'

const WIDTH = 240
const HEIGHT = 48

/** A line over the last hours. Nothing was counted yet where a value is absent. */
export function chart(title: string, values: readonly (number | undefined)[], spanText: string): Html {
  const known = values.filter((value) => value !== undefined)
  const now = known.at(-1)
  const most = Math.max(1, ...known)
  const step = WIDTH / Math.max(1, values.length - 1)
  const points = values.flatMap((value, n) =>
    value === undefined
      ? []
      : [`${(n * step).toFixed(1)},${(HEIGHT - 2 - (value / most) * (HEIGHT - 4)).toFixed(1)}`],
  )
  const words =
    now === undefined
      ? `${title}: nothing counted yet`
      : `${title}, the last ${spanText}: now ${figure(now)}, most ${figure(Math.max(...known))}`
  return html`<figure class="chart"><figcaption>${title} <b>${now === undefined ? '–' : figure(now)}</b></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${words}" preserveAspectRatio="none"><polyline points="${points.join(' ')}"/></svg>
<small>${words.replace(`${title}, `, '').replace(`${title}: `, '')}</small></figure>`
}
