import type { SessionDetails } from '@authstate/operations'
import { instant, relative, when } from '../format.js'
import { type Html, html, named } from '../html.js'
import { facts, type Page, table } from '../page.js'
import type { Asked, Screen, Sources } from '../screen.js'
import { hidden } from './rows.js'

type Session = SessionDetails & { readonly userReference?: string }

/** One session: what it is, and what happened in it. */
export const session: Screen<Session> = {
  path: 'sessions/:realm/:reference',
  api: 'sessions/:realm/:reference',
  title: 'Session',
  scope: 'realm',
  load,
  view,
}

async function load({ realmId, rest }: Asked, sources: Sources): Promise<Session | undefined> {
  const [reference = ''] = rest
  const found = await sources.operations.sessions.show(realmId, reference)
  return found && { ...found, ...hidden(found, realmId, sources), reference }
}

interface Moment {
  readonly at: number
  readonly what: Html
}

/** What happened and what will, in its order. */
function momentsOf({ startedAt, lastSeenAt, expiresAt, clients }: Session): Moment[] {
  const moments: Moment[] = [
    { at: startedAt, what: html`started` },
    ...clients.flatMap((client): Moment[] => [
      { at: client.startedAt, what: html`signed in to ${named(client.clientId)}` },
      ...(client.lastSeenAt > client.startedAt
        ? [{ at: client.lastSeenAt, what: html`last seen at ${named(client.clientId)}` }]
        : []),
      ...(client.expiresAt < expiresAt
        ? [{ at: client.expiresAt, what: html`ends at ${named(client.clientId)}` }]
        : []),
    ]),
    ...(lastSeenAt > startedAt ? [{ at: lastSeenAt, what: html`last seen` }] : []),
    { at: expiresAt, what: html`ends, if it is not used until then` },
  ]
  return moments.sort((a, b) => a.at - b.at)
}

function view(data: Session, page: Page): Html {
  const { kind, userId, username, userReference, ipAddress, startedAt, expiresAt, clients, noteNames } = data
  const moments = momentsOf(data)
  const isPast = ({ at }: Moment) => at <= page.now
  const line = ({ at, what }: Moment) =>
    html`<li><time datetime="${new Date(at).toISOString()}">${instant(at)}</time> <b>${relative(at, page.now)}</b> ${what}</li>`
  return html`${facts([
    ['User', page.user(userId, userReference, username)],
    ['Kind', kind],
    ['Address', ipAddress],
    ['Signed in with', data.authMethod === undefined ? undefined : named(data.authMethod)],
    ['Remembered', data.rememberMe === undefined ? undefined : data.rememberMe ? 'yes' : 'no'],
    ['State', data.state],
    ...(data.auditName === undefined
      ? []
      : [['Name in the audit', html`<code>${data.auditName}</code>`] as const]),
    [
      'Notes, by name',
      noteNames.length === 0
        ? undefined
        : html`${noteNames.map((name, n) => html`${n > 0 && ', '}${named(name)}`)}`,
    ],
  ])}
${bar(startedAt, expiresAt, moments, page.now)}
<h2>Time line</h2><ol class="line">${moments.filter(isPast).map(line)}<li class="now"><b>now</b></li>${moments.filter((moment) => !isPast(moment)).map(line)}</ol>
${table(
  'Clients',
  clients,
  [
    { title: 'Client', of: ({ clientId }) => named(clientId) },
    { title: 'Since', of: (client) => when(client.startedAt, page.now) },
    { title: 'Last seen', of: (client) => when(client.lastSeenAt, page.now) },
    { title: 'Expires', of: (client) => when(client.expiresAt, page.now) },
    { title: 'Protocol', of: ({ protocol }) => protocol },
    { title: 'Node', of: ({ nodeHost }) => nodeHost },
  ],
  'No client took part in it.',
)}
${
  data.reference !== undefined &&
  page.form(
    'endSessions',
    'sessions/end',
    html`<input type="hidden" name="refs" value="${data.reference}"><p>${page.button('End this session')}</p>`,
    page.path('sessions', { realm: page.realmId }),
  )
}`
}

/** The life of a session as a bar, with a mark for each moment. */
function bar(from: number, until: number, moments: readonly Moment[], now: number): Html {
  const x = (at: number) =>
    (Math.min(1, Math.max(0, (at - from) / Math.max(1, until - from))) * 600).toFixed(1)
  return html`<svg class="bar" viewBox="0 0 600 20" role="img" aria-label="from ${instant(from)} to ${instant(until)}, now at ${String(Math.round(Number(x(now)) / 6))} %" preserveAspectRatio="none"><rect class="rest" x="0" y="8" width="600" height="4"/><rect class="gone" x="0" y="8" width="${x(now)}" height="4"/>${moments.map(({ at }) => html`<rect x="${x(at)}" y="3" width="2" height="14"/>`)}</svg>`
}
