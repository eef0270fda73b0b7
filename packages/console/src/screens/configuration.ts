import type { Description } from 'authstate'
import { type Html, html, named, plain } from '../html.js'
import { facts, type Page, table } from '../page.js'
import type { Asked, Screen, Sources } from '../screen.js'

/** What is selected, why, and with which properties. */
export const configuration: Screen<Description> = {
  path: 'config',
  api: 'config',
  title: 'Configuration',
  scope: 'deployment',
  load: async (_asked: Asked, { operations }: Sources) => operations.configuration(),
  view,
}

const LONGEST = 200

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  return plain(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text)
}

function view({ node, spis }: Description, _page: Page): Html {
  return html`<p>Changed by the application and a restart. Secrets are not shown.</p>
${facts([
  ['This node', named(node.name)],
  ['Site', node.site],
])}
${Object.entries(spis).map(
  ([
    name,
    { selected, reason, properties },
  ]) => html`<h2>${name}</h2><p>${selected === undefined ? 'no provider' : html`<b>${selected}</b>`}, because: ${reason}</p>
${table(
  `Properties of ${name}`,
  Object.entries(properties),
  [
    { title: 'Property', of: ([property]) => property },
    { title: 'Value', of: ([, { value }]) => html`<code>${shown(value)}</code>` },
    { title: 'From', of: ([, { origin }]) => String(origin) },
  ],
  'It has no properties.',
)}`,
)}`
}
