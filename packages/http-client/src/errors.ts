import { ERRORS_ADDRESS } from '@authstate/spi/internal'

/** Every code an {@link HttpError} can carry. Codes are stable; messages are not. */
export type HttpErrorCode =
  /** The deadline passed, or the connection was not open in time. */
  | 'timeout'
  /** Too many requests wait for a connection, or this one waited for too long. */
  | 'queue-full'
  /** The name has no address, no server listens there, or the proxy refused. */
  | 'connect'
  /** The other side could not prove its identity, or did not accept the client certificate. */
  | 'tls'
  /** The target is not allowed: its form, its address or its port. */
  | 'egress'
  /** The answer is larger than it may be. */
  | 'too-large'
  /** The `signal` of the caller was aborted. */
  | 'aborted'
  /** The connection broke, or the answer is no HTTP or not what was asked for. */
  | 'protocol'

/** Every {@link HttpErrorCode}. */
export const HTTP_ERROR_CODES = Object.freeze([
  'timeout',
  'queue-full',
  'connect',
  'tls',
  'egress',
  'too-large',
  'aborted',
  'protocol',
] as const satisfies readonly HttpErrorCode[])

// An application may load this module twice (ESM and CJS): the brand is what both copies agree on.
const brand = Symbol.for('authstate.http-error')

/** What an {@link HttpError} is made of. */
export interface HttpErrorDetails {
  /** Whether the target may have received the request: `'no'` is safe to repeat. */
  readonly sent: 'no' | 'unknown'
  /** The host of the target. */
  readonly host?: string | undefined
  /** A code of the host system, such as `ECONNREFUSED`, or a few words of ours. */
  readonly detail?: string | undefined
}

/**
 * A request got no answer.
 *
 * The message has the host, the code and a code of the host system. It never has a path, a query, a header, a body or an
 * address, and there is no `cause`, which could have them. An answer of whatever status is no error.
 */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly code: HttpErrorCode
  /** Whether the target may have received the request. */
  readonly sent: 'no' | 'unknown'
  /** The host of the target. Absent where the URL has none that can be named. */
  readonly host?: string
  /** A code of the host system, such as `ECONNREFUSED`, or a few words of ours. */
  readonly detail?: string
  /** Address of the page about this code. */
  readonly docs: string
  readonly [brand] = true

  constructor(code: HttpErrorCode, { sent, host, detail }: HttpErrorDetails) {
    super(
      `http-client: ${WHAT[code]}${host === undefined ? '' : ` (${host})`}${detail === undefined ? '' : `: ${detail}`}`,
    )
    this.code = code
    this.docs = `${ERRORS_ADDRESS}HttpError#${code}`
    this.sent = sent
    if (host !== undefined) this.host = host
    if (detail !== undefined) this.detail = detail
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value
  }
}

const WHAT: Readonly<Record<HttpErrorCode, string>> = {
  timeout: 'the deadline passed',
  'queue-full': 'too many requests wait',
  connect: 'no connection',
  tls: 'the TLS connection was refused',
  egress: 'the target is not allowed',
  'too-large': 'the answer is too large',
  aborted: 'the caller gave up',
  protocol: 'the connection broke or the answer is not readable',
}

/** The code of an error of the host system, where it has one that says nothing of the request. */
export function systemCode(error: unknown): string | undefined {
  const code: unknown = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : undefined
}
