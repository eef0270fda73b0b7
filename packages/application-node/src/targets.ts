import { ConfigurationError } from '@authstate/spi'
import type { ClientTargets, MessageKind } from './contract.js'
import { canonicalHost, hostOfUrl, hostRuleFault, isHostAllowed, urlHost } from './hosts.js'

/** Stands in a URL for the node that a session belongs to. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text itself
export const SESSION_HOST = '${application.session.host}'

/** A name that no rule has, in place of the node while a URL is looked at. */
const STAND_IN = 'session-host'

const MAX_NODES = 100
/** A registry is read whole. */
const MOST_NODES = 1_000
/** More than a century: as good as for ever. */
const LONGEST_MS = 36_525 * 86_400_000

/** Properties with a URL, and what goes there. */
export const URLS = {
  managementUrl: 'admin-action',
  backchannelLogoutUri: 'logout-token',
  securityEventUri: 'security-event',
} as const satisfies Readonly<Record<string, MessageKind>>

type UrlProperty = keyof typeof URLS

/** A URL of a client, looked at. */
export interface TargetUrl {
  /** Whether it wants the node that a session belongs to. */
  readonly wantsSessionHost: boolean
  /** Of the URL as it stands; of one that wants a node, none. */
  readonly host: string | undefined
  /** The URL, at another host if one is given. `undefined` where it wants a node and gets none, or a host that is none comes out. */
  at(host: string | undefined): URL | undefined
}

/** Where a client is reached, looked at. */
export interface CheckedTargets {
  readonly urls: Readonly<Partial<Record<MessageKind, TargetUrl>>>
  readonly everyNode: boolean
  readonly nodeTimeoutMs: number
  readonly maxNodes: number
  readonly egress: readonly string[]
  readonly honoursEventTime: boolean
  readonly alg: string | undefined
  /** Whether the client's rules have a host, now. */
  isAllowed(host: string): boolean
}

/** @throws {ConfigurationError} naming the client and the property */
export function checkTargets(clientId: string, targets: ClientTargets): CheckedTargets {
  const fault = (property: string, message: string): ConfigurationError =>
    new ConfigurationError(`application-node: client ${quoted(clientId)}: "${property}" ${message}`)
  if (typeof targets !== 'object' || targets === null) throw fault('clients', 'must answer an object')
  const { allowedHosts, egress = [], nodeTimeoutMs = 0, maxNodes = MAX_NODES, alg } = targets
  for (const name of Object.keys(targets)) {
    if (!(PROPERTIES as readonly string[]).includes(name))
      throw fault(name, `is unknown. Known: ${PROPERTIES.join(', ')}`)
  }
  for (const name of ['everyNode', 'allowInsecure', 'honoursEventTime'] as const) {
    if (targets[name] !== undefined && typeof targets[name] !== 'boolean')
      throw fault(name, 'must be true or false')
  }
  if (allowedHosts !== undefined && !Array.isArray(allowedHosts))
    throw fault('allowedHosts', 'must be a list')
  for (const rule of allowedHosts ?? []) {
    const wrong = hostRuleFault(rule)
    if (wrong !== undefined) throw fault('allowedHosts', wrong)
  }
  if (!Array.isArray(egress) || egress.some((rule) => typeof rule !== 'string'))
    throw fault('egress', 'must be a list of networks')
  if (!isWhole(nodeTimeoutMs, 0, LONGEST_MS)) throw fault('nodeTimeoutMs', 'must be whole milliseconds')
  if (!isWhole(maxNodes, 1, MOST_NODES)) throw fault('maxNodes', `must be a whole number, 1 to ${MOST_NODES}`)
  if (alg !== undefined && (typeof alg !== 'string' || alg === '' || alg.toLowerCase() === 'none'))
    throw fault('alg', 'must be an algorithm other than "none"')
  const urls: Partial<Record<MessageKind, TargetUrl>> = {}
  for (const [property, kind] of Object.entries(URLS) as [UrlProperty, MessageKind][]) {
    const url = targets[property]
    if (url === undefined) continue
    const wrong = urlFault(url, targets.allowInsecure === true)
    if (wrong !== undefined) throw fault(property, wrong)
    const checked = targetUrl(url)
    if (checked.wantsSessionHost && (allowedHosts ?? []).length === 0)
      throw fault('allowedHosts', `must name hosts, because "${property}" has "${SESSION_HOST}"`)
    urls[kind] = checked
  }
  const named = Object.values(urls).map(({ host }) => host)
  return {
    urls,
    everyNode: targets.everyNode === true,
    nodeTimeoutMs,
    maxNodes,
    egress,
    honoursEventTime: targets.honoursEventTime === true,
    alg,
    isAllowed: (host) =>
      allowedHosts === undefined ? named.includes(host) : isHostAllowed(host, allowedHosts),
  }
}

const PROPERTIES: readonly (keyof ClientTargets)[] = [
  'managementUrl',
  'backchannelLogoutUri',
  'securityEventUri',
  'everyNode',
  'allowedHosts',
  'egress',
  'allowInsecure',
  'nodeTimeoutMs',
  'maxNodes',
  'honoursEventTime',
  'alg',
]

/** The parts of a URL by which it is looked at before a parser makes another one of it. */
const PARTS = /^(https?):\/\/([^/?#\\]*)([/?][^#]*)?$/i

function urlFault(url: unknown, allowInsecure: boolean): string | undefined {
  if (typeof url !== 'string') return 'must be a URL'
  const [, scheme = '', authority = '', rest = ''] = PARTS.exec(url) ?? []
  if (authority === '' || url.length > 2_000)
    return 'must be an absolute URL, http or https, without a fragment'
  if (scheme.toLowerCase() === 'http' && !allowInsecure) return 'must be https, or the client "allowInsecure"'
  if (authority.includes('@')) return 'must be without user and password'
  const behind = authority.startsWith(SESSION_HOST) ? authority.slice(SESSION_HOST.length) : authority
  const isLabel = behind === authority || /^($|[.:])/.test(behind)
  if (!isLabel || `${behind}${rest}`.includes('${'))
    return `can have "${SESSION_HOST}" in the host only, alone or as its first labels`
  const parsed = parse(url, STAND_IN)
  if (parsed === undefined || canonicalHost(hostOfUrl(parsed)) !== hostOfUrl(parsed))
    return 'must be a URL with a host'
  return undefined
}

function targetUrl(template: string): TargetUrl {
  const wantsSessionHost = template.includes(SESSION_HOST)
  const own = wantsSessionHost ? undefined : parse(template, '')
  return {
    wantsSessionHost,
    host: own && hostOfUrl(own),
    at: (host) => {
      if (wantsSessionHost && host === undefined) return undefined
      const url = parse(template, host === undefined ? '' : urlHost(host))
      if (url === undefined) return undefined
      if (!wantsSessionHost && host !== undefined) url.hostname = urlHost(host)
      const reached = hostOfUrl(url)
      // A parser keeps the host that was there when it is given one that is none.
      const isReached = wantsSessionHost || host === undefined || reached === host
      return isReached && canonicalHost(reached) === reached ? url : undefined
    },
  }
}

function parse(template: string, host: string): URL | undefined {
  const text = template.replace(SESSION_HOST, () => host)
  return URL.canParse(text) ? new URL(text) : undefined
}

const isWhole = (value: unknown, least: number, most: number): boolean =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most

/** A client id as a message may hold it: that of a configuration, in short. */
const quoted = (text: string): string => JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text)
