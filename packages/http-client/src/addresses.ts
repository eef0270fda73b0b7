import ipaddr from 'ipaddr.js'
import { type IpAddress, isWithin, parseNetwork } from './hosts.js'

/** A network that may be reached although it is not public. */
export interface EgressRule {
  readonly network: IpAddress
  readonly prefix: number
  /** Absent: every port that may be reached at all. */
  readonly port?: number
}

/** Where requests may go. */
export interface EgressPolicy {
  readonly rules: readonly EgressRule[]
  /** Inclusive ranges. */
  readonly ports: readonly (readonly [from: number, to: number])[]
  /** Two policies of one key allow the same: connections are shared among them only. */
  readonly key: string
}

/** Shorter prefixes would name half of the internet: the guard cannot be switched off by a rule. */
const SHORTEST_PREFIX = { ipv4: 8, ipv6: 7 } as const
const FORM = '"10.20.0.0/16", "10.20.0.7:8443", "fd00:1::/32" or "[fd00:1::7]:8443"'

/** Services of clouds that give credentials to every caller. They must be named singly. One has a public address. */
const METADATA: ReadonlySet<string> = new Set([
  '169.254.169.254',
  '168.63.129.16',
  '169.254.42.42',
  '169.254.0.23',
  '169.254.170.2',
  '169.254.170.23',
  '100.100.100.200',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
  'fd00:42::42',
])

/** @returns what is wrong with the text of a rule, or `undefined` */
export function egressRuleFault(text: unknown): string | undefined {
  try {
    parseEgressRule(text)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/**
 * Reads a rule: a network or a single address, and a port.
 *
 * @throws {TypeError} the text is no rule, or its network is larger than 10.0.0.0/8 or fc00::/7
 */
export function parseEgressRule(text: unknown): EgressRule {
  const wrong = new TypeError(`must be an address or a network, with or without a port: ${FORM}`)
  if (typeof text !== 'string') throw wrong
  const [, bracketed, bits, port] =
    /^\[([^\]]+)\](?:\/(\d{1,3}))?(?::(\d{1,5}))?$/.exec(text) ??
    /^(\d[\d.]*)(?:\/(\d{1,3}))?(?::(\d{1,5}))?$/.exec(text) ??
    /^([\da-f:.]+)(?:\/(\d{1,3}))?$/i.exec(text) ??
    []
  const [inner = '', innerBits] = (bracketed ?? '').split('/')
  const read = parseNetwork(inner, bits ?? innerBits)
  if (read === undefined) throw wrong
  const { network, prefix } = read
  if (prefix < SHORTEST_PREFIX[network.kind()])
    throw new TypeError(`must not be larger than /${SHORTEST_PREFIX[network.kind()]}`)
  if (port === undefined) return { network, prefix }
  if (Number(port) < 1 || Number(port) > 65_535) throw new TypeError('must have a port from 1 to 65535')
  return { network, prefix, port: Number(port) }
}

/** Whether an address belongs to the internet, and not to a machine, a site, a translation or a purpose of its own. */
export function isPublic(address: IpAddress): boolean {
  if (address.range() !== 'unicast' || METADATA.has(address.toString())) return false
  // Outside of 2000::/3 nothing is assigned to hosts; `::7f00:1` is an old form of 127.0.0.1.
  return address.kind() === 'ipv4' || (address as ipaddr.IPv6).match(ipaddr.IPv6.parse('2000::'), 3)
}

/** Whether a port may be reached: it is in the list, or a rule that covers the address names it. */
export function isAllowed(address: IpAddress, port: number, policy: EgressPolicy): boolean {
  const covering = policy.rules.filter((rule) => covers(rule, address, port))
  if (covering.length === 0 && !isPublic(address)) return false
  return covering.some((rule) => rule.port === port) || isAllowedPort(port, policy)
}

export const isAllowedPort = (port: number, { ports }: EgressPolicy): boolean =>
  ports.some(([from, to]) => from <= port && port <= to)

function covers({ network, prefix, port }: EgressRule, address: IpAddress, wanted: number): boolean {
  if (port !== undefined && port !== wanted) return false
  if (METADATA.has(address.toString()) && prefix !== (address.kind() === 'ipv4' ? 32 : 128)) return false
  return isWithin(address, network, prefix)
}
