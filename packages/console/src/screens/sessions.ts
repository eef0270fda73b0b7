import type { SessionFilter, SessionKind } from '@authstate/operations'
import { figure } from '../format.js'
import { type Html, html, named } from '../html.js'
import type { Page } from '../page.js'
import { type Asked, BadRequest, type Screen, type Sources } from '../screen.js'
import { type ListedSession, listed, sessionTable } from './rows.js'

interface Sessions {
  readonly items: readonly ListedSession[]
  readonly cursor?: string
  readonly counts: { readonly online: number; readonly offline: number; readonly web: number }
  readonly filter: { readonly client?: string; readonly kind?: string }
}

const ALL_KINDS: readonly SessionKind[] = ['online', 'offline', 'web']

/** Living sessions of a realm. */
export const sessions: Screen<Sessions> = {
  path: 'sessions',
  api: 'sessions',
  title: 'Sessions',
  scope: 'realm',
  load,
  view,
}

async function load({ realmId, query }: Asked, sources: Sources): Promise<Sessions> {
  const { operations, seals } = sources
  const client = query.get('client') || undefined
  const kind = query.get('kind') || undefined
  if (kind !== undefined && !ALL_KINDS.includes(kind as SessionKind)) {
    throw new BadRequest(`There are ${ALL_KINDS.join(', ')} sessions, and no other kind.`)
  }
  const filter: SessionFilter = {
    limit: limitOf(query),
    cursor: cursorOf(query, sources, realmId),
    clientId: client,
    ...(kind !== undefined && { kinds: [kind as SessionKind] }),
  }
  const [page, counts] = await Promise.all([
    operations.sessions.list(realmId, filter),
    operations.sessions.count(realmId),
  ])
  return {
    items: listed(page.items, realmId, sources),
    ...(page.cursor !== undefined && { cursor: seals.seal('cursor', page.cursor, realmId) }),
    counts,
    filter: { ...(client !== undefined && { client }), ...(kind !== undefined && { kind }) },
  }
}

/** The limit of a page: 1 to 100, or 50. */
export function limitOf(query: URLSearchParams): number {
  const text = query.get('limit') ?? '50'
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= 100) return limit
  throw new BadRequest('A page has 1 to 100 rows.')
}

/** The place in a list that a link named. */
export function cursorOf(query: URLSearchParams, { seals }: Sources, realmId: string): string | undefined {
  const sealed = query.get('cursor')
  if (sealed === null) return undefined
  const cursor = seals.open('cursor', sealed, realmId)
  if (cursor === undefined)
    throw new BadRequest('This place in the list is no more. Begin with its first page.')
  return cursor
}

function view({ items, cursor, counts, filter }: Sessions, page: Page): Html {
  const { realmId } = page
  const { client, kind } = filter
  const isFiltered = client !== undefined || kind !== undefined
  return html`<p>${figure(counts.online)} online, ${figure(counts.offline)} offline, ${figure(counts.web)} web.</p>
<div class="tools">
${page.lookup('users/find', html`<label>User id <input name="user" required maxlength="512" autocomplete="off" spellcheck="false"></label><button>Find</button>`)}
<form method="get" action="${page.path('sessions')}"><input type="hidden" name="realm" value="${realmId}">
<label>Client <input name="client" value="${client ?? ''}" maxlength="512" autocomplete="off" spellcheck="false"></label>
<label>Kind <select name="kind">${['', ...ALL_KINDS].map((of) => html`<option value="${of}"${of === (kind ?? '') && html` selected`}>${of === '' ? 'all' : of}</option>`)}</select></label><button>Show</button></form></div>
${sessionTable('Sessions', items, page, isFiltered ? 'No living session is like that.' : html`No living sessions in ${named(realmId)}. The first login makes one.`, true)}
${cursor !== undefined && html`<p>${page.link('sessions', { realm: realmId, client, kind, cursor }, 'Next page')}</p>`}`
}
