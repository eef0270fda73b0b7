import {
  isHostName,
  isHostPattern as isNamePattern,
  hostPattern as namePattern,
} from '@authstate/spi/internal'
import ipaddr from 'ipaddr.js'

/** An address, as ipaddr.js reads it. */
export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6

/** A host in the one form it is connected to. */
export interface Host {
  /** A name in lower-case ASCII, or an address without brackets. */
  readonly text: string
  /** Present when the host is an address. */
  readonly address?: IpAddress
}

/**
 * Reads a full address: IPv4 as four decimal numbers, IPv6 without a zone. IPv4 within IPv6 (`::ffff:203.0.113.7`) is IPv4.
 *
 * @returns `undefined` for everything else, the short and octal forms of IPv4 among it
 */
export function parseAddress(text: string): IpAddress | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text)
  if (text.length > 45 || text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined
  return ipaddr.process(text)
}

/**
 * Reads a network: an address, and how many of its bits count. IPv4 within IPv6 has them counted there, so 96 come off.
 *
 * @param bits Left out: the one address.
 * @returns `undefined` for what is none
 */
export function parseNetwork(
  text: string,
  bits?: string,
): { readonly network: IpAddress; readonly prefix: number } | undefined {
  const network = parseAddress(text)
  if (network === undefined) return undefined
  const longest = network.kind() === 'ipv4' ? 32 : 128
  const isWithinIpv6 = longest === 32 && text.includes(':')
  const prefix = bits === undefined ? longest : Number(bits) - (isWithinIpv6 ? 96 : 0)
  return Number.isInteger(prefix) && prefix >= 0 && prefix <= longest ? { network, prefix } : undefined
}

/** Whether an address is in a network. */
export const isWithin = (address: IpAddress, network: IpAddress, prefix: number): boolean =>
  network.kind() === address.kind() && (address as ipaddr.IPv6).match(network as ipaddr.IPv6, prefix)

/**
 * The host of a URL that `new URL` has read: that turns `127.1`, `0x7f.1` and `2130706433` into the address they mean.
 *
 * @returns `undefined` for a name that is none: an empty or too long label, a dot at the end, a character that no name has
 */
export function hostOf(url: URL): Host | undefined {
  const { hostname } = url
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  const address = parseAddress(bare)
  if (address !== undefined) return { text: address.toString(), address }
  return isHostName(bare) ? { text: bare } : undefined
}

/** Whether a text can be compiled by {@link hostPattern}. */
export const isHostPattern = (text: string): boolean =>
  isNamePattern(text) || parseAddress(text) !== undefined

/** Compiles `'app-*.example.com'`, where `*` stands for any characters within one label, or one address. */
export function hostPattern(text: string): (host: string) => boolean {
  const address = parseAddress(text)
  return address === undefined ? namePattern(text) : (host) => host === address.toString()
}
