import { html } from 'hono/html'

type Html = ReturnType<typeof html>

interface Device {
  readonly id: string
  /** A text where sessions are in a secondary storage. */
  readonly createdAt: Date | string
  readonly ipAddress?: string | null | undefined
  readonly userAgent?: string | null | undefined
}

const page = (title: string, content: Html): Html =>
  html`<!doctype html>
    <html lang="en">
      <title>${title}</title>
      <h1>${title}</h1>
      ${content}
    </html>`

const fields = html`<input type="email" name="email" aria-label="Email address" required />
  <input type="password" name="password" aria-label="Password" minlength="8" required />`

export const showSignIn = (message = ''): Html =>
  page(
    'Sign in',
    html`${message === '' ? '' : html`<p role="alert">${message}</p>`}
      <form method="post" action="/sign-in">${fields}<button>Sign in</button></form>
      <form method="post" action="/sign-up">${fields}<button>Sign up</button></form>`,
  )

export const showDevices = (
  own: { readonly user: { readonly email: string }; readonly session: { readonly id: string } },
  devices: readonly Device[],
): Html =>
  page(
    'Your devices',
    html`<p>You are ${own.user.email}.</p>
      <ul>
        ${devices.map(
          ({ id, createdAt, ipAddress, userAgent }) =>
            html`<li>
              ${userAgent || 'Unknown'}, ${ipAddress || 'unknown address'}, since ${new Date(createdAt).toISOString()}
              ${
                id === own.session.id
                  ? html`<strong>this device</strong>`
                  : html`<form method="post" action="/devices/end"><button name="id" value="${id}">End</button></form>`
              }
            </li>`,
        )}
      </ul>
      <form method="post" action="/devices/end-others"><button>End the others</button></form>
      <form method="post" action="/sign-out"><button>Sign out</button></form>`,
  )
