import { type IpAddress, isWithin, parseAddress, parseNetwork } from './hosts.js'

/** A proxy, and the credentials that it gets. */
export interface HttpProxy {
  readonly protocol: 'http:' | 'https:'
  readonly host: string
  readonly port: number
  /** Value of `Proxy-Authorization`. */
  readonly authorization?: string
  /** Tells it from others in the name of a lane; holds no password. */
  readonly key: string
}

/** Answers the proxy for a host, or `undefined` for none. */
export type ProxyChoice = (host: string, port: number) => HttpProxy | undefined

const LONGEST_PATTERN = 300
/** Hosts whose proxy is remembered. */
const REMEMBERED_HOSTS = 1_000

interface Mapping {
  readonly pattern: RegExp
  readonly proxy: HttpProxy | undefined
}

/** @returns what is wrong with a mapping, or `undefined`; never a part of it, since it may hold a password */
export function mappingFault(text: string): string | undefined {
  try {
    parseMapping(text)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/**
 * Reads `regex;uri`. The pattern has to match the whole host, whatever its case; `NO_PROXY` in place of the URI is none.
 *
 * @throws {TypeError} says what is wrong, without the text
 */
export function parseMapping(text: string): Mapping {
  const at = text.lastIndexOf(';')
  if (at < 1) throw new TypeError('must be "regex;uri", such as ".*\\.example\\.com;http://proxy:3128"')
  const source = text.slice(0, at)
  if (source.length > LONGEST_PATTERN)
    throw new TypeError(`must have a pattern of at most ${LONGEST_PATTERN} characters`)
  let pattern: RegExp
  try {
    pattern = new RegExp(`^(?:${source})$`, 'i')
  } catch {
    throw new TypeError('must have a valid regular expression before the last ";"')
  }
  const uri = text.slice(at + 1).trim()
  return { pattern, proxy: uri === 'NO_PROXY' ? undefined : parseProxy(uri) }
}

/**
 * Reads the URI of a proxy.
 *
 * @throws {TypeError} says what is wrong, without the text
 */
export function parseProxy(uri: string): HttpProxy {
  if (!URL.canParse(uri)) throw new TypeError('must have a URI of a proxy, such as "http://proxy:3128"')
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(uri)
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new TypeError('must have a proxy whose scheme is "http" or "https"')
  if (!/^\/?$/.test(pathname) || search !== '' || hash !== '')
    throw new TypeError('must have a proxy without path, query and fragment')
  if (username !== '' && password === '')
    throw new TypeError('must have a password where the proxy has a user: "http://user:password@proxy:3128"')
  if (username === '' && password !== '')
    throw new TypeError('must have a user where the proxy has a password')
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  const number = Number(port) || (protocol === 'https:' ? 443 : 80)
  const user = username === '' ? '' : decoded(username)
  const credentials = Buffer.from(`${user}:${decoded(password)}`).toString('base64')
  return {
    protocol,
    host,
    port: number,
    key: `${protocol}//${user}@${host}:${number}`,
    ...(username !== '' && { authorization: `Basic ${credentials}` }),
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new TypeError('must have a user and a password of the proxy that are percent-encoded')
  }
}

/** The proxies of a configuration: the first mapping that matches decides, and where none does there is no proxy. */
export function mappedProxies(texts: readonly string[]): ProxyChoice {
  const mappings = texts.map(parseMapping)
  const known = new Map<string, HttpProxy | undefined>()
  return (host) => {
    if (known.has(host)) return known.get(host)
    const proxy = mappings.find(({ pattern }) => pattern.test(host))?.proxy
    if (known.size >= REMEMBERED_HOSTS) known.delete(known.keys().next().value as string)
    known.set(host, proxy)
    return proxy
  }
}

/**
 * The proxy of the environment: `https_proxy`, else `http_proxy`, each in lower case before upper case, for every target
 * except those of `no_proxy`.
 *
 * @returns `undefined` when the environment names none
 * @throws {TypeError} names the variable
 */
export function environmentProxies(
  env: Readonly<Record<string, string | undefined>>,
): ProxyChoice | undefined {
  // In a CGI program HTTP_PROXY is what the client sent as the header "Proxy".
  const names = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', ...(env['REQUEST_METHOD'] ? [] : ['HTTP_PROXY'])]
  const name = names.find((item) => (env[item] ?? '').trim() !== '')
  if (name === undefined) return undefined
  const text = (env[name] ?? '').trim()
  let proxy: HttpProxy
  try {
    proxy = parseProxy(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  } catch (error) {
    throw new TypeError(`the environment variable ${name} ${(error as Error).message}`)
  }
  const without = withoutProxy(env['no_proxy'] ?? env['NO_PROXY'] ?? '')
  return (host, port) => (without(host, port) ? undefined : proxy)
}

/** `no_proxy`: a host with all below it, with or without a port; a network; `*`. */
function withoutProxy(list: string): (host: string, port: number) => boolean {
  const entries = list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map((entry) => entry.toLowerCase())
  return (host, port) => {
    const address = parseAddress(host)
    return entries.some((entry) => {
      if (entry === '*') return true
      if (address !== undefined) return matchesAddress(entry, address, port)
      const [, name = '', only] = /^(?:\*?\.)?([^:]+)(?::(\d+))?$/.exec(entry) ?? []
      if (name === '' || (only !== undefined && Number(only) !== port)) return false
      return host === name || host.endsWith(`.${name}`)
    })
  }
}

function matchesAddress(entry: string, address: IpAddress, port: number): boolean {
  if (entry.includes('/')) {
    const [, text = '', bits] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? []
    const read = parseNetwork(text, bits)
    return read !== undefined && isWithin(address, read.network, read.prefix)
  }
  const exact = parseAddress(entry)
  if (exact !== undefined) return exact.toString() === address.toString()
  const [, bare = entry, only] = /^\[?([^\]]+?)\]?(?::(\d+))?$/.exec(entry) ?? []
  return parseAddress(bare)?.toString() === address.toString() && (!only || Number(only) === port)
}
