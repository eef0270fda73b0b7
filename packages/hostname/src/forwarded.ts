import { parseIp } from './addresses.js'
import type { RequestBase } from './contract.js'
import { type Base, parseAuthority, usualPort } from './rules.js'

/** Which headers of proxies are read. Never both kinds: a proxy that sets one passes the other on as the client sent it. */
export type ProxyHeaders = 'none' | 'forwarded' | 'x-forwarded'

/** One hop: what the proxy behind it said of the connection that it had. */
interface Hop {
  readonly ip: string | undefined
  readonly scheme: string | undefined
  readonly host: string | undefined
  readonly port: string | undefined
}

/** A request without what proxies did to it. */
export interface Origin {
  readonly ip: string | undefined
  /** `undefined` for a `Host` that is none. */
  readonly base: Base | undefined
  readonly scheme: 'http' | 'https'
  readonly trusted: boolean
}

const LONGEST_HEADER = 2_048
const MOST_HOPS = 32

/**
 * Finds who asked: walks the hops from here outwards as long as the one that spoke is a trusted proxy. What is no address ends
 * the walk, and no name is ever looked up.
 */
export function originOfRequest(
  request: RequestBase,
  kind: ProxyHeaders,
  isTrusted: (ip: string) => boolean,
): Origin {
  const { scheme } = request
  let ip = parseIp(request.remoteAddress)
  let believed: Hop | undefined
  if (kind !== 'none' && ip !== undefined && isTrusted(ip)) {
    for (const hop of hopsOf(request, kind).reverse()) {
      if (!isTrusted(ip)) break
      // A trusted proxy wrote it. Where it hides the address, its scheme and host count all the same.
      believed = hop
      if (hop.ip === undefined) break
      ip = hop.ip
    }
  }
  if (believed === undefined) return { ip, scheme, base: seenBase(request), trusted: false }
  const outer = believed.scheme === 'http' || believed.scheme === 'https' ? believed.scheme : scheme
  const named = parseAuthority(believed.host)
  if (named === undefined) {
    const seen = seenBase({ ...request, scheme: outer, port: portOf(believed.port) ?? request.port })
    return { ip, scheme: outer, base: seen, trusted: true }
  }
  const port = named.port ?? portOf(believed.port) ?? usualPort(outer)
  return { ip, scheme: outer, base: { scheme: outer, host: named.host, port }, trusted: true }
}

/** The base of a request as the server saw it. */
export function seenBase({ scheme, host, port }: RequestBase): Base | undefined {
  const authority = parseAuthority(host)
  if (authority === undefined) return undefined
  return { scheme, host: authority.host, port: authority.port ?? port ?? usualPort(scheme) }
}

function hopsOf({ headers }: RequestBase, kind: ProxyHeaders): Hop[] {
  return kind === 'forwarded' ? forwardedHops(headers['forwarded']) : xForwardedHops(headers)
}

/** The text of a header that is short enough; several of one name are one list. */
function textOf(header: string | readonly string[] | undefined): string | undefined {
  const text = typeof header === 'string' ? header : Array.isArray(header) ? header.join(',') : undefined
  return text === undefined || text.length > LONGEST_HEADER ? undefined : text
}

function listOf(header: string | readonly string[] | undefined): string[] {
  const text = textOf(header)
  if (text === undefined || text.trim() === '') return []
  const items = text.split(',').map((item) => item.trim())
  return items.length > MOST_HOPS ? [] : items
}

function xForwardedHops(headers: RequestBase['headers']): Hop[] {
  const addresses = listOf(headers['x-forwarded-for'])
  const hasMore = ['proto', 'host', 'port'].some((name) => listOf(headers[`x-forwarded-${name}`]).length > 0)
  // Some proxies say how they were reached, and not by whom.
  if (addresses.length === 0 && hasMore) addresses.push('')
  const [schemes, hosts, ports] = ['proto', 'host', 'port'].map((name) =>
    listOf(headers[`x-forwarded-${name}`]),
  )
  // Where every proxy added a value each hop has its own; else the last was written by the proxy that is nearest.
  const at = (list: readonly string[] = [], index: number): string | undefined =>
    list.length === addresses.length ? list[index] : list.at(-1)
  return addresses.map((address, index) => ({
    ip: addressOf(address),
    scheme: at(schemes, index)?.toLowerCase(),
    host: at(hosts, index),
    port: at(ports, index),
  }))
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const PAIR = new RegExp(`\\s*(${TOKEN})=(${TOKEN}|"(?:[^"\\\\]|\\\\.)*")\\s*(;|,|$)`, 'y')

/** Reads `Forwarded` (RFC 7239). One that is not well formed counts as not sent: what it says could be read in two ways. */
function forwardedHops(header: string | readonly string[] | undefined): Hop[] {
  const text = textOf(header)
  if (text === undefined || text.trim() === '') return []
  const elements: Record<string, string>[] = [{}]
  PAIR.lastIndex = 0
  while (PAIR.lastIndex < text.length) {
    const [, name, value = '', end] = PAIR.exec(text) ?? []
    if (name === undefined) return []
    const element = elements.at(-1) as Record<string, string>
    const key = name.toLowerCase()
    if (Object.hasOwn(element, key)) return []
    if (['for', 'by', 'host', 'proto'].includes(key))
      element[key] = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value
    if (end === ',') elements.push({})
    if (end !== '' && PAIR.lastIndex >= text.length) return []
  }
  if (elements.length > MOST_HOPS) return []
  return elements.map(({ for: address, proto, host }) => ({
    ip: addressOf(address),
    scheme: proto?.toLowerCase(),
    host,
    port: undefined,
  }))
}

/** An address with or without a port: `203.0.113.7:4711`, `[2001:db8::1]:4711`. Whatever else stands there is none. */
function addressOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const bracketed = /^\[([\da-f:.]+)\](?::\d{1,5})?$/i.exec(text)?.[1]
  const withPort = /^(\d[\d.]*):\d{1,5}$/.exec(text)?.[1]
  return parseIp(bracketed ?? withPort ?? text)
}

function portOf(text: string | undefined): number | undefined {
  const port = /^\d{1,5}$/.test(text ?? '') ? Number(text) : 0
  return port >= 1 && port <= 65_535 ? port : undefined
}
