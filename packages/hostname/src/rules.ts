import { ConfigurationError } from '@authstate/spi'
import { isHostName } from '@authstate/spi/internal'

/** Scheme, host and port, each in the one form in which two can be compared. */
export interface Base {
  readonly scheme: 'http' | 'https'
  /** A name in lower case, or an address; IPv6 in brackets. */
  readonly host: string
  readonly port: number
}

const USUAL_PORT = { http: 80, https: 443 } as const
const LONGEST_URI = 8_192

export const usualPort = (scheme: 'http' | 'https'): number => USUAL_PORT[scheme]

/** `host`, or `host:port` where the port is not the usual one. */
export const authorityOf = ({ scheme, host, port }: Base): string =>
  port === USUAL_PORT[scheme] ? host : `${host}:${port}`

export const originOf = (base: Base): string => `${base.scheme}://${authorityOf(base)}`

/** Host and port of a `Host` header or its like; `undefined` for what is none. */
export function parseAuthority(text: unknown): { readonly host: string; readonly port?: number } | undefined {
  if (typeof text !== 'string' || text.length > 300) return undefined
  const [, host = '', port] = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i.exec(text) ?? []
  if (host === '' || (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))) return undefined
  const canonical = canonicalHost(host)
  if (canonical === undefined) return undefined
  return { host: canonical, ...(port !== undefined && { port: Number(port) }) }
}

/** A host as a URL has it. A short or octal form of an address is none: others read it differently. */
function canonicalHost(host: string): string | undefined {
  if (!URL.canParse(`http://${host}/`)) return undefined
  const { hostname } = new URL(`http://${host}/`)
  if (host.startsWith('[')) return hostname
  return hostname === host.toLowerCase() && isHostName(hostname) ? hostname : undefined
}

/** @returns what is wrong with the text of a base URL, or `undefined` */
export function baseUrlFault(text: unknown): string | undefined {
  try {
    parseBaseUrl(text)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/**
 * Reads the base URL of a server: `https://login.example.com/auth`, or a bare host, which means https. Its path has no slash at
 * the end, but for the one that every URL has.
 *
 * @throws {TypeError} says what is wrong, without the text
 */
export function parseBaseUrl(text: unknown): URL {
  const wrong = new TypeError('must be a URL such as "https://login.example.com/auth", or a host')
  if (typeof text !== 'string' || text.length > LONGEST_URI || /[\0-\x20\x7f\\]/.test(text)) throw wrong
  const isBare = parseAuthority(text) !== undefined
  if (!isBare && !/^https?:\/\/[^/]/i.test(text)) throw wrong
  const full = isBare ? `https://${text}` : text
  if (!URL.canParse(full)) throw wrong
  const url = new URL(full)
  if (url.username !== '' || url.password !== '') throw new TypeError('must have no user and no password')
  if (full.includes('?') || full.includes('#')) throw new TypeError('must have no query and no fragment')
  if (parseAuthority(url.host) === undefined) throw wrong
  url.pathname = url.pathname.replace(/\/+$/, '')
  return url
}

/**
 * Reads the frontend URL of a realm. Call it before the settings of a realm are stored.
 *
 * @throws {ConfigurationError} says what is wrong, without the text
 */
export function parseFrontendUrl(text: unknown): URL {
  const fault = baseUrlFault(text)
  if (fault !== undefined) throw new ConfigurationError(`"frontendUrl" of a realm ${fault}`)
  return parseBaseUrl(text)
}

/** A base URL without the slash that stands for no path. */
export const bare = (url: URL): string => url.origin + pathOf(url)

/** The path of a base URL; empty for none. */
export const pathOf = ({ pathname }: URL): string => (pathname === '/' ? '' : pathname)

/** @returns what kind of URI of a client this is, or `undefined` for one that is refused */
export function uriKind(value: string): 'path' | 'absolute' | undefined {
  // Backslashes and control characters are read as something else by the one who follows the URL.
  if (value.length > LONGEST_URI || /[\0-\x20\x7f-\x9f\\]/.test(value) || !value.isWellFormed())
    return undefined
  if (value.startsWith('/')) return value.startsWith('//') ? undefined : 'path'
  if (!/^https?:\/\/[^/]/i.test(value) || !URL.canParse(value)) return undefined
  const { username, password, host } = new URL(value)
  return username === '' && password === '' && parseAuthority(host) !== undefined ? 'absolute' : undefined
}
