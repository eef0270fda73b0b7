import { request as httpRequest } from 'node:http'
import * as net from 'node:net'
import * as tls from 'node:tls'
import { timers } from '@authstate/spi/internal'
import type { EgressPolicy } from './addresses.js'
import type { HttpClientConfig } from './config.js'
import { HttpError, systemCode } from './errors.js'
import { parseAddress } from './hosts.js'
import type { CheckedAddress, LookUps } from './look-ups.js'
import type { HttpProxy } from './proxies.js'
import type { TlsFiles } from './tls-files.js'
import type { Target } from './transport.js'

/** Where a connection leads, and what it has to pass. */
export interface Route {
  readonly target: Target
  readonly egress: EgressPolicy
  readonly proxy: HttpProxy | undefined
}

/** A connection that is ready for a request. */
export interface OpenSocket {
  readonly socket: net.Socket
  /** Absent behind a proxy. */
  readonly remoteAddress?: string
}

/** Addresses of one name that a proxy is asked for, one after the other. */
const MAX_PROXIED_ADDRESSES = 3

/** Opens connections: looks up, checks, connects to what was checked, asks the proxy, speaks TLS. */
export class Connector {
  readonly #config: HttpClientConfig
  readonly #lookUps: LookUps
  readonly #tls: TlsFiles

  constructor(config: HttpClientConfig, lookUps: LookUps, tlsFiles: TlsFiles) {
    this.#config = config
    this.#lookUps = lookUps
    this.#tls = tlsFiles
  }

  /**
   * @param signal Ends what is not yet open.
   * @throws {HttpError} with `sent: 'no'`
   */
  async open(route: Route, signal: AbortSignal): Promise<OpenSocket> {
    const host = route.target.host.text
    const ending = new AbortController()
    const onAbort = (): void => ending.abort(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    const timer = timers.setTimeout(
      () => ending.abort(new HttpError('timeout', { sent: 'no', host, detail: 'no connection in time' })),
      this.#config.connectTimeoutMs,
    )
    try {
      return await this.#open(route, ending.signal)
    } finally {
      timers.clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }

  async #open({ target, egress, proxy }: Route, signal: AbortSignal): Promise<OpenSocket> {
    const byName = proxy !== undefined && this.#config.proxyResolve === 'proxy'
    const addresses = byName ? [] : await orEnd(this.#lookUps.addressesOf(target, egress), signal)
    const plain =
      proxy === undefined
        ? await this.#direct(target, addresses, signal)
        : await this.#tunnelled(target, addresses, proxy, signal)
    const socket = target.protocol === 'https:' ? await this.#secured(plain, target.host.text, signal) : plain
    // The reader of the answer adds its own; an error between here and there must not end the process.
    socket.on('error', () => {})
    socket.setKeepAlive(true, 60_000)
    socket.setNoDelay(true)
    const remote = proxy === undefined ? plain.remoteAddress : undefined
    return {
      socket,
      ...(remote !== undefined && { remoteAddress: parseAddress(remote)?.toString() ?? remote }),
    }
  }

  async #direct(
    { host, port }: Target,
    addresses: readonly CheckedAddress[],
    signal: AbortSignal,
  ): Promise<net.Socket> {
    // Nothing is looked up again: whatever asks gets what was checked.
    const lookup: net.LookupFunction = (_name, options, answer) => {
      const [first] = addresses as [CheckedAddress]
      if (options.all === true) timers.nextTick(answer, null, [...addresses])
      else timers.nextTick(answer, null, first.address, first.family)
    }
    const socket = net.connect({ host: host.text, port, lookup, autoSelectFamily: true })
    await opened(socket, 'connect', host.text, 'connect', signal)
    const remote = parseAddress(socket.remoteAddress ?? '')?.toString()
    if (addresses.some(({ address }) => address === remote)) return socket
    socket.destroy()
    throw new HttpError('egress', { sent: 'no', host: host.text, detail: 'another address than was checked' })
  }

  async #tunnelled(
    target: Target,
    addresses: readonly CheckedAddress[],
    proxy: HttpProxy,
    signal: AbortSignal,
  ): Promise<net.Socket> {
    const hosts = addresses.slice(0, MAX_PROXIED_ADDRESSES).map(({ address }) => address)
    const asked = hosts.length > 0 ? hosts : [target.host.text]
    for (let index = 0; ; index++) {
      const host = asked[index] as string
      const authority = `${host.includes(':') ? `[${host}]` : host}:${target.port}`
      const socket = await this.#toProxy(proxy, target.host.text, signal)
      try {
        await connectThrough(socket, authority, proxy, target.host.text, signal)
        return socket
      } catch (error) {
        socket.destroy()
        if (signal.aborted || index + 1 >= asked.length) throw error
      }
    }
  }

  /** The address of a proxy is the operator's: it may be in any network. */
  async #toProxy(proxy: HttpProxy, host: string, signal: AbortSignal): Promise<net.Socket> {
    const socket = net.connect({ host: proxy.host, port: proxy.port, autoSelectFamily: true })
    await opened(socket, 'connect', host, 'connect', signal, 'the proxy')
    return proxy.protocol === 'https:' ? this.#secured(socket, proxy.host, signal, host) : socket
  }

  async #secured(
    socket: net.Socket,
    name: string,
    signal: AbortSignal,
    /** Whose request it is, where TLS is spoken with a proxy: it is shown no client certificate. */
    proxied?: string,
  ): Promise<tls.TLSSocket> {
    const { insecure, hostnameVerification } = this.#config
    const secured = tls.connect({
      socket,
      servername: net.isIP(name) === 0 ? name : '',
      secureContext: this.#tls.contextFor(proxied === undefined ? name : undefined),
      rejectUnauthorized: !insecure,
      ALPNProtocols: ['http/1.1'],
      checkServerIdentity: (_host, certificate) => IDENTITY[hostnameVerification](name, certificate),
    })
    await opened(secured, 'secureConnect', proxied ?? name, 'tls', signal, proxied && 'the proxy')
    return secured
  }
}

type IdentityCheck = (host: string, certificate: tls.PeerCertificate) => Error | undefined

const IDENTITY: Readonly<Record<HttpClientConfig['hostnameVerification'], IdentityCheck>> = {
  any: () => undefined,
  wildcard: (host, certificate) => tls.checkServerIdentity(host, certificate),
  strict: (host, certificate) => {
    const error = tls.checkServerIdentity(host, certificate)
    if (error !== undefined || net.isIP(host) !== 0) return error
    const names = (certificate.subjectaltname ?? '').split(', ')
    if (names.some((name) => name.toLowerCase() === `dns:${host}`)) return undefined
    return Object.assign(new Error('the certificate has the name by a wildcard only'), {
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
  },
}

/** The other side broke off, which says nothing of certificates. */
const BROKEN_OFF = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED'])

/** Resolves when a socket is open; destroys it when that fails or the signal ends it. */
function opened(
  socket: net.Socket,
  event: 'connect' | 'secureConnect',
  host: string,
  code: 'connect' | 'tls',
  signal: AbortSignal,
  where?: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      signal.removeEventListener('abort', onAbort)
      socket.off(event, onOpen).off('error', onError).off('close', onClose)
      if (error === undefined) resolve()
      else {
        socket.on('error', () => {}).destroy()
        reject(error)
      }
    }
    const onOpen = (): void => settle()
    const onError = (error: unknown): void => {
      const system = systemCode(innermost(error))
      const detail = [where, system].filter(Boolean).join(' ')
      const actual = code === 'tls' && system !== undefined && BROKEN_OFF.has(system) ? 'connect' : code
      settle(new HttpError(actual, { sent: 'no', host, ...(detail !== '' && { detail }) }))
    }
    const onClose = (): void => onError({ code: 'ECONNRESET' })
    const onAbort = (): void => settle(signal.reason)
    socket.once(event, onOpen).on('error', onError).on('close', onClose)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** Of several addresses each has failed in its own way; the first tells enough. */
const innermost = (error: unknown): unknown =>
  error instanceof AggregateError ? (error.errors[0] ?? error) : error

/** Asks a proxy for a tunnel. The credentials go to the proxy and nowhere else. */
function connectThrough(
  socket: net.Socket,
  authority: string,
  proxy: HttpProxy,
  host: string,
  signal: AbortSignal,
): Promise<void> {
  const failed = (detail: string) => new HttpError('connect', { sent: 'no', host, detail })
  const asking = new Promise<void>((resolve, reject) => {
    const request = httpRequest({
      method: 'CONNECT',
      path: authority,
      headers: {
        host: authority,
        ...(proxy.authorization !== undefined && { 'proxy-authorization': proxy.authorization }),
      },
      createConnection: () => socket,
    })
    request
      .once('connect', ({ statusCode = 0 }, _socket, head) => {
        if (statusCode < 200 || statusCode > 299) reject(failed(`the proxy answered ${statusCode}`))
        else if (head.length > 0) reject(failed('the proxy sent more than its answer'))
        else resolve()
      })
      .once('response', ({ statusCode = 0 }) => reject(failed(`the proxy answered ${statusCode}`)))
      .once('error', (error) => reject(failed(`the proxy ${systemCode(error) ?? 'broke off'}`)))
      .end()
  })
  return orEnd(asking, signal)
}

/** What `work` answers, or the reason of the signal. */
function orEnd<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
