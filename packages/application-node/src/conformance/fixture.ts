import assert from 'node:assert/strict'
import { HttpError, type HttpErrorCode, memoryHttpClient, type ScriptedAnswer } from '@authstate/http-client'
import type {
  Announcement,
  ApplicationNodeProvider,
  ClientTargets,
  Delivery,
  DeliveryTarget,
} from '../contract.js'
import type { ApplicationNodeOptions, Claims, SigningRequest } from '../options.js'

export const MINUTE_MS = 60_000

/** `retryMaxMs` of the suite: after it every pause is over. */
export const RETRY_MAX_MS = 5 * MINUTE_MS

/** `maxLifeMs` of the suite. */
export const LIFE_MS = 60 * MINUTE_MS

/** `maxQueued` of the suite. */
export const MOST_QUEUED = 40

/** `maxDead` of the suite. */
export const MOST_DEAD = 5

/** A request that came, and what its token says. */
export interface Received {
  readonly url: string
  readonly host: string
  readonly contentType: string | undefined
  readonly claims: Claims
  readonly signed: SigningRequest
}

/** What a receiver does. */
export type Receiver = (received: Received) => ScriptedAnswer | Promise<ScriptedAnswer>

const accept: Receiver = () => ({ status: 200 })

/** The application around the provider under test, and the receivers that it sends to. One case at a time has it. */
class SuiteApplication {
  readonly clients = new Map<string, ClientTargets>()
  received: Received[] = []
  receiver: Receiver = accept
  newerSession = false
  /** Thrown by each function of the application. */
  failure: Error | undefined
  minted = 0

  reset(): void {
    this.clients.clear()
    this.received = []
    this.receiver = accept
    this.newerSession = false
    this.failure = undefined
    this.minted = 0
    this.clients.set('shop', { managementUrl: 'https://shop.example.com/admin' })
    this.clients.set('mail', { backchannelLogoutUri: 'https://mail.example.com/logout?from=op' })
    this.clients.set('wiki', { securityEventUri: 'https://wiki.example.com/events' })
  }

  readonly options: ApplicationNodeOptions = {
    clients: async (_realmId, clientId) => {
      if (this.failure !== undefined) throw this.failure
      return this.clients.get(clientId)
    },
    clientIds: () => [...this.clients.keys()],
    issuer: (realmId) => `https://login.example.com/realms/${encodeURIComponent(realmId)}`,
    sign: (claims, request) => {
      this.minted += 1
      return tokenOf(claims, request)
    },
    hasNewerSession: () => this.newerSession,
  }

  readonly http = () =>
    memoryHttpClient(async ({ url, headers, body }) => {
      const received = receivedOf(url, headers, String(body))
      this.received.push(received)
      return this.receiver(received)
    })

  /** Ids of clients by what came, in order. */
  get hosts(): string[] {
    return this.received.map(({ host }) => host)
  }
}

/** What a provider under test is built with: these options, and an http-client of {@link SuiteApplication.http}. */
export const suiteApplication = new SuiteApplication()

/** The application, as a case begins. */
export function freshApplication(): SuiteApplication {
  suiteApplication.reset()
  return suiteApplication
}

/** No signature: who is sent to is the script. */
const tokenOf = (claims: Claims, request: SigningRequest): string =>
  [request, claims, 'signature']
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')

function receivedOf(url: string, headers: Readonly<Record<string, string>>, body: string): Received {
  const token = new URLSearchParams(body).get('logout_token') ?? body
  const [signed = '', claims = ''] = token.split('.')
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
  const { hostname } = new URL(url)
  return {
    url,
    host: hostname,
    contentType: headers['content-type'],
    claims: read(claims) as Claims,
    signed: read(signed) as SigningRequest,
  }
}

/** A receiver that answers what it is told to, in order, and the last for ever. */
export function answering(...statuses: readonly (number | ScriptedAnswer)[]): Receiver {
  let index = 0
  return () => {
    const answer = statuses[Math.min(index, statuses.length - 1)] ?? 200
    index += 1
    return typeof answer === 'number' ? { status: answer } : answer
  }
}

/** A receiver that nobody reaches. */
export const unreachableWith =
  (code: HttpErrorCode): Receiver =>
  ({ host }) => {
    throw new HttpError(code, { sent: 'no', host })
  }

/** A session that ended at clients. */
export const sessionEnded = (
  at: number,
  clientIds: readonly string[],
  fields: { readonly nodeHost?: string; readonly sessionId?: string } = {},
): Announcement => ({
  type: 'session-ended',
  userId: 'alice',
  sessionId: fields.sessionId ?? 'sid-1',
  at,
  clients: clientIds.map((clientId) => ({
    clientId,
    applicationSessionId: `app-of-${clientId}`,
    ...(fields.nodeHost !== undefined && { nodeHost: fields.nodeHost }),
  })),
})

/** Announces, sends what is due, and answers the delivery. */
export async function delivered(
  provider: ApplicationNodeProvider,
  announcement: Announcement,
  clientIds?: readonly string[],
): Promise<Delivery> {
  const { deliveryId } = await provider.announce('r', announcement, { clientIds })
  await provider.deliverDue()
  return deliveryOf(provider, deliveryId)
}

export async function deliveryOf(
  provider: ApplicationNodeProvider,
  deliveryId: string,
  realmId = 'r',
): Promise<Delivery> {
  return (await provider.delivery(realmId, deliveryId)) ?? assert.fail('the delivery is gone')
}

/** The only message of a delivery. */
export function only({ targets }: Delivery): DeliveryTarget {
  assert.equal(targets.length, 1)
  return targets[0] as DeliveryTarget
}

/** State and reason of each message. */
export const statesOf = ({ targets }: Delivery): string[] =>
  targets.map(
    ({ clientId, state, reason }) => `${clientId} ${state}${reason === undefined ? '' : `: ${reason}`}`,
  )

/** Registers nodes, each of which must be taken. */
export async function registered(
  provider: ApplicationNodeProvider,
  clientId: string,
  ...hosts: readonly string[]
): Promise<void> {
  for (const host of hosts)
    assert.equal((await provider.register('r', clientId, { host })).outcome, 'registered')
}

export const hostsOf = async (
  provider: ApplicationNodeProvider,
  clientId: string,
  realmId = 'r',
): Promise<string[]> => (await provider.list(realmId, clientId)).map(({ host }) => host)
