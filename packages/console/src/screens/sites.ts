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
    { title: 'Sent', of: ({ sent }) => figure(sent), isNumber: true },
    { title: 'Left', of: ({ etaMs }) => etaMs !== undefined && span(etaMs), isNumber: true },
    ...(page.can('manageSites') ? [{ title: 'Control', of: (push: Push) => control(push, page) }] : []),
  ],
  'Nothing was pushed in the last seven days.',
)}
${actions([...new Set(data.links.map(({ to }) => to))], page)}
<p>The command <code>authstate site</code> does the same, compares sites, and repairs what differs.</p>`
}

/** What can be done to a push that is not over. */
function control({ id, status }: Push, page: Page): Html | undefined {
  const first = status === 'paused' ? 'resume' : 'pause'
  if (!['queued', 'running', 'paused'].includes(status)) return undefined
  return page.form(
    'manageSites',
    'sites/pushes/control',
    html`<input type="hidden" name="push" value="${id}"><p class="buttons">${[first, 'cancel'].map((value) => page.button(value === 'resume' ? 'Resume' : value === 'pause' ? 'Pause' : 'Cancel', { name: 'do', value }))}</p>`,
  )
}

/** What can be done about links. */
function actions(names: readonly string[], page: Page): Html {
  if (names.length === 0) return html``
  const buttons = (text: string) =>
    html`<p class="buttons">${names.map((value) => page.button(html`${text} ${named(value)}`, { name: 'site', value }))}</p>`
  return html`${page.form('manageSites', 'sites/online', html`<h2>Bring online</h2><p>Nodes of this site send the other one what it missed.</p>${buttons('Bring online:')}`)}
${page.form('manageSites', 'sites/push', html`<h2>Push everything</h2><p>For a site that lost its data. It goes on beside logins.</p>${buttons('Push to')}`)}
${page.form(
  'manageSites',
  'sites/offline',
  html`<h2>Take offline</h2><p>Nodes of this site send the other one nothing more, until you bring it online. What changes meanwhile is remembered.</p>
<label>Site <select name="site">${names.map((name) => html`<option value="${name}">${plain(name)}</option>`)}</select></label>
<label>Its name, typed once more <input name="typed" required maxlength="512" autocomplete="off" spellcheck="false"></label>${page.button('Take offline')}`,
)}`
}
