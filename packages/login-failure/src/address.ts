/// <reference path="./proxy-addr.d.ts" />
import { assertOptions, type Known } from '@authstate/spi'
import ipaddr from 'ipaddr.js'
import proxyaddr from 'proxy-addr'

/** How many leading bits of an address name the network that is counted as one. */
export interface NetworkPrefixes {
  readonly ipv4Prefix: number
  readonly ipv6Prefix: number
}

/** An address as {@link parseIp} reads it. */
export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6

/**
 * Reads an address. IPv4 within IPv6 (`::ffff:203.0.113.7`) is IPv4; the zone of a link-local address is dropped.
 *
 * @throws {TypeError} anything but one full IPv4 or IPv6 address
 */
export function parseIp(ip: unknown): IpAddress {
  const text = typeof ip === 'string' ? ip.replace(/%[\w.-]{1,32}$/, '') : ''
  // The short and the octal forms that ipaddr.js reads besides are read differently elsewhere.
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text)
  if (text.length <= 45 && ipaddr.IPv6.isValid(text)) return ipaddr.process(text)
  throw new TypeError('"ip" must be an IPv4 or IPv6 address')
}

/** The network an address is counted under: `'203.0.113.7/32'`, `'2001:db8:1:2::/64'`. */
export function networkOf(address: IpAddress, { ipv4Prefix, ipv6Prefix }: NetworkPrefixes): string {
  if (address.kind() === 'ipv4') {
    return `${ipaddr.IPv4.networkAddressFromCIDR(`${address}/${ipv4Prefix}`)}/${ipv4Prefix}`
  }
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/${ipv6Prefix}`)}/${ipv6Prefix}`
}

/** What is known about where a request came from. */
export interface RequestOrigin {
  /** Address of the other end of the connection: `request.socket.remoteAddress`. */
  readonly remoteAddress: string | undefined
  /** The `X-Forwarded-For` header as received, if any. */
  readonly forwardedFor?: string | undefined
}

const ORIGIN: Known<RequestOrigin> = { remoteAddress: true, forwardedFor: true }

/**
 * Makes a function that tells the address of the client behind trusted proxies.
 *
 * It walks `X-Forwarded-For` from its end and stops at the first address that is not a trusted proxy, so that a
 * client cannot make itself another by sending the header.
 *
 * @param trustedProxies Addresses, networks (`'10.0.0.0/8'`) or the names `'loopback'`, `'linklocal'`, `'uniquelocal'`. None: the header is not looked at.
 * @returns `undefined` when what was found is no address
 * @throws {TypeError} an entry of the list is none of these; the function that is made: its argument has another property
 */
export function clientAddressReader(
  trustedProxies: readonly string[],
): (origin: RequestOrigin) => string | undefined {
  const trust = proxyaddr.compile([...trustedProxies])
  return (origin) => {
    assertOptions(origin, 'origin', ORIGIN)
    const { remoteAddress, forwardedFor } = origin
    if (remoteAddress === undefined) return undefined
    const socket = { remoteAddress }
    const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }
    try {
      return parseIp(proxyaddr({ socket, headers }, trust)).toString()
    } catch {
      return undefined
    }
  }
}
