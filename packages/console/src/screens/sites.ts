import { figure, span, when } from '../format.js'
import { type Html, html, named, plain } from '../html.js'
import { facts, type Page, table } from '../page.js'
import type { Asked, Screen, Sources } from '../screen.js'
import { ifProvided } from '../trouble.js'

type Operations = Sources['operations']['sites']
type View = Awaited<ReturnType<Operations['list']>>
type Push = Awaited<ReturnType<Operations['pushes']>>[number]
type Sites =
  | { readonly isThere: false }
  | ({ readonly isThere: true; readonly pushes: readonly Push[] } & View)

/** Most pushes that are shown. */
const SHOWN = 20

/** How the links to other sites stand, and what is pushed over them. */
export const sites: Screen<Sites> = {
  path: 'sites',
  api: 'sites',
  title: 'Sites',
  scope: 'deployment',
  liveSeconds: 10,
  load,
  view,
}

async function load(_asked: Asked, { operations }: Sources): Promise<Sites> {
  const found = await ifProvided(() =>
    Promise.all([operations.sites.list(), operations.sites.pushes()] as const),
  )
  if (found === undefined) return { isThere: false }
  const [view, pushes] = found
  return { isThere: true, ...view, pushes: pushes.slice(0, SHOWN) }
}

function view(data: Sites, page: Page): Html {
  if (!data.isThere) return html`<p class="empty">This deployment is not kept in step with another site.</p>`
  return html`${facts([['This site', named(data.site)]])}
${table(
  'Links from here',
  data.links,
  [
    { title: 'Site', of: ({ to }) => named(to) },
    {
      title: 'State',
      of: ({ state, reason }) =>
        html`<span class="${state === 'online' ? '' : 'warn'}">${state}${reason !== undefined && html`, ${plain(reason)}`}</span>`,
    },
    { title: 'Since', of: ({ changedAt }) => changedAt !== undefined && when(changedAt, page.now) },
    { title: 'Seen', of: ({ seenAt }) => seenAt !== undefined && when(seenAt, page.now) },
    { title: 'Behind', of: ({ behind }) => figure(behind), isNumber: true },
  ],
  'No other site is configured.',
)}
${table(
  'Pushes and comparisons',
  data.pushes,
  [
    { title: 'Asked for', of: ({ askedAt }) => when(askedAt, page.now) },
    { title: 'From', of: ({ from }) => named(from) },
    { title: 'To', of: ({ to }) => named(to) },
    { title: 'What', of: ({ mode, spi }) => (spi === 'all' ? mode : html`${mode}, ${named(spi)}`) },
    {
      title: 'Status',
      of: ({ status, error }) =>
        html`<span class="${status === 'paused' || status === 'failed' ? 'warn' : ''}">${status}${error !== undefined && html`: ${plain(error)}`}</span>`,
    },
    { title: 'Partitions', of: ({ partitions: { done, total } }) => `${done} of ${total}`, isNumber: true },
    { title: 'Looked at', of: ({ scanned }) => figure(scanned), isNumber: true },
    { title: 'Told', of: ({ sent }) => figure(sent), isNumber: true },
    { title: 'Left', of: ({ etaMs }) => etaMs !== undefined && span(etaMs), isNumber: true },
  ],
  'Nothing was pushed in the last seven days.',
)}
<p>The command does something about them: <code>authstate site</code>.</p>`
}
