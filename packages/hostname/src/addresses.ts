import { BlockList, isIP } from 'node:net'

/** Networks that have a name, as in Express and other servers. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

/**
 * Reads a full address, in canonical form: IPv4 within IPv6 is IPv4, the zone of a link-local address is dropped.
 *
 * @returns `undefined` for everything else: names, short forms, an address with a port
 */
export function parseIp(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > 80) return undefined
  const plain = text.replace(/%[\w.-]{1,32}$/, '')
  const version = isIP(plain)
  if (version === 0) return undefined
  if (version === 4) return plain
  const canonical = new URL(`http://[${plain}]/`).hostname.slice(1, -1)
  const [, high = '', low = ''] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(canonical) ?? []
  if (high === '') return canonical
  return [Number.parseInt(high, 16), Number.parseInt(low, 16)]
    .flatMap((part) => [part >> 8, part & 255])
    .join('.')
}

/** @returns what is wrong with an entry of a list of proxies, or `undefined` */
export function proxyFault(entry: string): string | undefined {
  if (Object.hasOwn(NAMED, entry)) return undefined
  const [address = '', prefix, more] = entry.split('/')
  const version = isIP(address)
  const longest = version === 4 ? 32 : 128
  const isValid =
    version !== 0 &&
    !address.includes('%') &&
    more === undefined &&
    (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= longest))
  if (!isValid)
    return 'must be an address, a network such as "10.0.0.0/8", "loopback", "linklocal" or "uniquelocal"'
  return prefix !== undefined && Number(prefix) === 0
    ? 'must not be every address: then anybody is a proxy'
    : undefined
}

/** Makes a function that tells whether an address is one of a list of proxies. */
export function proxyList(entries: readonly string[]): (ip: string) => boolean {
  const list = new BlockList()
  for (const entry of entries.flatMap((one) => (Object.hasOwn(NAMED, one) ? (NAMED[one] ?? []) : one))) {
    const [address = '', prefix] = entry.split('/')
    const plain = parseIp(address) ?? address
    const family = isIP(plain) === 4 ? 'ipv4' : 'ipv6'
    // A network that is written as IPv4 within IPv6 has its prefix counted there.
    const shift = family === 'ipv4' && isIP(address) === 6 ? 96 : 0
    const bits = prefix === undefined ? (family === 'ipv4' ? 32 : 128) : Math.max(0, Number(prefix) - shift)
    list.addSubnet(plain, bits, family)
  }
  return (ip) => list.check(ip, isIP(ip) === 4 ? 'ipv4' : 'ipv6')
}
