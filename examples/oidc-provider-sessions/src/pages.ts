import type { AccountGrant, AccountSession } from '@authstate/oidc-provider'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text in a page. */
const text = (value: string): string => value.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')

const page = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${body}</html>`

const button = (action: string, label: string, id = ''): string =>
  `<form method="post" action="${action}"><input type="hidden" name="id" value="${text(id)}"><button>${label}</button></form>`

const time = (at: number): string => new Date(at).toISOString()

export const welcomePage = (signInUrl: string): string =>
  page('Welcome', `<p><a href="${text(signInUrl)}">Sign in to the shop</a></p>`)

export const loginPage = (): string =>
  page(
    'Sign in',
    '<form method="post"><input name="name" aria-label="Name" required><button>Sign in</button></form>',
  )

export const consentPage = (clientId: string, scope: string): string =>
  page(
    'Allow',
    `<p>${text(clientId)} asks for: ${text(scope)}</p><form method="post"><button>Allow</button></form>`,
  )

export const errorPage = (message: string): string =>
  page('Sorry', `<p>${text(message)}</p><p><a href="/">Start again</a></p>`)

/** What a user is shown of their account. */
export interface Account {
  readonly accountId: string
  /** `uid` of the session that looks at it. */
  readonly uid: string
  readonly sessions: readonly AccountSession[]
  readonly grants: readonly AccountGrant[]
}

export const accountPage = ({ accountId, uid, sessions, grants }: Account): string =>
  page(
    'Your sessions',
    `<p>Signed in as ${text(accountId)}, in ${sessions.length} sessions.</p><ul>
    ${sessions
      .map(
        (
          session,
        ) => `<li>since ${time(session.signedInAt ?? session.savedAt)}, at ${text(session.clientIds.join(', '))}
      ${session.uid === uid ? '<b>this one</b>' : button('/sessions/end', 'End', session.uid)}</li>`,
      )
      .join('')}</ul>${button('/sessions/end-others', 'End the others')}
    <h2>What you allowed</h2><ul>
    ${grants
      .map(
        ({ clientId, scopes, grantId }) =>
          `<li>${text(clientId)}: ${text(scopes.join(' '))} ${button('/grants/revoke', 'Take back', grantId)}</li>`,
      )
      .join('')}</ul>`,
  )
