import { assertOptions, type Known } from '@authstate/spi'
import ipaddr from 'ipaddr.js'
import { type IpAddress, parseIp } from './address.js'

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
  const isTrusted = isTrustedBy(trustedProxies)
  return (origin) => {
    assertOptions(origin, 'origin', ORIGIN)
    const { remoteAddress, forwardedFor = '' } = origin
    if (remoteAddress === undefined) return undefined
    const forwarded = forwardedFor.split(',').map((text) => text.trim())
    const addresses = [remoteAddress, ...forwarded.filter((text) => text !== '').reverse()]
    const client = addresses.find((text) => !isTrusted(text)) ?? addresses.at(-1)
    return ipOf(client as string)?.toString()
  }
}

const NAMES: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.1/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

interface Network {
  readonly address: IpAddress
  readonly prefix: number
}

/**
 * Makes a function that tells whether an address is one of a list.
 *
 * @param proxies Addresses, networks with a prefix or a mask, or names of {@link NAMES}.
 * @throws {TypeError} an entry is none of these
 */
function isTrustedBy(proxies: readonly string[]): (address: string) => boolean {
  const networks = proxies
    .flatMap((entry) => (Object.hasOwn(NAMES, entry) ? (NAMES[entry] as readonly string[]) : entry))
    .map(networkOf)
  return (text) => {
    const address = ipOf(text)
    if (address === undefined) return false
    return networks.some(
      (network) =>
        network.address.kind() === address.kind() &&
        (address as ipaddr.IPv4).match(network.address as ipaddr.IPv4, network.prefix),
    )
  }
}

function networkOf(entry: string): Network {
  const slash = entry.lastIndexOf('/')
  const text = slash < 0 ? entry : entry.slice(0, slash)
  const address = ipOf(text)
  if (address === undefined)
    throw new TypeError('"trustedProxies" has an entry that is no address, network or name')
  const bits = address.kind() === 'ipv4' ? 32 : 128
  const isWithinIpv6 = bits === 32 && text.includes(':')
  let prefix = bits
  if (slash >= 0) {
    const given = entry.slice(slash + 1)
    if (/^\d+$/.test(given)) prefix = Number(given) - (isWithinIpv6 ? 96 : 0)
    else prefix = bits === 32 && !isWithinIpv6 ? bitsOfMask(given) : Number.NaN
  }
  if (!(prefix >= (isWithinIpv6 ? 0 : 1) && prefix <= bits))
    throw new TypeError('"trustedProxies" has a network whose prefix is out of range')
  return { address, prefix }
}

const bitsOfMask = (text: string): number =>
  ipaddr.IPv4.isValidFourPartDecimal(text)
    ? (ipaddr.IPv4.parse(text).prefixLengthFromSubnetMask() ?? Number.NaN)
    : Number.NaN

function ipOf(text: string): IpAddress | undefined {
  try {
    return parseIp(text)
  } catch {
    return undefined
  }
}
