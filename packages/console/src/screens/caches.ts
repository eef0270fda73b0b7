import { figure, span } from '../format.js'
import { type Html, html, named, plain } from '../html.js'
import { type Page, table } from '../page.js'
import type { Asked, Screen, Sources } from '../screen.js'
import { ifProvided } from '../trouble.js'

type Figures = Awaited<ReturnType<Sources['operations']['caches']['statsOfNodes']>>
type Region = Figures['nodes'][number]['regions'][string]

interface Caches {
  /** `false`: nothing is cached in this deployment. */
  readonly isThere: boolean
  readonly nodes: Figures['nodes']
  /** Nodes that did not answer in time. */
  readonly silent: readonly string[]
}

const WAIT_MS = 500

/** What caches of every node did. */
export const caches: Screen<Caches> = {
  path: 'cache',
  api: 'cache',
  title: 'Caches',
  scope: 'deployment',
  liveSeconds: 20,
  load,
  view,
}

async function load(_asked: Asked, { operations }: Sources): Promise<Caches> {
  const stats = await ifProvided(() => operations.caches.statsOfNodes({ waitMs: WAIT_MS }))
  return stats === undefined ? { isThere: false, nodes: [], silent: [] } : { isThere: true, ...stats }
}

function view({ isThere, nodes, silent }: Caches, page: Page): Html {
  if (!isThere) return html`<p class="empty">Nothing is cached in this deployment.</p>`
  const rows = nodes.flatMap(({ node, isThis, regions }) =>
    Object.entries(regions).map(([region, stats]) => ({ node, isThis, region, stats })),
  )
  type Row = (typeof rows)[number]
  const number = (title: string, of: (stats: Region) => string | number) => ({
    title,
    of: ({ stats }: Row) => of(stats),
    isNumber: true,
  })
  const ownRegions = [...new Set(rows.filter(({ isThis }) => isThis).map(({ region }) => region))]
  return html`${silent.length > 0 && html`<p class="warn">Not all nodes answered within ${WAIT_MS} ms. Missing: ${silent.map(plain).join(', ')}.</p>`}
${table(
  'Regions of every node',
  rows,
  [
    { title: 'Region', of: ({ region }) => named(region) },
    {
      title: 'Node',
      of: ({ node, isThis }) => html`${named(node)}${isThis && html` <small>this one</small>`}`,
    },
    number('Size', ({ size }) => figure(size)),
    number('Hits', ({ hits }) => figure(hits)),
    number('Misses', ({ misses }) => figure(misses)),
    number('Hit rate', ({ hitRate }) => `${Math.round(hitRate * 100)} %`),
    number('Went past', ({ bypasses }) => figure(bypasses)),
    number('Load failures', ({ loadFailures }) => figure(loadFailures)),
    number('Outages', ({ outages, outageMs }) =>
      outages === 0 ? 0 : `${figure(outages)}, ${span(outageMs)}`,
    ),
  ],
  'No node has opened a region yet.',
)}
${
  rows.length > 0 &&
  page.form(
    'clearCache',
    'cache/clear',
    html`<h2>Clear</h2><p>On every node.</p><p class="buttons">${ownRegions.map((region) => page.button(html`Clear ${named(region)}`, { name: 'region', value: region }))} ${page.button('Clear all regions')}</p>`,
  )
}`
}
