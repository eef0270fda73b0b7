import { answer, invalidRequest } from './bodies.js'
import type { StoredSession, TokenStore } from './interface.js'

/**
 * Logout in a hidden frame of the provider.
 *
 * It is not signed, so it ends only existing sessions: the session of the cookie, if the browser
 * sends one, or the one that its `sid` names. It leaves no mark for an unknown session, because
 * then every caller could fill the store.
 *
 * @see OpenID Connect Front-Channel Logout 1.0 §2
 */
export class FrontChannel {
  readonly #store: TokenStore

  constructor(store: TokenStore) {
    this.#store = store
  }

  async receive(request: Request): Promise<Response> {
    if (request.method !== 'GET') return invalidRequest()
    const query = new URL(request.url).searchParams
    const [issuers, sids] = [query.getAll('iss'), query.getAll('sid')]
    if (issuers.length > 1 || sids.length > 1 || issuers.length !== sids.length) return invalidRequest()
    const [issuer, sid] = [issuers[0], sids[0]]
    if (issuer !== undefined && issuer !== this.#store.issuer) return invalidRequest()
    if (sid !== undefined && (sid === '' || Buffer.byteLength(sid) > 512)) return invalidRequest()
    const { session, clear } = await this.#store.read(request.headers.get('cookie'))
    const isOfBrowser = session !== undefined && (sid === undefined || session.sid === sid)
    const cleared = isOfBrowser ? await this.#endOf(session) : clear
    if (sid !== undefined && (isOfBrowser || (await this.#isThere(sid)))) await this.#store.end({ sid })
    const response = answer(200, { 'content-type': 'text/html; charset=utf-8' })
    for (const cookie of cleared) response.headers.append('set-cookie', cookie)
    return response
  }

  async #isThere(sid: string): Promise<boolean> {
    if (this.#store.describe().kind === 'cookie') return false
    return (await this.#store.sessionsOf({ sid })).length > 0
  }

  async #endOf(session: StoredSession): Promise<readonly string[]> {
    return (await this.#store.end(session)).clear
  }
}
