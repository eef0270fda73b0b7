import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { ClusterProvider } from '@authstate/cluster'
import { ConfigurationError } from '@authstate/spi'
import type { Requests } from './requests.js'

/**
 * How long a request waits for another one that redeems the same token. After that time, too, only the first
 * request redeems it.
 */
const WAIT_MS = 1_000

/** How long a process that died keeps others waiting. */
const LEASE_MS = 5_000

/** Lets requests that redeem one token wait for each other. */
export class RedemptionLease {
  readonly #cluster: ClusterProvider
  readonly #requests: Requests
  readonly #realmId: string

  constructor(cluster: ClusterProvider, requests: Requests, realmId: string) {
    this.#cluster = cluster
    this.#requests = requests
    this.#realmId = realmId
  }

  /**
   * Resolves when no other request redeems the token; it is this request's until its response is done.
   *
   * @throws {ConfigurationError} oidc-provider cannot be asked for its requests
   */
  async take(key: string): Promise<void> {
    const request = await this.#requests.current()
    if (request === undefined) return this.#checkVisible()
    if (request.context.oidc.route !== 'token' || request.redeems !== undefined) return
    request.redeems = key
    await new Promise<void>((resolve) => {
      this.#cluster
        .lockSession()
        .withLock(`${this.#realmId}:RefreshToken:${key}`, { waitMs: WAIT_MS, leaseMs: LEASE_MS }, () => {
          resolve()
          return closed(request.context.res)
        })
        // It was not free in time: redeeming is one step, so exactly one request gets tokens all the same.
        .catch(() => resolve())
    })
  }

  async #checkVisible(): Promise<void> {
    if (await this.#requests.areVisible()) return
    throw new ConfigurationError(
      `"redemption: 'lease'" needs oidc-provider, which cannot be imported: give its class as "Provider", or say redemption: 'off'`,
    )
  }
}

async function closed(response: ServerResponse): Promise<void> {
  if (!response.closed && !response.destroyed) await once(response, 'close')
}
