import { assertKnown, type Known } from '@authstate/spi'
import type { ActionToken, ActionTokenProvider } from './contract.js'

/** A request that a link of a mail, or the form behind it, has led to. */
export interface LinkRequest {
  /** Method of the HTTP request. */
  readonly method: string
  /** The signed token from the link or the form. */
  readonly token: string
  readonly actionId: string
  /** See `ConsumeOptions.attempt`. */
  readonly attempt?: string | undefined
}

/** What to do with the request. */
export type LinkStep =
  /** Show what is about to happen, and a form that posts the token. Nothing has happened yet. */
  | { readonly step: 'confirm'; readonly token: ActionToken }
  /** The token was redeemed by this request: do it now. */
  | { readonly step: 'confirmed'; readonly token: ActionToken }
  | { readonly step: 'refused'; readonly reason: 'used' | 'expired' | 'invalid' }

const REQUEST: Known<LinkRequest> = { method: true, token: true, actionId: true, attempt: true }

/**
 * Takes a link from a mail through its two steps: opening it never consumes, posting its form does, once.
 *
 * Mail scanners and link previews open every link; were that enough, they would use it up before its reader.
 *
 * @throws {TypeError} the method is neither GET, HEAD nor POST
 * @see RFC 9110 §9.2.1 — safe methods do not change state
 */
export async function confirmLink(
  tokens: ActionTokenProvider,
  realmId: string,
  request: LinkRequest,
): Promise<LinkStep> {
  assertKnown(request, 'request', REQUEST)
  const { method, token, actionId, attempt } = request
  const looking = method === 'GET' || method === 'HEAD'
  if (!looking && method !== 'POST') throw new TypeError(`"method" must be 'GET', 'HEAD' or 'POST'`)
  const result = looking
    ? await tokens.verifyActionToken(realmId, token, actionId)
    : await tokens.consumeActionToken(realmId, token, actionId, { attempt })
  if (result.outcome !== 'valid') return { step: 'refused', reason: result.outcome }
  return { step: looking ? 'confirm' : 'confirmed', token: result.token }
}
