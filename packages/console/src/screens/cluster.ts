import { when } from '../format.js'
import { type Html, html, named } from '../html.js'
import { facts, type Page, table } from '../page.js'
import type { Asked, Screen, Sources } from '../screen.js'
import { ifProvided } from '../trouble.js'

type View = Awaited<ReturnType<Sources['operations']['cluster']['nodes']>>
type Nodes = { readonly isThere: false } | ({ readonly isThere: true } & View)

/** Which nodes live. */
export const cluster: Screen<Nodes> = {
  path: 'cluster',
  api: 'cluster',
  title: 'Cluster',
  scope: 'deployment',
  liveSeconds: 10,
  load,
  view,
}

async function load(_asked: Asked, { operations }: Sources): Promise<Nodes> {
  const view = await ifProvided(() => operations.cluster.nodes())
  return view === undefined ? { isThere: false } : { isThere: true, ...view }
}

const CHANNEL = {
  live: 'messages of the other nodes arrive',
  'catching-up': 'messages arrive again, those that were missed are being read',
  disconnected: 'no message arrives: caches of this node answer nothing from memory',
} as const

function view(data: Nodes, page: Page): Html {
  if (!data.isThere) return html`<p class="empty">Nodes do not know of one another in this deployment.</p>`
  const { nodes, version, channel } = data
  return html`${facts([
    [
      'Work channel of this node',
      html`<span class="${channel === 'live' ? '' : 'warn'}">${channel}: ${CHANNEL[channel]}</span>`,
    ],
    ['Version of the view', String(version)],
  ])}
${table(
  'Nodes',
  nodes,
  [
    {
      title: 'Node',
      of: ({ name, isThis }) => html`${named(name)}${isThis && html` <small>this one</small>`}`,
    },
    { title: 'Site', of: ({ site }) => site },
    { title: 'Joined', of: ({ joinedAt }) => when(joinedAt, page.now) },
  ],
  'No node lives.',
)}`
}
