import type { CheckedCookie } from './options.js'

/** Longest `Cookie` header that is looked at: what servers take is a quarter of it. */
const MAX_HEADER = 65_536

/** The values that a `Cookie` header has under an exact name, in its order. */
export function cookieValues(header: string | null | undefined, name: string): readonly string[] {
  if (typeof header !== 'string' || header.length > MAX_HEADER) return []
  return header.split(';').flatMap((pair) => {
    const at = pair.indexOf('=')
    return at > 0 && pair.slice(0, at).trim() === name ? [pair.slice(at + 1).trim()] : []
  })
}

/** What a `Set-Cookie` header says in addition to name and value. */
function attributes({ domain, secure, sameSite }: CheckedCookie): string {
  return [
    '; Path=/',
    domain === undefined ? '' : `; Domain=${domain}`,
    '; HttpOnly',
    secure ? '; Secure' : '',
    sameSite === 'lax' ? '; SameSite=Lax' : '; SameSite=Strict',
  ].join('')
}

/** A `Set-Cookie` header. The value is of characters that need no encoding. */
export function setCookie(cookie: CheckedCookie, name: string, value: string, lifespanMs: number): string {
  const age = cookie.persistent ? `; Max-Age=${Math.max(1, Math.ceil(lifespanMs / 1_000))}` : ''
  return `${name}=${value}${attributes(cookie)}${age}`
}

/** A `Set-Cookie` header that takes a cookie away. */
export function clearCookie(cookie: CheckedCookie, name: string): string {
  return `${name}=${attributes(cookie)}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT`
}
