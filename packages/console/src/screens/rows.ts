import type { SessionRow } from '@authstate/operations'
import { shortened, when } from '../format.js'
import { type Html, html, named, plain } from '../html.js'
import { type Column, type Page, table } from '../page.js'
import type { Sources } from '../screen.js'

/** A session of a list, with a reference to the page of its user. */
export type ListedSession = SessionRow & { readonly userReference?: string }

/** Rows as pages and API show them: an address without its host, unless whole ones are wanted. */
export function listed(rows: readonly SessionRow[], realmId: string, sources: Sources): ListedSession[] {
  return rows.map((row) => ({ ...row, ...hidden(row, realmId, sources) }))
}

/** What of a session is shown in another form. */
export function hidden({ userId, ipAddress }: SessionRow, realmId: string, { seals, options }: Sources) {
  return {
    ...(ipAddress !== undefined && { ipAddress: options.showAddresses ? ipAddress : shortened(ipAddress) }),
    ...(userId !== undefined && { userReference: seals.seal('user', userId, realmId) }),
  }
}

/** Sessions in a form: those that are ticked end. */
export function sessionTable(
  caption: string,
  rows: readonly ListedSession[],
  page: Page,
  empty: string | Html,
  hasUser: boolean,
): Html {
  const canEnd = page.can('endSessions') && rows.length > 0
  const tick: Column<ListedSession> = {
    title: html`<span class="hide">Choose</span>`,
    of: ({ reference, kind, userId = 'nobody', startedAt }) =>
      reference !== undefined &&
      html`<label class="tick"><input type="checkbox" name="refs" value="${reference}" aria-label="${kind} session of ${plain(userId)}, started ${new Date(startedAt).toISOString()}"></label>`,
  }
  const user: Column<ListedSession> = {
    title: 'User',
    of: ({ userId, userReference, username }) => page.user(userId, userReference, username),
  }
  const list = table(
    caption,
    rows,
    [
      ...(canEnd ? [tick] : []),
      ...(hasUser ? [user] : []),
      {
        title: 'Kind',
        of: ({ kind, reference }) =>
          reference === undefined
            ? kind
            : page.link(`sessions/${encodeURIComponent(page.realmId)}/${reference}`, {}, kind),
      },
      { title: 'Clients', of: ({ clientIds }) => namesOf(clientIds) },
      { title: 'Started', of: ({ startedAt }) => when(startedAt, page.now) },
      { title: 'Last seen', of: ({ lastSeenAt }) => when(lastSeenAt, page.now) },
      { title: 'Expires', of: ({ expiresAt }) => when(expiresAt, page.now) },
      { title: 'Address', of: ({ ipAddress }) => ipAddress },
    ],
    empty,
  )
  if (!canEnd) return list
  return page.form(
    'endSessions',
    'sessions/end',
    html`${list}<p>${page.button('End the chosen sessions')}</p>`,
  )
}

/** Names, one behind the other. */
const namesOf = (names: readonly string[]): Html | undefined =>
  names.length === 0 ? undefined : html`${names.map((name, n) => html`${n > 0 && ', '}${named(name)}`)}`
