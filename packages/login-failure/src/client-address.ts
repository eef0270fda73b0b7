import { assertOptions, type Known } from '@authstate/spi'
import {
  forwardedAddress,
  headerList,
  trustedProxyFault,
  trustedProxyList,
  walkHops,
} from '@authstate/spi/internal'

/** What is known about where a request came from. */
export interface RequestOrigin {
  /** Address of the other end of the connection: `request.socket.remoteAddress`. */
  readonly remoteAddress: string | undefined
  /** The `X-Forwarded-For` header as received, if any. */
  readonly forwardedFor?: string | undefined
}

const ORIGIN: Known<RequestOrigin> = { remoteAddress: true, forwardedFor: true }

/**
 * Makes a function that tells the address of the client behind trusted proxies. `clientAddress` of `@authstate/hostname` goes by
 * the same rule, and reads `Forwarded`, the scheme and the host as well.
 *
 * It walks `X-Forwarded-For` from its end and stops at the first address that is not a trusted proxy, so that a
 * client cannot make itself another by sending the header. An address may have a port.
 *
 * @param trustedProxies Addresses, networks (`'10.0.0.0/8'`) or the names `'loopback'`, `'linklocal'`, `'uniquelocal'`. None: the header is not looked at.
 * @returns the address in canonical form; `undefined` when what a trusted proxy named is no address, or there are more than 32 proxies
 * @throws {TypeError} an entry of the list is none of these; the function that is made: its argument has another property
 */
export function clientAddressReader(
  trustedProxies: readonly string[],
): (origin: RequestOrigin) => string | undefined {
  for (const [index, entry] of trustedProxies.entries()) {
    const fault = trustedProxyFault(entry)
    if (fault !== undefined) throw new TypeError(`"trustedProxies[${index}]" ${fault}`)
  }
  const isTrusted = trustedProxyList(trustedProxies)
  return (origin) => {
    assertOptions(origin, 'origin', ORIGIN)
    const { remoteAddress, forwardedFor } = origin
    const hops = headerList(forwardedFor).map((text) => ({ ip: forwardedAddress(text) }))
    return walkHops(remoteAddress, hops, isTrusted).ip
  }
}
