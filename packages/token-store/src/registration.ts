import {
  assertFunction,
  assertInteger,
  assertName,
  assertObject,
  assertOptions,
  consoleLogger,
  type Known,
  type Logger,
} from '@authstate/spi'
import { isError, timers } from '@authstate/spi/internal'

/** What sends the requests: `http-client`, or whatever else has this of it. */
export interface RegistrationClient {
  /** Sends a request within its deadline, and reads the answer. */
  request(
    url: string,
    init: {
      readonly purpose: string
      readonly method: 'POST'
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
      readonly deadlineMs: number
      readonly maxResponseBytes: number
      readonly egress?: readonly string[]
    },
  ): Promise<{ readonly status: number }>
}

/** How a node makes itself known. */
export interface NodeRegistrationOptions {
  /** Sends the requests: `state.get(httpClientSpi)`. */
  readonly httpClient: RegistrationClient
  /** Where to register. From the configuration, never from a request. */
  readonly registerUrl: string
  /** Where to unregister. @default `registerUrl` with its last segment `register-node` made `unregister-node` */
  readonly unregisterUrl?: string | undefined
  /** The name under which the server reaches this node. The server has to allow it. */
  readonly host: string
  /** How the client proves itself: headers, such as `Authorization`, and fields of the form, such as `client_assertion`. */
  readonly authenticate: () => Promise<ClientAuthentication> | ClientAuthentication
  /** How often the registration is renewed, ms, a fifth earlier or later; well below the server's time-out. @default 60_000 */
  readonly periodMs?: number | undefined
  /** How long one request may take, ms. @default 5_000 */
  readonly deadlineMs?: number | undefined
  /** Networks that may be reached although they are not public: see `http-client`. */
  readonly egress?: readonly string[] | undefined
  /** @default one that writes to the console */
  readonly logger?: Logger | undefined
}

/** What makes a request one of the client. */
export interface ClientAuthentication {
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly form?: Readonly<Record<string, string>> | undefined
}

/** How a registration stands. */
export interface RegistrationState {
  /** `refused`: the server said no, which is tried again after `periodMs` only. */
  readonly state: 'starting' | 'registered' | 'failing' | 'refused' | 'closed'
  /** In a row. */
  readonly failures: number
}

/** A node that registers itself, and keeps doing so while it gets no requests. */
export interface NodeRegistration {
  readonly state: RegistrationState
  /** Resolves with the first answer of the server, whatever it is. */
  readonly first: Promise<RegistrationState>
  /** Stops, and unregisters within two seconds where it can. Safe to repeat. */
  close(): Promise<void>
}

const OPTIONS: Known<NodeRegistrationOptions> = {
  httpClient: true,
  registerUrl: true,
  unregisterUrl: true,
  host: true,
  authenticate: true,
  periodMs: true,
  deadlineMs: true,
  egress: true,
  logger: true,
}

const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 60_000
/** How long a process that ends waits for the server. */
const CLOSE_MS = 2_000

/**
 * Registers this node at the server, at once and by period.
 *
 * A server that does not answer is asked again after 1 s, 2 s, … 60 s; what failed is logged once, and its end is logged.
 *
 * @throws {TypeError | RangeError} an option is wrong
 */
export function createNodeRegistration(options: NodeRegistrationOptions): NodeRegistration {
  assertOptions<NodeRegistrationOptions>(options, 'options', OPTIONS)
  const { httpClient, registerUrl, host, authenticate, periodMs = 60_000, deadlineMs = 5_000 } = options
  assertObject(httpClient, 'httpClient')
  assertFunction(httpClient['request'], 'httpClient.request')
  assertUrl(registerUrl, 'registerUrl')
  const { unregisterUrl = registerUrl.replace(/register-node(?=\/?$)/, 'unregister-node') } = options
  assertUrl(unregisterUrl, 'unregisterUrl')
  if (unregisterUrl === registerUrl)
    throw new TypeError('"unregisterUrl" must be given where "registerUrl" does not end with "register-node"')
  assertName(host, 'host')
  assertFunction(authenticate, 'authenticate')
  assertInteger(periodMs, 'periodMs', 100, 86_400_000)
  assertInteger(deadlineMs, 'deadlineMs', 1, 60_000)
  return new Registration({
    logger: consoleLogger,
    ...(options as NodeRegistrationOptions),
    unregisterUrl,
    periodMs,
    deadlineMs,
  })
}

function assertUrl(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string' || !/^https?:\/\//.test(value) || !URL.canParse(value))
    throw new TypeError(`"${name}" must be an absolute URL with "http:" or "https:"`)
}

type CheckedOptions = NodeRegistrationOptions & {
  readonly unregisterUrl: string
  readonly periodMs: number
  readonly deadlineMs: number
}

class Registration implements NodeRegistration {
  readonly first: Promise<RegistrationState>
  readonly #options: CheckedOptions
  #state: RegistrationState = { state: 'starting', failures: 0 }
  #timer: ReturnType<typeof timers.setTimeout> | undefined
  #sending: Promise<void>
  #closing: Promise<void> | undefined

  constructor(options: CheckedOptions) {
    this.#options = options
    this.#sending = this.#register()
    this.first = this.#sending.then(() => this.#state)
  }

  get state(): RegistrationState {
    return this.#state
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    timers.clearTimeout(this.#timer)
    const wasKnown = this.#state.state === 'registered' || this.#state.state === 'failing'
    this.#state = { state: 'closed', failures: 0 }
    const waitMs = Math.min(CLOSE_MS, this.#options.deadlineMs)
    let timer: ReturnType<typeof timers.setTimeout> | undefined
    const late = new Promise<void>((resolve) => {
      timer = timers.setTimeout(resolve, waitMs)
    })
    const leaving = (async () => {
      await this.#sending
      if (!wasKnown) return
      await this.#send(this.#options.unregisterUrl, waitMs).catch((error: unknown) => this.#tell(error))
    })()
    await Promise.race([leaving, late])
    timers.clearTimeout(timer)
  }

  async #register(): Promise<void> {
    const { registerUrl, deadlineMs } = this.#options
    let status: number | undefined
    try {
      status = await this.#send(registerUrl, deadlineMs)
    } catch (error) {
      if (this.#state.failures === 0) this.#tell(error)
    }
    if (this.#closing !== undefined) return
    this.#state = this.#after(status)
    this.#timer = timers.setTimeout(() => {
      this.#sending = this.#register()
    }, this.#waitMs())
    this.#timer.unref()
  }

  #after(status: number | undefined): RegistrationState {
    const { logger = consoleLogger } = this.#options
    const { failures, state } = this.#state
    if (status !== undefined && status >= 200 && status < 300) {
      if (failures > 0) logger.info({ failures }, 'token-store: this node is registered again')
      return { state: 'registered', failures: 0 }
    }
    // What the server refuses it refuses again, until somebody changes its configuration.
    const isRefused =
      status !== undefined && status >= 300 && status < 500 && status !== 408 && status !== 429
    const next = isRefused ? 'refused' : 'failing'
    if (status !== undefined && (failures === 0 || next !== state))
      logger.warn({ status }, 'token-store: the server did not register this node')
    return { state: next, failures: failures + 1 }
  }

  #waitMs(): number {
    const { state, failures } = this.#state
    const { periodMs } = this.#options
    const ms =
      state === 'failing'
        ? Math.min(periodMs, MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10))
        : periodMs
    return ms * (0.8 + Math.random() * 0.4)
  }

  async #send(url: string, deadlineMs: number): Promise<number> {
    const { httpClient, host, authenticate, egress } = this.#options
    const { headers, form } = await authenticate()
    const { status } = await httpClient.request(url, {
      purpose: 'register-node',
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...form, client_cluster_host: host }).toString(),
      deadlineMs,
      maxResponseBytes: 65_536,
      ...(egress !== undefined && { egress }),
    })
    return status
  }

  #tell(error: unknown): void {
    const { logger = consoleLogger } = this.#options
    logger.warn(
      { error: isError(error) ? error.name : typeof error },
      'token-store: the server could not be asked to register this node; it is asked again',
    )
  }
}
