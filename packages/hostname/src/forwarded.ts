import { type ForwardedHop, forwardedAddress, headerList, parseIp, walkHops } from '@authstate/spi/internal'
import type { RequestBase } from './contract.js'
import { type Base, parseAuthority, usualPort } from './rules.js'

/** Which headers of proxies are read. Never both kinds: a proxy that sets one passes the other on as the client sent it. */
export interface ProxyHeaders {
  readonly kind: 'none' | 'forwarded' | 'x-forwarded'
  /** Which of `X-Forwarded-*` the proxies set: the others are as the client sent them. */
  readonly xForwarded: readonly XForwarded[]
}

/** The `X-Forwarded-*` headers that are known, by their last word. */
export const X_FORWARDED = ['for', 'proto', 'host', 'port'] as const

export type XForwarded = (typeof X_FORWARDED)[number]

/** One hop, as the proxy behind it wrote it. */
interface Hop extends ForwardedHop {
  readonly scheme: string | undefined
  readonly host: string | undefined
  readonly port: string | undefined
}

/** A request without what proxies did to it. */
export interface Origin {
  readonly ip: string | undefined
  /** `undefined` for a `Host` that is none, and for what a proxy wrote and cannot be read. */
  readonly base: Base | undefined
  readonly scheme: 'http' | 'https'
  readonly trusted: boolean
}

/**
 * Finds who asked: walks the hops from here outwards as long as the one that spoke is a trusted proxy.
 *
 * If a trusted proxy wrote an unreadable header, the client is unknown. The proxy is never taken
 * for the client: otherwise one garbled header would lift the limits of an address, or lock out all
 * users behind that proxy.
 */
export function originOfRequest(
  request: RequestBase,
  headers: ProxyHeaders,
  isTrusted: (ip: string) => boolean,
): Origin {
  const { scheme, remoteAddress } = request
  const nearest = parseIp(remoteAddress)
  const seen = { ip: nearest, scheme, base: seenBase(request), trusted: false }
  if (headers.kind === 'none' || nearest === undefined || !isTrusted(nearest)) return seen
  const hops =
    headers.kind === 'forwarded'
      ? forwardedHops(request.headers['forwarded'])
      : xForwardedHops(request.headers, headers.xForwarded)
  if (hops?.length === 0) return seen
  const { ip, hop } = walkHops(remoteAddress, hops ?? [], isTrusted)
  if (hops === undefined || hop === undefined)
    return { ip: undefined, scheme, base: undefined, trusted: false }
  const outer = hop.scheme ?? scheme
  if (outer !== 'http' && outer !== 'https') return { ip, scheme, base: undefined, trusted: true }
  return { ip, scheme: outer, base: baseOf(hop, outer, request), trusted: true }
}

/** Scheme, host and port together, or nothing: a host is not put together with a port that somebody else named. */
function baseOf(hop: Hop, scheme: 'http' | 'https', request: RequestBase): Base | undefined {
  const port = hop.port === undefined ? undefined : portOf(hop.port)
  if (hop.port !== undefined && port === undefined) return undefined
  if (hop.host === undefined) return seenBase({ ...request, scheme, port: port ?? request.port })
  const named = parseAuthority(hop.host)
  return named && { scheme, host: named.host, port: named.port ?? port ?? usualPort(scheme) }
}

/** The base of a request as the server saw it. */
export function seenBase({ scheme, host, port }: RequestBase): Base | undefined {
  const authority = parseAuthority(host)
  if (authority === undefined) return undefined
  return { scheme, host: authority.host, port: authority.port ?? port ?? usualPort(scheme) }
}

function xForwardedHops(headers: RequestBase['headers'], names: readonly XForwarded[]): Hop[] {
  const list = (name: XForwarded): string[] =>
    names.includes(name) ? headerList(headers[`x-forwarded-${name}`]) : []
  const addresses: (string | undefined)[] = list('for')
  const [schemes, hosts, ports] = [list('proto'), list('host'), list('port')]
  // Some proxies say how they were reached, and not by whom.
  if (addresses.length === 0 && [schemes, hosts, ports].some(({ length }) => length > 0))
    addresses.push(undefined)
  // Where every proxy added a value each hop has its own; else the last was written by the proxy that is nearest.
  const at = (values: readonly string[], index: number): string | undefined =>
    values.length === addresses.length ? values[index] : values.at(-1)
  return addresses.map((address, index) => ({
    ip: forwardedAddress(address),
    scheme: at(schemes, index)?.toLowerCase(),
    host: at(hosts, index),
    port: at(ports, index),
  }))
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const PAIR = new RegExp(`\\s*(${TOKEN})=(${TOKEN}|"(?:[^"\\\\]|\\\\.)*")\\s*(;|,|$)`, 'y')

/**
 * Reads `Forwarded` (RFC 7239).
 *
 * @returns `undefined` for one that is not well formed: what it says could be read in two ways
 */
function forwardedHops(header: string | readonly string[] | undefined): Hop[] | undefined {
  const text = typeof header === 'string' ? header : (header ?? []).join(',')
  if (text.trim() === '') return []
  const elements: Record<string, string>[] = [{}]
  PAIR.lastIndex = 0
  while (PAIR.lastIndex < text.length) {
    const [, name, value = '', end] = PAIR.exec(text) ?? []
    if (name === undefined) return undefined
    const element = elements.at(-1) as Record<string, string>
    const key = name.toLowerCase()
    if (Object.hasOwn(element, key)) return undefined
    if (['for', 'by', 'host', 'proto'].includes(key))
      element[key] = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value
    if (end === ',') elements.push({})
    if (end !== '' && PAIR.lastIndex >= text.length) return undefined
  }
  return elements.map(({ for: address, proto, host }) => ({
    ip: forwardedAddress(address),
    scheme: proto?.toLowerCase(),
    host,
    port: undefined,
  }))
}

function portOf(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65_535 ? port : undefined
}
