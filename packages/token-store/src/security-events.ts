import { isPlainObject } from '@authstate/spi/internal'
import { fenceOf, isAudience, type Reception } from './back-channel.js'
import { answer, bodyOf, isOfType } from './bodies.js'
import type { EndTarget } from './interface.js'

/** The event that ends sessions. */
const REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'
/** Oldest event that is heeded, by its `iat`: a transmitter keeps what it could not deliver. */
const MAX_AGE_MS = 7 * 86_400_000
const MAX_NAME = 512

type Fault = 'invalid_request' | 'invalid_key' | 'invalid_issuer' | 'invalid_audience'

const refused = (err: Fault): Response =>
  new Response(JSON.stringify({ err, description: '' }), {
    status: 400,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  })

/**
 * Security events that a provider pushes: `session-revoked` ends sessions, any other is taken and does nothing.
 *
 * @see RFC 8935, RFC 8417, OpenID CAEP 1.0 §3.1
 */
export class SecurityEvents {
  readonly #reception: Reception

  constructor(reception: Reception) {
    this.#reception = reception
  }

  async receive(request: Request): Promise<Response> {
    const { store, verifier, once, clientId, clock, skewMs } = this.#reception
    if (request.method !== 'POST' || !isOfType(request, 'application/secevent+jwt'))
      return refused('invalid_request')
    const body = await bodyOf(request)
    if (body === undefined) return refused('invalid_request')
    const token = body.trim()
    const message = await verifier.verify(token)
    if (message === undefined) return refused('invalid_key')
    const { type = '', claims } = message
    const { iss, aud, jti, iat, events } = claims
    if (type.replace(/^application\//i, '').toLowerCase() !== 'secevent+jwt')
      return refused('invalid_request')
    if (iss !== store.issuer) return refused('invalid_issuer')
    if (!isAudience(aud, clientId)) return refused('invalid_audience')
    const now = clock.now()
    if (!isName(jti) || !isPlainObject(events)) return refused('invalid_request')
    if (typeof iat !== 'number' || !(iat * 1_000 <= now + skewMs && iat * 1_000 + MAX_AGE_MS > now))
      return refused('invalid_request')
    const event = (events as Readonly<Record<string, unknown>>)[REVOKED]
    // Events of other kinds are none of ours: a transmitter is not to send them again.
    if (event === undefined) return answer(202)
    const target = isPlainObject(event)
      ? this.#targetOf(claims, event as Record<string, unknown>, iat)
      : undefined
    if (target === undefined) return refused('invalid_request')
    const validMs = Math.ceil(iat * 1_000 + MAX_AGE_MS + skewMs - now)
    const outcome = await once.run('security-event', [store.issuer, jti], token, validMs, () =>
      store.end(target),
    )
    return outcome === 'other' ? refused('invalid_request') : answer(202)
  }

  /** Whose sessions: that of a session of the provider, or of a user those that began until it happened. */
  #targetOf(
    claims: Readonly<Record<string, unknown>>,
    event: Readonly<Record<string, unknown>>,
    iat: number,
  ): EndTarget | undefined {
    const subject = claims['sub_id'] ?? event['subject']
    if (!isPlainObject(subject)) return undefined
    const { format, user, session } = subject as Readonly<Record<string, unknown>>
    const isComplex = format === 'complex' || format === undefined
    const sid = nameIn(isComplex ? session : undefined, 'opaque', 'id')
    if (sid !== undefined) return { sid }
    const named = isComplex ? user : subject
    const name = nameIn(named, 'iss_sub', 'sub')
    if (name === undefined || (named as { iss?: unknown }).iss !== this.#reception.store.issuer)
      return undefined
    return { subject: name, before: fenceOf(iat, claims['toe'] ?? event['event_timestamp']) }
  }
}

/** The name in a subject identifier of a format. @see RFC 9493 §3 */
function nameIn(identifier: unknown, format: string, member: string): string | undefined {
  if (!isPlainObject(identifier)) return undefined
  const held = identifier as Readonly<Record<string, unknown>>
  const name = held[member]
  return held['format'] === format && isName(name) ? name : undefined
}

const isName = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.length > 0 &&
  value.length <= MAX_NAME &&
  Buffer.byteLength(value) <= MAX_NAME
