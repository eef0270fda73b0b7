/**
 * Outgoing HTTP requests of a server: to clients, to identity providers, to whatever an administrator or a client named.
 *
 * One deadline covers all of a request. The address of the connection is checked, so that no caller
 * can make the server talk to its own network. Redirects are answers and are never followed.
 *
 * @module
 */
import { defineSpi, type Provider } from '@authstate/spi'

/** Methods that can be sent. */
export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'

/** What a request is for. It chooses the limits: see `purposes` of the configuration. Any other name has the general ones. */
export type HttpPurpose = 'backchannel-logout' | 'token' | 'jwks' | 'broker' | (string & {})

/** What is sent, and within which limits. */
export interface HttpRequestInit {
  readonly purpose: HttpPurpose
  /** @default 'GET' */
  readonly method?: HttpMethod | undefined
  /** Without those that belong to the connection, such as `Host`, `Content-Length` and `Proxy-Authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | Uint8Array | undefined
  /** How long the request may take in all: queue, name look-up, connection, TLS, headers, body. @default that of the purpose */
  readonly deadlineMs?: number | undefined
  /** @default that of the purpose */
  readonly maxResponseBytes?: number | undefined
  /**
   * Networks that this request may reach although they are not public, in addition to those of the
   * configuration: `'10.20.0.0/16'`, `'10.20.0.7:8443'`, `'[fd00:1::]/32'`. Take them from the
   * configuration of a client, never from a request.
   */
  readonly egress?: readonly string[] | undefined
  readonly signal?: AbortSignal | undefined
}

/** An answer, read to its end. */
export interface HttpResponse {
  readonly status: number
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** The body, decompressed. Empty for a purpose whose answers are dropped. */
  bytes(): Uint8Array
  /** The body as UTF-8. */
  text(): string
  /** @throws {HttpError} `'protocol'`: the body is no JSON */
  json(): unknown
  /** The address that was connected to. Absent behind a proxy. */
  readonly remoteAddress?: string
}

/** Figures of one origin. */
export interface HttpOriginStats {
  /** Connections, busy and idle. */
  readonly open: number
  readonly busy: number
  /** Requests that wait for a connection. */
  readonly queued: number
}

/** Figures of this process. */
export interface HttpClientStats extends HttpOriginStats {
  /** Requests that were refused so far because of their target, or because too many waited. */
  readonly refused: number
  /** By origin, such as `https://app.example.com`; of those that have a connection or a request that waits. */
  readonly byOrigin: Readonly<Record<string, HttpOriginStats>>
}

/** Sends requests. */
export interface HttpClientProvider extends Provider {
  /**
   * Sends a request and reads the answer to its end. Every status is an answer, 302 and 500 too.
   *
   * The name of the target is looked up once per connection. Each of its addresses is checked, and only a checked address is
   * connected to; one that is not allowed refuses the name. Behind a proxy the same is done for the target.
   *
   * Safe to repeat when the error says `sent: 'no'`. It is not repeated here, but for purposes with `retries`, and then only
   * a GET.
   *
   * @param url Absolute, `http:` or `https:`, without user and password. A fragment is not sent.
   * @throws {TypeError} an argument is wrong; nothing was sent
   * @throws {HttpError} there is no answer; `code` says why
   * @throws {ProviderClosedError} the provider was closed, before or meanwhile
   */
  request(url: string | URL, init: HttpRequestInit): Promise<HttpResponse>

  /**
   * The thumbprint (`x5t#S256` of RFC 8705) of the client certificate that is presented to the host of a URL.
   *
   * @returns SHA-256 in base64url; `undefined` when none is configured for that host
   */
  certificateThumbprint(url: string | URL): string | undefined

  /** Figures of this process since it started. */
  stats(): HttpClientStats
}

/** Name under which the registry knows this SPI. */
export const httpClientSpi = defineSpi<HttpClientProvider>('http-client')
