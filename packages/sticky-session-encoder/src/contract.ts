/**
 * The value of a session cookie: an id, signed, with the route by which a load balancer finds the node.
 *
 * @module
 */
import { defineSpi, type Provider } from '@authstate/spi'

/** What a value holds. */
export interface DecodedSession {
  readonly id: string
  /** The name of the node, as the load balancer knows it. It is not signed: never base a decision on it. */
  readonly route?: string
}

/** What goes into a signed value in addition to the id. */
export interface SignOptions {
  /** Instead of {@link StickySessionEncoderProvider.route}. */
  readonly route?: string | undefined
  /** Ties the signature to a realm: it verifies with the same realm only. */
  readonly realmId?: string | undefined
}

/** {@link SignOptions} for a cookie. */
export interface CookieOptions extends SignOptions {
  /** @default the configured path, `/` */
  readonly path?: string | undefined
}

/**
 * Encodes and decodes session ids for cookies. Synchronous: nothing here waits for a store.
 *
 * Whatever came from outside and is malformed decodes to `undefined`; only misuse of the encoding side throws.
 */
export interface StickySessionEncoderProvider extends Provider {
  /** `false`: no route is ever attached here. Decoding still takes one off, since a balancer may have put it there. */
  readonly shouldAttachRoute: boolean

  /**
   * `id`, or `id.route`.
   *
   * @param id Without a `.`, where the route begins.
   * @param options Another route than {@link route} gives.
   */
  encode(id: string, options?: { readonly route?: string | undefined }): string

  /**
   * Takes a value apart at its first `.`; the route may hold more of them. A `.` at the very end belongs to the id.
   *
   * Proves nothing about the id: see {@link verify}.
   *
   * @returns `undefined` for what is no string, has no id, or is too long.
   */
  decode(value: unknown): DecodedSession | undefined

  /** The node a session belongs to; `undefined` when routes are not attached or no node is known. */
  route(id: string): string | undefined

  /** `base64url(id + '.' + base64url(HMAC-SHA512 of id))`, and the route behind a `.`. */
  sign(id: string, options?: SignOptions): string

  /**
   * The id of a value that {@link sign} made, with any key of the keyring. The signature is compared in constant
   * time.
   *
   * @returns `undefined` for everything else. Then ask the store whether the session lives: this does not.
   */
  verify(value: unknown, options?: { readonly realmId?: string | undefined }): DecodedSession | undefined

  /** A Set-Cookie header with the signed id: `Secure`, `HttpOnly`, `SameSite=None`, until the browser is closed. */
  cookie(id: string, options?: CookieOptions): string

  /** A Set-Cookie header that removes what {@link cookie} set. */
  clearCookie(options?: { readonly path?: string | undefined }): string

  /**
   * The verified session of a Cookie header, or `undefined`. Of several cookies of the name the first that verifies
   * counts, three at most are tried.
   */
  readCookie(
    header: string | undefined,
    options?: { readonly realmId?: string | undefined },
  ): DecodedSession | undefined
}

/** Names the SPI in the registry and in configurations. */
export const stickySessionEncoderSpi = defineSpi<StickySessionEncoderProvider>('sticky-session-encoder')
