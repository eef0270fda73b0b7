import {
  assertName,
  assertText,
  ConfigurationError,
  Lifecycle,
  type Logger,
  type ProviderContext,
  type Realm,
} from '@authstate/spi'
import { assertRealmOption, assertRequest, assertResolveOptions, assertType } from './checks.js'
import type {
  ClientAddress,
  HostnameProvider,
  HostnameStats,
  RealmOption,
  RequestBase,
  ResolveOptions,
  UrlType,
} from './contract.js'
import { bare, baseUrlFault, parseBaseUrl, pathOf, uriKind } from './rules.js'
import type { Urls } from './urls.js'

const PLACEHOLDERS = { '${authBaseUrl}': 'frontend', '${authAdminUrl}': 'admin' } as const

/** The contract, over whatever knows the URLs: checks, realms, issuers and relative URIs. */
export class Hostnames implements HostnameProvider {
  readonly #lifecycle = new Lifecycle('hostname')
  readonly #urls: Urls
  readonly #issuerPath: string
  readonly #realm: (realmId: string) => Realm | Promise<Realm>
  readonly #logger: Logger
  #refusedHosts = 0
  #malformedRealmUrls = 0

  constructor(context: ProviderContext, { issuerPath }: { readonly issuerPath: string }, urls: Urls) {
    this.#urls = urls
    this.#issuerPath = issuerPath
    this.#realm = (realmId) => context.realm(realmId)
    this.#logger = context.logger
  }

  async url(type: UrlType, request?: RequestBase, options: RealmOption = {}): Promise<URL | undefined> {
    this.#lifecycle.assertOpen()
    assertType(type)
    if (request !== undefined) assertRequest(request)
    assertRealmOption(options)
    return this.#urlOf(type, request, options.realmId)
  }

  async issuer(realmId: string, request?: RequestBase): Promise<string | undefined> {
    this.#lifecycle.assertOpen()
    assertName(realmId, 'realmId')
    if (request !== undefined) assertRequest(request)
    if (realmId === '.' || realmId === '..')
      throw new TypeError('"realmId" must not be "." or "..": no URL can have it in its path')
    const frontend = await this.#urlOf('frontend', request, realmId)
    // As a function: a realm may be called "$&".
    return (
      frontend && bare(frontend) + this.#issuerPath.replaceAll('{realmId}', () => encodeURIComponent(realmId))
    )
  }

  clientAddress(request: RequestBase): ClientAddress {
    this.#lifecycle.assertOpen()
    assertRequest(request)
    return this.#urls.addressOf(request)
  }

  async resolveRelative(value: string, options: ResolveOptions = {}): Promise<URL> {
    this.#lifecycle.assertOpen()
    assertText(value, 'value')
    assertResolveOptions(options)
    const kind = uriKind(value)
    if (kind === undefined)
      throw new TypeError(
        '"value" must be a path such as "/app", or an absolute URL of http or https without a user',
      )
    if (kind === 'absolute') return new URL(value)
    const { rootUrl, realmId } = options
    const root = rootUrl === undefined || rootUrl === '' ? undefined : await this.#rootOf(rootUrl, realmId)
    const base = root ?? (await this.#needed('frontend', realmId)).origin
    const resolved = new URL(base + value)
    if (!isBelow(resolved, new URL(base))) throw new TypeError('"value" must not lead out of its root')
    return resolved
  }

  stats(): HostnameStats {
    return { refusedHosts: this.#refusedHosts, malformedRealmUrls: this.#malformedRealmUrls }
  }

  warnings(): readonly string[] {
    return this.#malformedRealmUrls === 0
      ? []
      : ['hostname: a realm has a "frontendUrl" that cannot be used; the URL of the server is used for it']
  }

  async close(): Promise<void> {
    this.#lifecycle.close()
  }

  async #urlOf(
    type: UrlType,
    request: RequestBase | undefined,
    realmId: string | undefined,
  ): Promise<URL | undefined> {
    const ofRealm = realmId === undefined ? undefined : await this.#urlOfRealm(realmId)
    const url = this.#urls.urlOf(type, request, ofRealm)
    if (url === undefined && request !== undefined) this.#refusedHosts++
    // A copy: a URL can be changed, and the configured one is everybody's.
    return url && new URL(url)
  }

  async #urlOfRealm(realmId: string): Promise<URL | undefined> {
    if (!this.#urls.hasRealmUrls) return undefined
    const { frontendUrl } = (await this.#realm(realmId)).settings
    if (frontendUrl === undefined || frontendUrl === null || frontendUrl === '') return undefined
    const fault = baseUrlFault(frontendUrl)
    if (fault === undefined) return parseBaseUrl(frontendUrl)
    this.#malformedRealmUrls++
    if (this.#malformedRealmUrls === 1)
      this.#logger.warn(
        { fault },
        'hostname: the "frontendUrl" of a realm cannot be used; the URL of the server is used for it, and later ones are counted only',
      )
    return undefined
  }

  async #rootOf(rootUrl: string, realmId: string | undefined): Promise<string> {
    const [placeholder, type] = Object.entries(PLACEHOLDERS).find(([name]) => rootUrl.startsWith(name)) ?? []
    if (placeholder === undefined || type === undefined) return bare(this.#checkedRoot(rootUrl))
    const rest = rootUrl.slice(placeholder.length)
    if (rest !== '' && uriKind(rest) !== 'path') throw wrongRoot()
    const home = await this.#needed(type, realmId)
    const root = this.#checkedRoot(bare(home) + rest)
    if (!isBelow(root, home)) throw wrongRoot()
    return bare(root)
  }

  #checkedRoot(rootUrl: string): URL {
    if (uriKind(rootUrl) !== 'absolute' || baseUrlFault(rootUrl) !== undefined) throw wrongRoot()
    return parseBaseUrl(rootUrl)
  }

  /** A URL that comes from the configuration, never from a request. */
  async #needed(type: UrlType, realmId: string | undefined): Promise<URL> {
    const url = await this.#urlOf(type, undefined, realmId)
    if (url !== undefined) return url
    throw new ConfigurationError(
      'hostname: a relative URI needs "frontendUrl", since no request is believed: add frontendUrl: \'https://login.example.com\'',
    )
  }
}

/** Whether a URL lies at another or below it. `..` of a path is already resolved. */
const isBelow = (url: URL, root: URL): boolean =>
  url.origin === root.origin && `${pathOf(url)}/`.startsWith(`${pathOf(root)}/`)

const wrongRoot = (): TypeError =>
  new TypeError(
    `"options.rootUrl" must be an absolute URL of http or https without user, query and fragment, or begin with ${Object.keys(PLACEHOLDERS).join(' or ')}`,
  )
