import type { FailureView, TokenRow } from '@authstate/operations'
import { counted, shortened, when } from '../format.js'
import { type Html, html, named, plain } from '../html.js'
import { facts, type Page, table } from '../page.js'
import type { Asked, Screen, Sources } from '../screen.js'
import { ifProvided } from '../trouble.js'
import { type ListedSession, listed, sessionTable } from './rows.js'

interface User {
  readonly userId: string
  readonly reference: string
  readonly sessions: readonly ListedSession[]
  readonly isMore: boolean
  /** Absent where failures are not counted. */
  readonly failures?: FailureView
  /** Absent where tokens are not kept. */
  readonly tokens?: readonly Omit<TokenRow, 'reference'>[]
}

/** All that is known about a user. */
export const user: Screen<User> = {
  path: 'users/:realm/:reference',
  api: 'users/:realm/:reference',
  title: 'User',
  scope: 'realm',
  load,
  view,
}

async function load({ realmId, rest }: Asked, sources: Sources): Promise<User | undefined> {
  const { operations, seals, options } = sources
  const [reference = ''] = rest
  const userId = seals.open('user', reference, realmId)
  if (userId === undefined) return undefined
  const [sessions, failures, tokens] = await Promise.all([
    operations.sessions.list(realmId, { userId, limit: 100 }),
    ifProvided(() => operations.failures.show(realmId, { userId })),
    ifProvided(() => operations.tokens.list(realmId, userId, { limit: 100 })),
  ])
  return {
    userId,
    reference,
    sessions: listed(sessions.items, realmId, sources),
    isMore: sessions.cursor !== undefined,
    ...(failures && { failures: options.showAddresses ? failures : withoutAddresses(failures) }),
    ...(tokens && { tokens: tokens.items.map(({ reference: _, ...token }) => token) }),
  }
}

/** The same without what tells one host. */
export function withoutAddresses({ record, explanation }: FailureView): FailureView {
  return {
    ...(record && { record: recordOf(record) }),
    ...(explanation && {
      explanation: {
        ...explanation,
        rules: explanation.rules.map(({ failure, ...rule }) => ({
          ...rule,
          ...(failure && { failure: recordOf(failure) }),
        })),
      },
    }),
  }
}

const recordOf = ({ lastIp, ...record }: NonNullable<FailureView['record']>) => ({
  ...record,
  ...(lastIp !== undefined && { lastIp: shortened(lastIp) }),
})

function view({ userId, reference, sessions, isMore, failures, tokens }: User, page: Page): Html {
  const at = `users/${encodeURIComponent(page.realmId)}/${reference}`
  const kept = sessions.filter(({ reference: of }) => of !== undefined)
  return html`<p class="who">${named(userId)} in ${named(page.realmId)}</p>
${sessionTable('Sessions', sessions, page, 'This user has no living session.', false)}
${isMore && html`<p>There are more: these are the first 100.</p>`}
<div class="tools">${page.form('endSessions', `${at}/end`, html`<p>${page.button('Sign out everywhere')} <small>Ends every session, and withdraws tokens about the user.</small></p>`)}
${kept.length > 1 && page.form('endSessions', `${at}/end`, html`<label>All but <select name="except">${kept.map(({ reference: of, kind, startedAt }) => html`<option value="${of}">${kind}, started ${new Date(startedAt).toISOString().slice(0, 16).replace('T', ' ')}</option>`)}</select></label>${page.button('End the others')}`)}</div>
${failures && lockOut(failures, reference, page)}
${
  tokens &&
  table(
    'Tokens about the user',
    tokens,
    [
      { title: 'Kind', of: ({ kind }) => named(kind) },
      { title: 'Expires', of: ({ expiresAt }) => when(expiresAt, page.now) },
      { title: 'Consumed', of: ({ consumedAt }) => when(consumedAt, page.now) },
      { title: 'Of a family', of: ({ isOfFamily }) => (isOfFamily ? 'yes' : 'no') },
    ],
    'No token about this user can be used.',
  )
}`
}

function lockOut({ record, explanation }: FailureView, reference: string, page: Page): Html {
  const reasons = explanation?.rules.map(({ text }) => html`<li>${plain(text)}</li>`)
  return html`<h2>Login failures</h2><p class="${explanation?.locked ? 'bad' : ''}">${explanation?.locked ? 'Locked out.' : 'Not locked out.'}</p>
<ul>${reasons}</ul>
${
  record &&
  facts([
    ['Failures', counted(record.numFailures, 'failure')],
    ['Last failure', when(record.lastFailureAt, page.now)],
    ['Its address', record.lastIp],
    ['Locks so far', record.numTemporaryLockouts],
  ])
}
${record && page.form('clearFailures', 'failures/clear', html`<p>${page.button('Clear failures and lock', { name: 'user', value: reference })}</p>`)}`
}
