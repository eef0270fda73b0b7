import { Lifecycle, type Logger, type ProviderContext } from '@authstate/spi'
import { type EgressPolicy, isAllowed, isAllowedPort, parseEgressRule } from './addresses.js'
import { answerOf } from './answer.js'
import { readBody } from './body.js'
import { assertInit, targetOf } from './checks.js'
import type { HttpClientConfig } from './config.js'
import type { HttpClientProvider, HttpClientStats, HttpRequestInit, HttpResponse } from './contract.js'
import { Deadline } from './deadline.js'
import { HttpError, systemCode } from './errors.js'
import { hostPattern } from './hosts.js'
import { type Profile, profileOf } from './profiles.js'
import { mappedProxies, type ProxyChoice } from './proxies.js'
import type { CleanRequest, Target, Transport } from './transport.js'

/** Answers after which a repeated GET may get a better one. */
const PASSING = new Set([502, 503, 504])
const FIRST_PAUSE_MS = 100
/** Sets of rules, given per request, that are remembered as read. */
const REMEMBERED_RULES = 1_000

export const INSECURE =
  'http-client: "insecure" is set: every certificate is trusted, so an attacker on the network can read and change what is sent'

/** The contract, over whatever transport: checks, deadlines, limits and repetitions. */
export class HttpRequests implements HttpClientProvider {
  readonly #lifecycle = new Lifecycle('http-client')
  readonly #config: HttpClientConfig
  readonly #transport: Transport
  readonly #logger: Logger
  readonly #proxyFor: ProxyChoice | undefined
  readonly #general: EgressPolicy
  readonly #policies = new Map<string, EgressPolicy>()
  readonly #nameableHosts: readonly ((host: string) => boolean)[]
  readonly #running = new Set<Deadline>()
  #refused = 0
  #closing: Promise<void> | undefined

  /** @param environment The proxies of the environment; asked only where the configuration has no mappings and wants them. */
  constructor(
    context: ProviderContext,
    config: HttpClientConfig,
    transport: Transport,
    environment?: ProxyChoice,
  ) {
    this.#config = config
    this.#transport = transport
    this.#logger = context.logger
    const { proxyMappings, useEnvironmentProxy, egress } = config
    if (proxyMappings.length > 0) this.#proxyFor = mappedProxies(proxyMappings)
    else this.#proxyFor = useEnvironmentProxy ? environment : undefined
    this.#nameableHosts = egress.allowHosts.map(hostPattern)
    this.#general = {
      rules: egress.allow.map(parseEgressRule),
      ports: egress.ports.map((range) => {
        const [from = 0, to = from] = String(range).split('-').map(Number)
        return [from, to] as const
      }),
      key: '',
    }
    if (config.insecure) this.#logger.warn({}, INSECURE)
  }

  async request(url: string | URL, init: HttpRequestInit): Promise<HttpResponse> {
    this.#lifecycle.assertOpen()
    assertInit(init)
    const { target, path } = this.#counted(() => targetOf(url))
    const { method = 'GET', headers = {}, body, signal } = init
    const profile = profileOf(init.purpose, this.#config)
    const egress = this.#policyOf(init.egress)
    const proxy = this.#proxyFor?.(target.host.text, target.port)
    this.#counted(() => this.#assertTarget(target, egress, proxy !== undefined))
    const deadline = new Deadline(init.deadlineMs ?? profile.deadlineMs, target.host.text, signal)
    const request: CleanRequest = {
      target,
      path,
      method,
      headers: withDefaults(headers),
      body,
      egress,
      proxy,
      onSending: () => {
        deadline.sent = 'unknown'
      },
    }
    const limits = { ...profile, maxResponseBytes: init.maxResponseBytes ?? profile.maxResponseBytes }
    this.#running.add(deadline)
    try {
      return await this.#repeated(request, limits, deadline)
    } catch (error) {
      if (error instanceof HttpError && (error.code === 'egress' || error.code === 'queue-full'))
        this.#refused++
      throw error
    } finally {
      this.#running.delete(deadline)
      deadline.finish()
    }
  }

  certificateThumbprint(url: string | URL): string | undefined {
    this.#lifecycle.assertOpen()
    return this.#transport.thumbprintFor(targetOf(url).target.host.text)
  }

  stats(): HttpClientStats {
    return { ...this.#transport.stats(), refused: this.#refused }
  }

  warnings(): readonly string[] {
    return this.#config.insecure ? [INSECURE] : []
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#lifecycle.close()
    for (const deadline of this.#running) deadline.close(this.#lifecycle.closedError())
    await this.#transport.close()
  }

  async #repeated(request: CleanRequest, limits: Profile, deadline: Deadline): Promise<HttpResponse> {
    const repeats = request.method === 'GET' ? limits.retries : 0
    let wasSent = false
    for (let attempt = 0; ; attempt++) {
      const isLast = attempt >= repeats
      try {
        const answer = await deadline.attempt((signal) => this.#once(request, limits, deadline, signal))
        if (isLast || !PASSING.has(answer.status)) return answer
        wasSent = true
      } catch (error) {
        // What an earlier attempt may have brought to the target is not undone by one that found no connection.
        if (isLast || deadline.signal.aborted || !isPassing(error))
          throw wasSent && error instanceof HttpError ? withSent(error) : error
        wasSent ||= error.sent === 'unknown'
      }
      await deadline.pause(FIRST_PAUSE_MS * 2 ** attempt * (0.5 + Math.random() / 2))
    }
  }

  async #once(
    request: CleanRequest,
    limits: Profile,
    deadline: Deadline,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    const { host } = request.target
    try {
      const sending = this.#transport.send(request, signal)
      // A transport that does not hear the signal is left behind; its answer, if one comes, is ended.
      sending.then(
        (late) => signal.aborted && void late.body[Symbol.asyncIterator]().return?.(),
        () => {},
      )
      const head = await deadline.race(sending)
      const encoding = head.headers['content-encoding']
      const body = await deadline.race(
        readBody(head.body, request.method === 'HEAD' ? '' : String(encoding ?? ''), limits.maxResponseBytes),
      )
      const read = limits.dropBody ? new Uint8Array() : body
      if (read === 'too-large') throw new HttpError('too-large', { sent: 'unknown', host: host.text })
      if (read === 'unreadable')
        throw new HttpError('protocol', {
          sent: 'unknown',
          host: host.text,
          detail: 'the compression of the body',
        })
      return answerOf(head, read, host.text)
    } catch (error) {
      if (deadline.signal.aborted) throw deadline.signal.reason
      if (error instanceof HttpError) throw error
      throw new HttpError('protocol', { sent: deadline.sent, host: host.text, detail: systemCode(error) })
    }
  }

  /** What can be said of a target before its name is looked up. */
  #assertTarget(target: Target, policy: EgressPolicy, isProxied: boolean): void {
    const { host, port } = target
    const refuse = (detail: string) => new HttpError('egress', { sent: 'no', host: host.text, detail })
    if (host.address !== undefined) {
      if (!isAllowed(host.address, port, policy)) throw refuse('its address or port')
    } else if (isProxied && this.#config.proxyResolve === 'proxy') {
      if (!this.#nameableHosts.some((matches) => matches(host.text)))
        throw refuse('the proxy would resolve its name, and "egress.allowHosts" does not list this host')
      if (!isAllowedPort(port, policy)) throw refuse('its port')
    } else if (!isAllowedPort(port, policy) && !policy.rules.some((rule) => rule.port === port)) {
      throw refuse('its port')
    }
  }

  #policyOf(texts: readonly string[] | undefined): EgressPolicy {
    if (texts === undefined || texts.length === 0) return this.#general
    const key = [...new Set(texts)].sort().join(' ')
    const known = this.#policies.get(key)
    if (known !== undefined) return known
    const rules = [...this.#general.rules, ...texts.map(parseEgressRule)]
    const policy = { ...this.#general, rules, key }
    if (this.#policies.size >= REMEMBERED_RULES) this.#policies.clear()
    this.#policies.set(key, policy)
    return policy
  }

  /** Counts what is refused at once. */
  #counted<T>(check: () => T): T {
    try {
      return check()
    } catch (error) {
      if (error instanceof HttpError) this.#refused++
      throw error
    }
  }
}

const isPassing = (error: unknown): error is HttpError =>
  error instanceof HttpError && (error.code === 'connect' || error.code === 'protocol')

/** The same error, of a request that its target may have received. */
const withSent = ({ code, host, detail }: HttpError): HttpError =>
  new HttpError(code, { sent: 'unknown', host, detail })

function withDefaults(given: Readonly<Record<string, string>>): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': 'authstate', 'accept-encoding': 'identity' }
  for (const [name, value] of Object.entries(given)) headers[name.toLowerCase()] = value
  return headers
}
