import ipaddr from 'ipaddr.js'

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
