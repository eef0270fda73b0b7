import { createHash } from 'node:crypto'
import type { Context } from 'hono'
import { html, raw } from 'hono/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

type Html = ReturnType<typeof html>

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}' +
  'label,button{display:block;margin:.8rem 0}input{font:inherit;width:100%}td,th{text-align:left;padding-right:1rem}'
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

interface Page {
  readonly title: string
  readonly body: Html | Promise<Html>
  readonly status?: ContentfulStatusCode
  /** Where its forms may lead to in the end, besides this server. */
  readonly formTarget?: string
}

/** A page that runs nothing, loads nothing, is framed by nobody and kept nowhere. */
export async function showPage(
  c: Context,
  { title, body, status = 200, formTarget }: Page,
): Promise<Response> {
  const target = formTarget === undefined ? '' : ` ${sourceOf(formTarget)}`
  c.header(
    'content-security-policy',
    `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'${target}; base-uri 'none'; frame-ancestors 'none'`,
  )
  c.header('cache-control', 'no-store')
  return c.html(
    html`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>${raw(STYLE)}</style></head><body><h1>${title}</h1>${await body}</body></html>`,
    status,
  )
}

/** As a policy names it: an app of its own scheme, such as `notes:/back`, has no origin. */
function sourceOf(uri: string): string {
  const { origin, protocol } = new URL(uri)
  return origin === 'null' ? protocol : origin
}

/** A page that says why it goes no further. */
export const showProblem = (
  c: Context,
  message: string,
  status: ContentfulStatusCode = 400,
): Promise<Response> => showPage(c, { title: 'This did not work', status, body: html`<p>${message}</p>` })

export interface LoginForm {
  readonly clientId: string
  readonly clientName: string
  readonly tabId: string
  readonly csrf: string
  readonly redirectUri: string
  readonly failed: boolean
}

export function showLoginForm(c: Context, form: LoginForm): Promise<Response> {
  // One sentence for an unknown user, a wrong password and a locked account: none can be told from another.
  const problem = form.failed
    ? html`<p role="alert">That did not work. Check the user name and the password, or try again later.</p>`
    : ''
  return showPage(c, {
    title: 'Sign in',
    status: form.failed ? 403 : 200,
    formTarget: form.redirectUri,
    body: html`<p>to go on to ${form.clientName}</p>${problem}<form method="post" action="/login">
<input type="hidden" name="client_id" value="${form.clientId}"><input type="hidden" name="tab_id" value="${form.tabId}">
<input type="hidden" name="csrf" value="${form.csrf}">
<label>User name <input name="username" autocomplete="username" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button></form>`,
  })
}

/** Asks before signing out, where nobody has shown that the user wants it. */
export const askToSignOut = (
  c: Context,
  csrf: string,
  hidden: Readonly<Record<string, string>>,
): Promise<Response> =>
  showPage(c, {
    title: 'Sign out?',
    body: html`<form method="post" action="/logout"><input type="hidden" name="csrf" value="${csrf}">${Object.entries(
      hidden,
    ).map(
      ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
    )}<button>Sign out</button></form>`,
  })
