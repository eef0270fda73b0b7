/**
 * The URLs of a server, and who asks behind its proxies.
 *
 * A URL that goes into a mail, a token or a redirect comes from the configuration. A request never changes it, except where the
 * configuration says so and lists the hosts that may.
 *
 * @module
 */
import { defineSpi, type Provider } from '@authstate/spi'

declare module '@authstate/spi' {
  interface RealmSettings {
    /** The frontend URL of this realm, in place of the server's. Check it with `parseFrontendUrl` before it is stored. */
    readonly frontendUrl?: string | undefined
  }
}

/**
 * For which readers a URL is: browsers and mails (`'frontend'`), other servers (`'backend'`), the
 * admin console (`'admin'`), an administrator on this machine (`'local-admin'`).
 */
export type UrlType = 'frontend' | 'backend' | 'admin' | 'local-admin'

/** A request, as the server saw it. `requestBaseOf` makes it from a request of Node. */
export interface RequestBase {
  readonly scheme: 'http' | 'https'
  /** The `Host` header, with or without a port. */
  readonly host: string | undefined
  /** Port of `host` where it has none. @default that of the scheme */
  readonly port?: number | undefined
  /** Port on which the server listens. @default that of `host` */
  readonly localPort?: number | undefined
  /** Address of the other end of the connection: `request.socket.remoteAddress`. */
  readonly remoteAddress: string | undefined
  /** By name in lower case, as Node gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** Which realm is asked about. */
export interface RealmOption {
  readonly realmId?: string | undefined
}

/** What a URI may be relative to. */
export interface ResolveOptions extends RealmOption {
  /** The root URL of the client. `${authBaseUrl}` and `${authAdminUrl}` stand for the frontend and the admin URL. */
  readonly rootUrl?: string | undefined
}

/** Where a request came from. */
export interface ClientAddress {
  /**
   * The address of the client in canonical form: the first hop, seen from here, that is not a
   * trusted proxy. `undefined` if it is unknown: a trusted proxy named no address or an unreadable
   * one, or the connection has none, such as a Unix socket.
   */
  readonly ip: string | undefined
  readonly scheme: 'http' | 'https'
  /**
   * Host and port as the client named them; a usual port is left out. `undefined` for a `Host` that is none, and where a trusted
   * proxy wrote what cannot be read.
   */
  readonly host: string | undefined
  /** Whether headers of a trusted proxy were believed. */
  readonly trusted: boolean
}

/** Figures of this process. */
export interface HostnameStats {
  /** Requests for a URL that were refused because their `Host` is not in the list. */
  readonly refusedHosts: number
  /** How often a realm had a frontend URL that cannot be used. */
  readonly malformedRealmUrls: number
}

/** Tells the URLs of the server. */
export interface HostnameProvider extends Provider {
  /**
   * The base URL of the server for somebody, without a slash behind its path (a URL without a path has the one that every URL
   * has). The realm's own frontend URL wins over the server's.
   *
   * @param request Looked at only where the configuration allows it: for a dynamic backend, for a local administrator, and where
   *   it is not strict.
   * @returns `undefined` when the URL would have to come from the request and its host is not allowed: answer 400
   */
  url(type: UrlType, request?: RequestBase, options?: RealmOption): Promise<URL | undefined>

  /**
   * The issuer of a realm: its frontend URL with the issuer path behind it, never with a slash at the end. The same whatever
   * request asks, where the configuration is strict.
   *
   * @param request Needed only where the configuration is not strict and the realm has no frontend URL.
   * @returns `undefined` as {@link url}
   * @throws {TypeError} `realmId` is `.` or `..`, which a URL cannot have in its path
   */
  issuer(realmId: string, request?: RequestBase): Promise<string | undefined>

  /**
   * Where a request came from. Synchronous, and nothing is looked up: a name in a header is no address.
   *
   * Headers are believed from trusted proxies only, and of one kind only. What a trusted proxy wrote and cannot be read makes
   * the client unknown, and never makes the proxy the client.
   */
  clientAddress(request: RequestBase): ClientAddress

  /**
   * The absolute URL that a URI of a client stands for. `'/x'` is below the root URL of the client, else at the origin of the
   * frontend URL. No request is ever looked at. `..` does not lead out of the root.
   *
   * @throws {TypeError} `value` is neither a path nor an absolute URL of http or https: `//x`, `/\x`, `javascript:…`, a control
   *   character; or it leads out of the root. Or `rootUrl` is none
   * @throws {ConfigurationError} there is no frontend URL to resolve it against
   */
  resolveRelative(value: string, options?: ResolveOptions): Promise<URL>

  /** Figures of this process since it started. */
  stats(): HostnameStats
}

/** Names this SPI in the registry. The provider reports a wrong URL of a realm; other SPIs are not affected. */
export const hostnameSpi = defineSpi<HostnameProvider>('hostname', {
  realmSettings: { frontendUrl: () => undefined },
})
