import { createHash } from 'node:crypto'
import type { WebSession } from 'authstate/web-session'

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

/** What a form calls a session: its id stays on the server. */
export const keyOf = (sessionId: string): string => createHash('sha256').update(sessionId).digest('base64url')

const page = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${body}</html>`

export const loginPage = (failed: boolean): string =>
  page(
    'Sign in',
    `${failed ? '<p role="alert">That did not work.</p>' : ''}
    <form method="post" action="/login">
      <label>Name <input name="name" autocomplete="username" required></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
      <button>Sign in</button>
    </form>`,
  )

/** The devices of a user, the one that asks first. */
export function devicesPage(user: string, sessions: readonly WebSession[], ownId: string): string {
  const rows = sessions
    .toSorted((a, b) => Number(b.id === ownId) - Number(a.id === ownId) || b.savedAt - a.savedAt)
    .map(({ id, data, savedAt }) => {
      const since = new Date(savedAt).toISOString()
      const end =
        id === ownId
          ? 'this device'
          : `<form method="post" action="/devices/${keyOf(id)}/end"><button>Sign out</button></form>`
      return `<tr><td>${escaped(String(data['device']))}</td><td>${since}</td><td>${end}</td></tr>`
    })
  return page(
    'Your devices',
    `<p>Signed in as ${escaped(user)}.</p>
    <table><tr><th>Device</th><th>Last used</th><th></th></tr>${rows.join('')}</table>
    <form method="post" action="/others"><button>Sign out all other devices</button></form>
    <form method="post" action="/logout"><button>Sign out here</button></form>`,
  )
}
