import { when } from '../format.js'
import { type Html, html, named, plain } from '../html.js'
import { type Page, table } from '../page.js'
import type { Asked, Screen, Sources } from '../screen.js'
import { cursorOf, limitOf } from './sessions.js'

type Line = Awaited<ReturnType<Sources['operations']['audit']['read']>>['items'][number]

interface Audit {
  /** `false`: the state has none, or it cannot be read here. */
  readonly isThere: boolean
  readonly items: readonly Line[]
  readonly cursor?: string
}

/** Which actor did what, and with what outcome. */
export const audit: Screen<Audit> = {
  path: 'audit',
  api: 'audit',
  title: 'Audit',
  scope: 'all',
  load,
  view,
}

async function load({ operator, realms, realmId, query }: Asked, sources: Sources): Promise<Audit> {
  const { operations, seals } = sources
  if (!operations.audit.canRead) return { isThere: false, items: [] }
  // Who sees some realms only reads of one of them.
  const realm = operator.realms === undefined ? undefined : realmId || realms[0]
  if (operator.realms !== undefined && realm === undefined) return { isThere: true, items: [] }
  const place = `audit ${realm ?? ''}`
  const page = await operations.audit.read({
    first: 'newest',
    limit: limitOf(query),
    cursor: cursorOf(query, sources, place),
    ...(realm !== undefined && { realm }),
  })
  return {
    isThere: true,
    items: page.items,
    ...(page.cursor !== undefined && { cursor: seals.seal('cursor', page.cursor, place) }),
  }
}

function view({ isThere, items, cursor }: Audit, page: Page): Html {
  if (!isThere) {
    return html`<p class="empty">No audit is configured that can be read here: the state has no provider of <code>@authstate/audit</code>.</p>`
  }
  return html`${table(
    'What was done and what happened, the newest first',
    items,
    [
      { title: 'When', of: ({ at }) => when(at, page.now) },
      { title: 'Who', of: ({ actor }) => actor && html`${named(actor.name)} <small>${actor.via}</small>` },
      { title: 'What', of: ({ event }) => plain(event) },
      { title: 'Realm', of: ({ realm }) => realm && named(realm) },
      {
        title: 'On what',
        of: ({ records }) => records.map(({ kind, name }) => `${kind} ${plain(name)}`).join(', '),
      },
      { title: 'Outcome', of: ({ outcome, reason }) => plain([outcome, reason].filter(Boolean).join(': ')) },
      { title: 'How many', of: ({ count }) => count, isNumber: true },
    ],
    'Nothing was done yet.',
  )}
${cursor !== undefined && html`<p>${page.link('audit', { realm: page.realmId || undefined, cursor }, 'Older lines')}</p>`}`
}
