import type { Html } from './html.js'

const CSP = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const SAFE: Readonly<Record<string, string>> = {
  'content-security-policy': CSP,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'x-robots-tag': 'noindex, nofollow',
  'cache-control': 'no-store',
}

type Headers = Readonly<Record<string, string>>

/** An answer of the console: it cannot be stored, framed or indexed, and it loads nothing from other hosts. */
export const answer = (
  status: number,
  body: string | ReadableStream<Uint8Array> | null,
  headers: Headers,
): Response => new Response(body, { status, headers: { ...SAFE, ...headers } })

/** A page. */
export const pageAnswer = (status: number, page: Html, headers: Headers = {}): Response =>
  answer(status, page.text, { 'content-type': 'text/html; charset=utf-8', ...headers })

/** Data, for a program. */
export const jsonAnswer = (status: number, data: unknown, headers: Headers = {}): Response =>
  answer(status, JSON.stringify(data), { 'content-type': 'application/json', ...headers })

/** Trouble, for a program. @see RFC 9457 */
export const problemAnswer = (status: number, problem: Problem, headers: Headers = {}): Response =>
  answer(status, JSON.stringify({ type: 'about:blank', status, ...problem }), {
    'content-type': 'application/problem+json',
    ...headers,
  })

/** What was wrong. */
export interface Problem {
  /** A word for programs: `'refused'`, or a code of ours such as `'ERR_STORE_UNAVAILABLE'`. */
  readonly code: string
  readonly title: string
  readonly detail?: string
}
