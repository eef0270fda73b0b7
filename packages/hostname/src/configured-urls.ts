import { hostPattern, trustedProxyList } from '@authstate/spi/internal'
import { type HostnameConfig, isBackendDynamic } from './config.js'
import type { ClientAddress, RequestBase, UrlType } from './contract.js'
import { originOfRequest, type ProxyHeaders, seenBase, X_FORWARDED } from './forwarded.js'
import { authorityOf, type Base, originOf, parseAuthority, parseBaseUrl, pathOf, usualPort } from './rules.js'
import type { Urls } from './urls.js'

/** URLs as the configuration says. */
export class ConfiguredUrls implements Urls {
  readonly hasRealmUrls = true
  readonly #frontend: URL | undefined
  readonly #admin: URL | undefined
  readonly #isDynamic: boolean
  readonly #proxyHeaders: ProxyHeaders
  readonly #isTrusted: (ip: string) => boolean
  readonly #isAllowed: (base: Base) => boolean

  constructor(config: HostnameConfig) {
    const { frontendUrl, adminUrl, proxyHeaders, xForwarded, trustedProxies, allowedHosts } = config
    this.#frontend = frontendUrl === undefined ? undefined : parseBaseUrl(frontendUrl)
    this.#admin = adminUrl === undefined ? undefined : parseBaseUrl(adminUrl)
    this.#isDynamic = isBackendDynamic(config)
    this.#proxyHeaders = { kind: proxyHeaders, xForwarded: xForwarded ?? X_FORWARDED }
    this.#isTrusted = trustedProxyList(trustedProxies)
    this.#isAllowed = allowedHostList(allowedHosts)
  }

  urlOf(type: UrlType, request: RequestBase | undefined, ofRealm: URL | undefined): URL | undefined {
    switch (type) {
      case 'frontend':
        return this.#frontendOf(request, ofRealm)
      case 'admin':
        return this.#admin ?? this.#frontendOf(request, ofRealm)
      case 'local-admin':
        return request && this.#local(request)
      case 'backend':
        return this.#backend(request, ofRealm)
    }
  }

  addressOf(request: RequestBase): ClientAddress {
    const { ip, scheme, base, trusted } = originOfRequest(request, this.#proxyHeaders, this.#isTrusted)
    return { ip, scheme, host: base && authorityOf(base), trusted }
  }

  /** Only without a frontend URL, which a strict configuration has, does the request count. */
  #frontendOf(request: RequestBase | undefined, ofRealm: URL | undefined): URL | undefined {
    return ofRealm ?? this.#frontend ?? (request && this.#ofRequest(request))
  }

  #backend(request: RequestBase | undefined, ofRealm: URL | undefined): URL | undefined {
    const frontend = ofRealm ?? this.#frontend
    if (frontend !== undefined && (!this.#isDynamic || request === undefined)) return frontend
    const asked = request && this.#ofRequest(request)
    // Who asked under the frontend's own name gets it with its path.
    return asked !== undefined && asked.origin === frontend?.origin ? frontend : asked
  }

  #ofRequest(request: RequestBase): URL | undefined {
    const { base } = originOfRequest(request, this.#proxyHeaders, this.#isTrusted)
    if (base === undefined || !this.#isAllowed(base)) return undefined
    return new URL(originOf(base) + this.#path)
  }

  /** What the server saw counts here, not what a proxy says. */
  #local(request: RequestBase): URL {
    const { scheme, localPort } = request
    const port = localPort ?? seenBase(request)?.port ?? usualPort(scheme)
    return new URL(originOf({ scheme, host: 'localhost', port }) + this.#path)
  }

  /** The path below which the server lies. */
  get #path(): string {
    return this.#frontend === undefined ? '' : pathOf(this.#frontend)
  }
}

/**
 * A host without a port is allowed on every port, since the port of a Host header belongs to the server and
 * not to the caller.
 */
function allowedHostList(texts: readonly string[]): (base: Base) => boolean {
  const rules = texts.map((text) => {
    const [, host = '', port] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(text) ?? []
    const address = host.startsWith('[') ? parseAuthority(host)?.host : undefined
    const matches = address === undefined ? hostPattern(host) : (item: string) => item === address
    return { matches, port: port === undefined ? undefined : Number(port) }
  })
  return ({ host, port }) => rules.some((rule) => rule.matches(host) && (rule.port ?? port) === port)
}
