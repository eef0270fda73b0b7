import type { Reception } from './back-channel.js'
import { answer, bodyOf } from './bodies.js'

/** Where Keycloak sends to: the admin URL of the client, and what it appends. */
export interface AdapterPaths {
  /** `/k_logout` behind the path of the admin URL. */
  readonly logout?: string | undefined
  /** `/k_push_not_before`. */
  readonly pushNotBefore?: string | undefined
  /** `/k_test_available`. */
  readonly testAvailable?: string | undefined
}

type Action = 'LOGOUT' | 'PUSH_NOT_BEFORE' | 'TEST_AVAILABILITY'

/** An action is worth 30 s where it comes from. */
const MAX_LIFE_MS = 300_000
/** Sessions that one action names. */
const MAX_SESSIONS = 10_000

/**
 * The endpoints that Keycloak's own adapters have.
 *
 * An action is heeded once, and a not-before only rises: a message that was caught does nothing later.
 */
export class KeycloakAdapter {
  readonly #reception: Reception
  readonly #actions: ReadonlyMap<string, Action>

  constructor(reception: Reception, paths: AdapterPaths = {}) {
    this.#reception = reception
    const { logout, pushNotBefore, testAvailable } = paths
    const actions: readonly (readonly [string | undefined, Action])[] = [
      [logout, 'LOGOUT'],
      [pushNotBefore, 'PUSH_NOT_BEFORE'],
      [testAvailable, 'TEST_AVAILABILITY'],
    ]
    this.#actions = new Map(actions.flatMap(([path, action]) => (path === undefined ? [] : [[path, action]])))
  }

  async receive(request: Request): Promise<Response> {
    const action = this.#actions.get(new URL(request.url).pathname)
    if (action === undefined) return answer(404)
    if (request.method !== 'POST') return answer(400)
    const body = await bodyOf(request)
    if (body === undefined) return answer(400)
    const token = body.trim()
    const message = await this.#reception.verifier.verify(token)
    if (message === undefined) return answer(401)
    const { claims } = message
    const { clientId, clock, skewMs, once, store } = this.#reception
    const { id, expiration } = claims
    // An ID token or a logout token has none of these.
    if (claims['action'] !== action || claims['resource'] !== clientId) return answer(400)
    if (typeof id !== 'string' || id === '' || id.length > 512 || !isSeconds(expiration)) return answer(400)
    const left = expiration * 1_000 + skewMs - clock.now()
    if (left <= 0 || left > MAX_LIFE_MS + skewMs) return answer(400)
    const act = this.#actOf(action, claims)
    if (act === undefined) return answer(400)
    const outcome = await once.run('keycloak-action', [store.issuer, id], token, Math.ceil(left), act)
    return answer(outcome === 'other' ? 400 : 204)
  }

  /** What an action asks for; `undefined` when it does not say. */
  #actOf(action: Action, claims: Readonly<Record<string, unknown>>): (() => Promise<unknown>) | undefined {
    const { store, clock } = this.#reception
    if (action === 'TEST_AVAILABILITY') return async () => {}
    const { notBefore } = claims
    const at = isSeconds(notBefore) && notBefore > 0 ? Math.floor(notBefore) * 1_000 : undefined
    if (action === 'PUSH_NOT_BEFORE') return at === undefined ? undefined : () => store.raiseNotBefore(at)
    const ours = namesIn(claims['adapterSessionIds'])
    const theirs = namesIn(claims['keycloakSessionIds'])
    if (ours === undefined || theirs === undefined) return undefined
    if (isNone(claims['adapterSessionIds']) && isNone(claims['keycloakSessionIds']))
      return async () => {
        // All of them: those that began until the end of the second that it says.
        await store.end({ before: at === undefined ? clock.now() : at + 999 })
        if (at !== undefined) await store.raiseNotBefore(at)
      }
    return async () => {
      // Our ids of sessions, which the application sent as `client_session_state`.
      for (const id of ours) await store.end({ id })
      for (const sid of theirs) await store.end({ sid })
    }
  }
}

const isSeconds = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 && value < 1e11

const isNone = (list: unknown): boolean => list === undefined || list === null

/** Names of sessions; none where there is no list, `undefined` where it is none. */
function namesIn(list: unknown): readonly string[] | undefined {
  if (isNone(list)) return []
  if (!Array.isArray(list) || list.length > MAX_SESSIONS) return undefined
  return list.every((name) => typeof name === 'string' && name !== '' && name.length <= 512)
    ? (list as string[])
    : undefined
}
