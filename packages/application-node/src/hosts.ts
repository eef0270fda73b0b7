import { BlockList, isIP, isIPv4 } from 'node:net'
import { domainToASCII } from 'node:url'
import { hostPattern, isHostName, isHostPattern } from '@authstate/spi/internal'

/** What no host has: port, path, user, blank, escapes, brackets, control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const FOREIGN = /[\u0000-\u0020\u007f:/?#@%\\[\]<>^|]/

/**
 * A host as it is stored and compared: lower-case ASCII; an IPv6 address without brackets, in its shortest form.
 *
 * @returns `undefined` for what is none: with a port, a path, a user, escapes, a dot at the end, an empty label, a number that a browser
 *   would take for an address (`127.1`, `0x7f.1`, `2130706433`), faulty punycode, more than 253 characters
 */
export function canonicalHost(text: string): string | undefined {
  if (text.length === 0 || text.length > 253) return undefined
  if (isIP(text) === 6) return text.includes('%') ? undefined : hostOf(`https://[${text}]/`)?.slice(1, -1)
  if (FOREIGN.test(text)) return undefined
  const lower = text.toLowerCase()
  const ascii = domainToASCII(lower)
  const isAscii = /^[\x21-\x7e]*$/.test(lower)
  if (ascii === '' || (isAscii && ascii !== lower) || !isHostName(ascii)) return undefined
  if (isIPv4(ascii) && ascii !== lower) return undefined
  return hostOf(`https://${ascii}/`) === ascii ? ascii : undefined
}

/** A host as a URL has it. */
export const urlHost = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host)

/** The host of a URL as {@link canonicalHost} has it. */
export function hostOfUrl(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
}

/** Why a text is no rule of `allowedHosts`; `undefined` for one that is. */
export function hostRuleFault(text: unknown): string | undefined {
  const isRule =
    typeof text === 'string' && text.length <= 300 && (networkOf(text) !== undefined || isPattern(text))
  return isRule ? undefined : 'must be a host, a host with "*" for characters within one label, or a network'
}

/** Whether a rule of `allowedHosts` has a host. An address is only had by a network, or by the very address. */
export function isHostAllowed(host: string, rules: readonly string[]): boolean {
  const family = isIP(host)
  return rules.some((rule) => {
    const network = networkOf(rule)
    if (network !== undefined) return family !== 0 && network.has(host, family === 6 ? 'ipv6' : 'ipv4')
    return family === 0 && hostPattern(rule)(host)
  })
}

// A pattern that ends in a number would have addresses: those are for networks.
const isPattern = (text: string): boolean => isHostPattern(text) && !/(^|\.)[0-9*]*[0-9][0-9*]*$/.test(text)

interface Network {
  has(address: string, family: 'ipv4' | 'ipv6'): boolean
}

function networkOf(text: string): Network | undefined {
  const [, address = '', length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const family = isIP(address)
  const bits = family === 6 ? 128 : 32
  if (family === 0 || address.includes('%') || Number(length ?? 0) > bits) return undefined
  const type = family === 6 ? 'ipv6' : 'ipv4'
  const list = new BlockList()
  list.addSubnet(address, Number(length ?? bits), type)
  // A block list also finds an IPv4 address written as one of IPv6: what is compared is of the rule's own family.
  return { has: (host, other) => other === type && list.check(host, type) }
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined
}
