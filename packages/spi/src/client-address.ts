import { isIP } from 'node:net'

/**
 * One hop of a request on its way here: what a proxy said of the connection that it had. The `ip` is the other end of that
 * connection as {@link parseIp} answers it, and `undefined` where the proxy named none.
 */
export interface ForwardedHop {
  readonly ip: string | undefined
}

/** No server has more proxies. */
const MOST_HOPS = 32

/** Networks that have a name, as in Express and other servers. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

/**
 * Reads a full address, in canonical form: IPv4 within IPv6 is IPv4, the zone of a link-local address is dropped.
 *
 * @returns `undefined` for everything else: names, short and octal forms, an address with a port
 */
export function parseIp(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > 80) return undefined
  const plain = text.replace(/%[\w.-]{1,32}$/, '')
  const version = isIP(plain)
  if (version === 0 || plain.includes('%')) return undefined
  if (version === 4) return plain
  const canonical = new URL(`http://[${plain}]/`).hostname.slice(1, -1)
  const [, high = '', low = ''] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(canonical) ?? []
  if (high === '') return canonical
  return [high, low].flatMap((word) => bytesOfWord(word)).join('.')
}

/** @returns what is wrong with an entry of a list of proxies, or `undefined` */
export function trustedProxyFault(entry: unknown): string | undefined {
  if (typeof entry === 'string' && Object.hasOwn(NAMED, entry)) return undefined
  const network = typeof entry === 'string' ? parseNetwork(entry) : undefined
  if (network === undefined)
    return 'must be an address, a network such as "10.0.0.0/8", "loopback", "linklocal" or "uniquelocal"'
  return network.prefix === 0
    ? 'must not be every address: then every client would count as a proxy'
    : undefined
}

/**
 * Makes a function that tells whether an address, as {@link parseIp} answers it, is one of a list of proxies.
 *
 * @param entries Addresses, networks with a prefix or a mask, `loopback`, `linklocal`, `uniquelocal`; each without a fault.
 */
export function trustedProxyList(entries: readonly string[]): (ip: string) => boolean {
  const networks = entries
    .flatMap((entry) => (Object.hasOwn(NAMED, entry) ? (NAMED[entry] ?? []) : entry))
    .flatMap((entry) => parseNetwork(entry) ?? [])
  return (ip) => {
    const bytes = bytesOf(ip)
    return networks.some((network) => isWithin(bytes, network))
  }
}

/** The entries of a header that is a list; several headers of one name are one list, and empty entries count for nothing. */
export function headerList(header: string | readonly string[] | undefined): string[] {
  const text = typeof header === 'string' ? header : Array.isArray(header) ? header.join(',') : ''
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

/**
 * The address that a proxy names, with or without a port: `203.0.113.7:4711`, `[2001:db8::1]:4711`.
 *
 * @returns `undefined` for whatever else stands there; no name is ever looked up
 */
export function forwardedAddress(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const bracketed = /^\[([\da-f:.]+)\](?::\d{1,5})?$/i.exec(text)?.[1]
  const withPort = /^(\d[\d.]*):\d{1,5}$/.exec(text)?.[1]
  return parseIp(bracketed ?? withPort ?? text)
}

/**
 * Finds the client: walks from this end of the connection outwards as long as the one that spoke is a trusted proxy. What a
 * client wrote itself lies behind it and is never reached.
 *
 * @param hops The one that the nearest proxy wrote last.
 * @returns `ip`: the first address that is no trusted proxy; `undefined` where a trusted proxy named none, or there are too many.
 *   `hop`: what the outermost trusted proxy said; `undefined` where none spoke
 */
export function walkHops<H extends ForwardedHop>(
  remoteAddress: unknown,
  hops: readonly H[],
  isTrusted: (ip: string) => boolean,
): { readonly ip: string | undefined; readonly hop: H | undefined } {
  let ip = parseIp(remoteAddress)
  let hop: H | undefined
  for (let walked = 0; ip !== undefined && isTrusted(ip); walked++) {
    const next = hops[hops.length - 1 - walked]
    if (next === undefined) break
    if (walked === MOST_HOPS) return { ip: undefined, hop: undefined }
    hop = next
    ip = next.ip
  }
  return { ip, hop }
}

interface Network {
  readonly bytes: readonly number[]
  readonly prefix: number
}

function parseNetwork(entry: string): Network | undefined {
  const [, text = '', , width] = /^([^/%]+)(\/([\d.]{1,15}))?$/.exec(entry) ?? []
  const ip = parseIp(text)
  if (ip === undefined) return undefined
  const bytes = bytesOf(ip)
  const longest = bytes.length * 8
  if (width === undefined) return { bytes, prefix: longest }
  // IPv4 that is written within IPv6 has its bits counted there.
  const isWithinIpv6 = longest === 32 && text.includes(':')
  const isMask = width.includes('.')
  if (isMask && (longest !== 32 || isWithinIpv6)) return undefined
  const prefix = isMask ? bitsOfMask(width) : Number(width) - (isWithinIpv6 ? 96 : 0)
  return prefix >= 0 && prefix <= longest ? { bytes, prefix } : undefined
}

function bitsOfMask(mask: string): number {
  if (isIP(mask) !== 4) return Number.NaN
  const bits = bytesOf(mask)
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('')
  return /^1*0*$/.test(bits) ? bits.replaceAll('0', '').length : Number.NaN
}

function isWithin(address: readonly number[], { bytes, prefix }: Network): boolean {
  if (address.length !== bytes.length) return false
  return bytes.every((byte, index) => {
    const free = Math.min(8, Math.max(0, (index + 1) * 8 - prefix))
    return byte >> free === (address[index] ?? 0) >> free
  })
}

/** The bytes of an address in canonical form: 4 or 16. */
function bytesOf(ip: string): number[] {
  if (!ip.includes(':')) return ip.split('.').map(Number)
  const [head = [], tail = []] = ip.split('::').map((half) => half.split(':').filter((word) => word !== ''))
  const zeros = new Array<string>(8 - head.length - tail.length).fill('0')
  return [...head, ...zeros, ...tail].flatMap((word) => bytesOfWord(word))
}

function bytesOfWord(word: string): [number, number] {
  const value = Number.parseInt(word, 16)
  return [value >> 8, value & 255]
}
