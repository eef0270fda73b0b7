import {
  assertInteger,
  assertKnown,
  assertName,
  assertObject,
  assertOneOf,
  assertSpanMs,
  type Known,
} from '@authstate/spi'
import { egressRuleFault } from './addresses.js'
import type { HttpMethod, HttpRequestInit } from './contract.js'
import { HttpError } from './errors.js'
import { hostOf } from './hosts.js'
import type { Target } from './transport.js'

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
] as const satisfies readonly HttpMethod[]

const INIT: Known<HttpRequestInit> = {
  purpose: true,
  method: true,
  headers: true,
  body: true,
  deadlineMs: true,
  maxResponseBytes: true,
  egress: true,
  signal: true,
}

/** Longest timer of Node. */
const LONGEST_SPAN_MS = 2_147_483_647
const LONGEST_URL = 65_536
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/** Headers of a connection: they are made here, or would make the two sides disagree on where a request ends. */
const OF_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** @throws {TypeError | RangeError} naming the argument, never telling a value */
export function assertInit(init: unknown): asserts init is HttpRequestInit {
  assertKnown(init, 'init', INIT)
  const { purpose, method, headers, body, deadlineMs, maxResponseBytes, egress, signal } = init
  assertName(purpose, 'init.purpose')
  if (method !== undefined) assertOneOf(method, 'init.method', METHODS)
  if (headers !== undefined) assertHeaders(headers)
  if (body !== undefined) {
    if (typeof body !== 'string' && !(body instanceof Uint8Array))
      throw new TypeError('"init.body" must be a string or a Uint8Array')
    if (method === undefined || method === 'GET' || method === 'HEAD')
      throw new TypeError('"init.body" must not be given with the methods GET and HEAD')
  }
  if (deadlineMs !== undefined) {
    assertSpanMs(deadlineMs, 'init.deadlineMs')
    assertInteger(deadlineMs, 'init.deadlineMs', 1, LONGEST_SPAN_MS)
  }
  if (maxResponseBytes !== undefined)
    assertInteger(maxResponseBytes, 'init.maxResponseBytes', 0, Number.MAX_SAFE_INTEGER)
  if (egress !== undefined) assertEgress(egress)
  if (signal !== undefined && !isSignal(signal)) throw new TypeError('"init.signal" must be an AbortSignal')
}

function assertHeaders(headers: unknown): void {
  assertObject(headers, 'init.headers')
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name)) throw new TypeError('"init.headers" has a name that no header can have')
    const lower = name.toLowerCase()
    if (OF_CONNECTION.has(lower))
      throw new TypeError(`"init.headers" must not have "${lower}": it belongs to the connection`)
    if (typeof value !== 'string') throw new TypeError('"init.headers" must have a string for each name')
    if (!HEADER_VALUE.test(value))
      throw new TypeError(
        '"init.headers" must not have line breaks, control characters or characters above U+00FF in a value',
      )
  }
}

function assertEgress(egress: unknown): void {
  if (!Array.isArray(egress)) throw new TypeError('"init.egress" must be a list of strings')
  egress.forEach((rule, index) => {
    const fault = egressRuleFault(rule)
    if (fault !== undefined) throw new TypeError(`"init.egress[${index}]" ${fault}`)
  })
}

const isSignal = (value: unknown): value is AbortSignal =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as AbortSignal).aborted === 'boolean' &&
  typeof (value as AbortSignal).addEventListener === 'function'

/**
 * Reads a URL. What is wrong with its text is an {@link HttpError}: it is often data, which a client gave.
 *
 * @throws {TypeError} it is neither a string nor a URL
 * @throws {HttpError} `'egress'`: it is no absolute URL of http or https, has credentials, or its host is none
 */
export function targetOf(url: unknown): { target: Target; path: string } {
  if (typeof url !== 'string' && !(url instanceof URL)) throw new TypeError('"url" must be a string or a URL')
  const text = String(url)
  const refuse = (detail: string, host?: string) => new HttpError('egress', { sent: 'no', host, detail })
  if (text.length > LONGEST_URL) throw refuse(`a URL has at most ${LONGEST_URL} characters`)
  // `new URL` drops these: the text that somebody checked would not be the one that is sent.
  if (/[\0-\x20\x7f]/.test(text)) throw refuse('a URL has no spaces and no control characters')
  if (!URL.canParse(text)) throw refuse('it is no absolute URL')
  const parsed = new URL(text)
  const { protocol, username, password, port, pathname, search } = parsed
  if (protocol !== 'http:' && protocol !== 'https:') throw refuse('its scheme is neither http nor https')
  // `http:/host` and `http:\\host` are read as `http://host` here, and as something else elsewhere.
  if (!/^https?:\/\/[^/\\]/i.test(text)) throw refuse('it is no absolute URL')
  const host = hostOf(parsed)
  if (host === undefined) throw refuse('its host is none')
  if (username !== '' || password !== '') throw refuse('it has a user or a password', host.text)
  const number = Number(port) || (protocol === 'https:' ? 443 : 80)
  return { target: { protocol, host, port: number, origin: parsed.origin }, path: pathname + search }
}
