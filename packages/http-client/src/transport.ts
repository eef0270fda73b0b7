import type { EgressPolicy } from './addresses.js'
import type { HttpClientStats, HttpMethod } from './contract.js'
import type { Host } from './hosts.js'
import type { HttpProxy } from './proxies.js'

/** Where a request goes: checked as far as that can be done without looking up a name. */
export interface Target {
  readonly protocol: 'http:' | 'https:'
  readonly host: Host
  readonly port: number
  /** `https://app.example.com`, with the port where it is not the usual one. */
  readonly origin: string
}

/** A request that passed every check of the contract. */
export interface CleanRequest {
  readonly target: Target
  /** Path and query. */
  readonly path: string
  readonly method: HttpMethod
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | undefined
  /** What the address has to pass that is connected to. */
  readonly egress: EgressPolicy
  readonly proxy: HttpProxy | undefined
  /**
   * Call it before the first byte goes to the target: from then on it is unknown whether the target received
   * the request.
   */
  readonly onSending: () => void
}

/** An answer whose body is still to be read. */
export interface TransportAnswer {
  readonly status: number
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Ending the iteration early ends the connection. */
  readonly body: AsyncIterable<Uint8Array>
  readonly remoteAddress?: string | undefined
}

/**
 * How requests get to their targets: all that one provider does differently from another.
 *
 * The contract is written over it: it checks arguments, keeps the deadline, reads bodies within their limit and repeats.
 */
export interface Transport {
  /**
   * Sends a request and resolves with the head of the answer.
   *
   * It looks a name up once, and connects to an address only that `isAllowed` allows; one that is not allowed refuses the name.
   * It sends nothing twice, and a redirect is an answer.
   *
   * @param signal Aborted when no caller waits any more; reject with its reason. The body ends with it, too.
   * @throws {HttpError} of every code but `'too-large'` for bodies
   */
  send(request: CleanRequest, signal: AbortSignal): Promise<TransportAnswer>
  /** SHA-256 of the client certificate for a host, in base64url. */
  thumbprintFor(host: string): string | undefined
  /** Figures of the connections. */
  stats(): Omit<HttpClientStats, 'refused'>
  /** Ends every connection. What is under way has been aborted before. */
  close(): Promise<void>
}
