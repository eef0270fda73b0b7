import type { Logger } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import { Client } from 'undici'
import type { HttpClientConfig } from './config.js'
import { Connector, type Route } from './connect.js'
import { HttpError, systemCode } from './errors.js'
import { type Lane, type LaneConnection, Lanes } from './lanes.js'
import { LookUps, type Resolve } from './look-ups.js'
import { TlsFiles } from './tls-files.js'
import type { CleanRequest, Transport, TransportAnswer } from './transport.js'

/** A connection was checked when it was opened; after this long it is opened again. */
const LONGEST_LIFE_MS = 300_000

/** Sends requests with undici, one connection per client of it. */
export class UndiciTransport implements Transport {
  readonly #config: HttpClientConfig
  readonly #tls: TlsFiles
  readonly #connector: Connector
  readonly #lanes: Lanes<Connection>

  private constructor(config: HttpClientConfig, tlsFiles: TlsFiles, resolve: Resolve) {
    this.#config = config
    this.#tls = tlsFiles
    this.#connector = new Connector(config, new LookUps(resolve, config.connectTimeoutMs), tlsFiles)
    this.#lanes = new Lanes(config)
  }

  static async open(config: HttpClientConfig, logger: Logger, resolve: Resolve): Promise<UndiciTransport> {
    return new UndiciTransport(config, await TlsFiles.open(config, logger), resolve)
  }

  async send(request: CleanRequest, signal: AbortSignal): Promise<TransportAnswer> {
    const { target, egress, proxy, onSending } = request
    if (target.protocol === 'https:') await this.#tls.refresh()
    const lane: Lane = {
      origin: target.origin,
      host: target.host.text,
      key: `${proxy?.key ?? ''} ${egress.key}`,
    }
    const connection = await this.#lanes.acquire(lane, () => this.#connection(lane, request), signal)
    const release = (isWhole: boolean): void => {
      signal.removeEventListener('abort', onAbort)
      this.#lanes.release(connection, isWhole)
    }
    // Whoever gave up reads no body: the connection ends with its request.
    const onAbort = (): void => release(false)
    if (signal.aborted) release(false)
    signal.throwIfAborted()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      const answer = await connection.send(request, onSending, signal)
      return { ...answer, body: untilReleased(answer.body, release) }
    } catch (error) {
      release(false)
      throw signal.aborted ? signal.reason : failureOf(error, connection.wasOpen, target.host.text)
    }
  }

  thumbprintFor(host: string): string | undefined {
    return this.#tls.thumbprintFor(host)
  }

  stats(): ReturnType<Transport['stats']> {
    return this.#lanes.stats()
  }

  close(): Promise<void> {
    return this.#lanes.close()
  }

  #connection(lane: Lane, route: Route): Connection {
    const { idleMs } = this.#config
    return new Connection(lane, route, this.#connector, this.#tls, idleMs, (connection) =>
      this.#lanes.drop(connection),
    )
  }
}

/** One connection, from its opening to its end: it is never opened again. */
class Connection implements LaneConnection {
  readonly lane: Lane
  readonly #client: Client
  readonly #tls: TlsFiles
  readonly #generation: number
  readonly #opening = new AbortController()
  readonly #sinceMs = timers.monotonicMs()
  #isOver = false
  #remoteAddress: string | undefined
  #onOpen: (() => void) | undefined
  /** Whether it was ever open: only then may the target have received something. */
  wasOpen = false

  constructor(
    lane: Lane,
    route: Route,
    connector: Connector,
    tlsFiles: TlsFiles,
    idleMs: number,
    onEnd: (connection: Connection) => void,
  ) {
    this.lane = lane
    this.#tls = tlsFiles
    this.#generation = tlsFiles.generation
    this.#client = new Client(lane.origin, {
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: Math.min(idleMs, LONGEST_LIFE_MS),
      // The deadline of the request ends what these would end, and they count otherwise.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (_options, callback) => {
        connector.open(route, this.#opening.signal).then(
          ({ socket, remoteAddress }) => {
            this.wasOpen = true
            this.#remoteAddress = remoteAddress
            this.#onOpen?.()
            callback(null, socket)
          },
          (error) => callback(error, null),
        )
      },
    })
    const onOver = (): void => {
      this.#isOver = true
      onEnd(this)
    }
    this.#client.on('disconnect', onOver).on('connectionError', onOver)
  }

  isUsable(): boolean {
    if (this.#isOver || !this.wasOpen) return false
    if (timers.monotonicMs() - this.#sinceMs > LONGEST_LIFE_MS) return false
    return this.#generation === this.#tls.generation
  }

  async send(
    { path, method, headers, body }: CleanRequest,
    onSending: () => void,
    signal: AbortSignal,
  ): Promise<TransportAnswer> {
    if (this.wasOpen) onSending()
    else this.#onOpen = onSending
    const answer = await this.#client.request({
      path,
      method,
      headers: { ...headers },
      body: body ?? null,
      signal,
    })
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: answer.body,
      remoteAddress: this.#remoteAddress,
    }
  }

  async destroy(): Promise<void> {
    this.#isOver = true
    this.#opening.abort(new HttpError('aborted', { sent: 'no', host: this.lane.host }))
    await this.#client.destroy().catch(() => {})
  }
}

/** A body that gives its connection back: whole when it was read to its end, else to be ended. */
async function* untilReleased(
  body: AsyncIterable<Uint8Array>,
  release: (isWhole: boolean) => void,
): AsyncGenerator<Uint8Array> {
  let isWhole = false
  try {
    for await (const piece of body) yield piece
    isWhole = true
  } finally {
    release(isWhole)
  }
}

/** What became of a request, in our words. What undici says may quote an answer. */
function failureOf(error: unknown, wasOpen: boolean, host: string): HttpError {
  if (error instanceof HttpError) return error
  const detail = systemCode(error)
  const sent = wasOpen ? 'unknown' : 'no'
  if (detail === 'UND_ERR_HEADERS_OVERFLOW') return new HttpError('too-large', { sent, host, detail })
  // With TLS 1.3 a server refuses a client certificate after the connection is open.
  if (detail?.startsWith('ERR_SSL_') === true) return new HttpError('tls', { sent, host, detail })
  return new HttpError('protocol', { sent, host, detail })
}
