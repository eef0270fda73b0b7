import { describedSchema, type ProviderFactory } from '@authstate/spi'
import { type HttpClientConfig, httpClientConfig } from './config.js'
import { type HttpClientProvider, type HttpMethod, httpClientSpi } from './contract.js'
import { HttpRequests } from './http-requests.js'
import type { CleanRequest, Transport, TransportAnswer } from './transport.js'

/** A request, as a scripted answer sees it. */
export interface ScriptedRequest {
  readonly url: string
  readonly method: HttpMethod
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | undefined
  /** Aborted when no caller waits for the answer any more. */
  readonly signal: AbortSignal
}

/** What a script answers. */
export interface ScriptedAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | Uint8Array | undefined
}

/** Answers requests in place of a network. What it throws is what the caller gets when it is an `HttpError`. */
export type Script = (request: ScriptedRequest) => ScriptedAnswer | Promise<ScriptedAnswer>

/**
 * Answers requests from a function, for tests: nothing is sent. Every check, the deadline and the limits are those of the
 * contract; names are not looked up, so a name is refused for its form or its port only.
 */
export function memoryHttpClient(script: Script): ProviderFactory<HttpClientProvider, HttpClientConfig> {
  if (typeof script !== 'function') throw new TypeError('"script" must be a function')
  return {
    spi: httpClientSpi,
    id: 'memory',
    config: describedSchema(httpClientConfig),
    create: (context, config) => new HttpRequests(context, config, new ScriptedTransport(script)),
  }
}

class ScriptedTransport implements Transport {
  readonly #script: Script
  #busy = 0

  constructor(script: Script) {
    this.#script = script
  }

  async send(request: CleanRequest, signal: AbortSignal): Promise<TransportAnswer> {
    const { target, path, method, headers, body } = request
    this.#busy++
    try {
      request.onSending()
      const answer = await this.#script({ url: target.origin + path, method, headers, body, signal })
      const bytes = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body
      return {
        status: answer.status,
        headers: answer.headers ?? {},
        body: pieces(bytes ?? new Uint8Array()),
      }
    } finally {
      this.#busy--
    }
  }

  thumbprintFor(): undefined {
    return undefined
  }

  stats(): ReturnType<Transport['stats']> {
    return { open: 0, busy: this.#busy, queued: 0, byOrigin: {} }
  }

  async close(): Promise<void> {}
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes
}
