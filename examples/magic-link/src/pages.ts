import { randomUUID } from 'node:crypto'
import { html } from 'hono/html'

type Html = ReturnType<typeof html>

const page = (title: string, content: Html): Html =>
  html`<!doctype html>
    <html lang="en">
      <title>${title}</title>
      <h1>${title}</h1>
      ${content}
    </html>`

export const showHome = (userId: string | undefined): Html =>
  userId === undefined
    ? page(
        'Sign in',
        html`<form method="post" action="/link">
          <input type="email" name="email" aria-label="Email address" required /><button>Send me a link</button>
        </form>`,
      )
    : page(
        'Signed in',
        html`<p>You are ${userId}.</p>
          <form method="post" action="/sign-out"><button>Sign out</button></form>`,
      )

export const showSent = (): Html =>
  page('Look into your mail', html`<p>If that is an address, a link is on its way.</p>`)

/** The form posts to the address that was opened. */
export const showConfirmation = (userId: string): Html =>
  page(
    'Sign in',
    html`<form method="post">
      <input type="hidden" name="attempt" value="${randomUUID()}" /><button>Sign in as ${userId}</button>
    </form>`,
  )

const REFUSALS = {
  used: 'This link was used before.',
  expired: 'This link is too old.',
  invalid: 'This link is not valid, or too old.',
}

export const showRefusal = (reason: keyof typeof REFUSALS): Html =>
  page('Sign in', html`<p>${REFUSALS[reason]}</p><a href="/">Ask for another</a>`)
