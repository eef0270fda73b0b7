import type { ClientAddress, RequestBase, UrlType } from './contract.js'

/** Where the URLs come from: all that one provider of this SPI does differently from another. All input is clean. */
export interface Urls {
  /**
   * The base URL for somebody.
   *
   * @param ofRealm The frontend URL of the realm, where it has one that can be used.
   * @returns `undefined` when it would have to come from the request, and that has no host that is allowed
   */
  urlOf(type: UrlType, request: RequestBase | undefined, ofRealm: URL | undefined): URL | undefined
  /** `true`: a realm's own frontend URL counts. */
  readonly hasRealmUrls: boolean
  addressOf(request: RequestBase): ClientAddress
}
