import { type HttpClientProvider, HttpError } from '@authstate/http-client'
import { type Clock, ConfigurationError, ProviderClosedError } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { ApplicationNodeConfig } from './config.js'
import type { DeliveryReason } from './contract.js'
import { claimsOf, wireOf } from './messages.js'
import type { ApplicationNodeOptions } from './options.js'
import { type Failure, hostIn, isDelivered, isPassingStatus, retryAfterMsOf } from './rules.js'
import type { StoredMessage } from './store.js'
import { type CheckedTargets, checkTargets } from './targets.js'

/** How an attempt to send ended. */
export type AttemptOutcome =
  | { readonly outcome: 'delivered'; readonly status: number }
  | ({ readonly outcome: 'failed' } & Failure)
  /** This process stops sending: it never counted. */
  | { readonly outcome: 'stopped' }

/** What an attempt needs in addition to the message. */
export interface AttemptContext {
  readonly http: HttpClientProvider
  readonly options: ApplicationNodeOptions
  readonly config: ApplicationNodeConfig
  readonly clock: Clock
  /** Aborted when this process stops sending. */
  readonly signal: AbortSignal
  /** Called right before a request is sent. */
  readonly onSending: () => void
}

/** What is to be sent where. */
interface Prepared {
  readonly url: URL
  readonly targets: CheckedTargets
  readonly token: string
}

/** Sends a message once. Everything that may have changed since it was stored is looked at again. */
export async function attempt(message: StoredMessage, context: AttemptContext): Promise<AttemptOutcome> {
  const { config, http, clock, signal, onSending } = context
  let prepared: Prepared | Failure
  try {
    prepared = await within(config.deadlineMs, prepare(message, context))
  } catch {
    // What a function of the application threw may hold anything: it is told by the reason alone.
    return { outcome: 'failed', reason: 'application', isPassing: true }
  }
  if ('reason' in prepared) return { outcome: 'failed', ...prepared }
  if (signal.aborted) return { outcome: 'stopped' }
  const { url, targets, token } = prepared
  const wire = wireOf(message.target.kind, message.announcement)
  url.pathname = url.pathname.replace(wire.path === '' ? /$/ : /\/*$/, wire.path)
  try {
    onSending()
    const answer = await http.request(url, {
      purpose: 'backchannel-logout',
      method: 'POST',
      headers: { 'content-type': wire.contentType, accept: 'application/json' },
      body: wire.body(token),
      deadlineMs: config.deadlineMs,
      signal,
      ...(targets.egress.length > 0 && { egress: targets.egress }),
    })
    const { status } = answer
    if (isDelivered(status)) return { outcome: 'delivered', status }
    const retryAfterMs = retryAfterMsOf(answer.headers['retry-after'], clock.now())
    return { outcome: 'failed', reason: 'status', status, isPassing: isPassingStatus(status), retryAfterMs }
  } catch (error) {
    return afterError(error)
  }
}

/** Whether the host does not answer, so that other messages to it should wait as well. */
export const isHostDown = (reason: DeliveryReason): boolean =>
  reason === 'timeout' || reason === 'connect' || reason === 'tls' || reason === 'queue-full'

async function prepare(message: StoredMessage, context: AttemptContext): Promise<Prepared | Failure> {
  const { realmId, target, announcement } = message
  const { options, clock } = context
  const refuse = (reason: DeliveryReason): Failure => ({ reason, isPassing: false })
  const given = await options.clients(realmId, target.clientId)
  if (given === undefined) return refuse('no-target')
  const targets = checkedOr(target.clientId, given)
  if (targets === undefined) return refuse('configuration')
  const template = targets.urls[target.kind]
  if (template === undefined) return refuse('no-target')
  const url = template.at(target.via === 'url' ? undefined : target.host)
  if (url === undefined) return refuse('no-host')
  if (!targets.isAllowed(hostIn(url))) return refuse('host-not-allowed')
  const userId = 'userId' in announcement ? announcement.userId : undefined
  if (announcement.type === 'all-sessions-ended' && userId !== undefined && !targets.honoursEventTime) {
    const { at } = announcement
    if (await options.hasNewerSession?.(realmId, userId, target.clientId, at)) return refuse('newer-session')
  }
  const subject =
    userId === undefined
      ? undefined
      : ((await options.subjectOf?.(realmId, userId, target.clientId)) ?? userId)
  const issuer = options.issuer(realmId)
  const claims = claimsOf(target, announcement, { now: clock.now(), issuer, subject })
  const { typ } = wireOf(target.kind, announcement)
  const { clientId } = target
  const alg = targets.alg === undefined ? {} : { alg: targets.alg }
  const token = await options.sign(claims, { realmId, clientId, typ, ...alg })
  if (typeof token !== 'string' || token === '') throw new TypeError('"sign" must return a token')
  return { url, targets, token }
}

/** Targets, or `undefined` where they are wrong. */
export function checkedOr(
  clientId: string,
  given: Parameters<typeof checkTargets>[1],
): CheckedTargets | undefined {
  try {
    return checkTargets(clientId, given)
  } catch (error) {
    if (error instanceof ConfigurationError) return undefined
    throw error
  }
}

function afterError(error: unknown): AttemptOutcome {
  if (error instanceof ProviderClosedError) return { outcome: 'stopped' }
  if (!(error instanceof HttpError)) {
    // An argument that http-client does not take comes from the client's "egress".
    return { outcome: 'failed', reason: 'configuration', isPassing: false }
  }
  switch (error.code) {
    case 'aborted':
      return { outcome: 'stopped' }
    case 'egress':
      return { outcome: 'failed', reason: 'egress', isPassing: false }
    case 'too-large':
      return { outcome: 'failed', reason: 'protocol', isPassing: false }
    default:
      return { outcome: 'failed', reason: error.code, isPassing: true }
  }
}

/** A function of the application that never answers must not keep a place for ever. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof timers.setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = timers.setTimeout(() => reject(new Error('application-node: no answer in time')), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    timers.clearTimeout(timer)
  }
}
