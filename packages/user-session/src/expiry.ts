import type { Realm } from '@authstate/spi'
import { positive } from '@authstate/spi/internal'

/** Two spans that end a session: without use, and in all. `maxMs` 0: no end in all. */
export interface Life {
  readonly idleMs: number
  readonly maxMs: number
}

/** What a realm says about the life of sessions, or of the client sessions of one client, at this moment. */
export interface Lives {
  readonly plain: Life
  /** For sessions that carry remember-me. */
  readonly rememberMe: Life
  /** What began before this instant is over. */
  readonly notBefore: number
}

/** When something began and was last used, in ms since the epoch. */
export interface Uses {
  readonly startedAt: number
  readonly lastRefreshAt: number
}

/** Nothing lives as long as this; instants beyond it could not be distinguished. */
const FOREVER = Number.MAX_SAFE_INTEGER

const OVER: Life = { idleMs: 0, maxMs: 0 }

/** Lives of user sessions. @see Keycloak, SSO and offline session settings */
export function userLives(realm: Realm, offline: boolean): Lives {
  if (offline) {
    const life = {
      idleMs: realm.offlineSessionIdleTimeoutMs,
      maxMs: realm.offlineSessionMaxLifespanEnabled ? realm.offlineSessionMaxLifespanMs : 0,
    }
    return { plain: life, rememberMe: life, notBefore: realm.notBefore }
  }
  const { plain, rememberMe } = onlineLives(realm)
  return { plain, rememberMe: realm.rememberMe ? rememberMe : OVER, notBefore: realm.notBefore }
}

/** Lives of the client sessions of a client: its own settings come first, then the realm's client settings, then its SSO settings. */
export function clientLives(realm: Realm, clientId: string, offline: boolean): Lives {
  const client = realm.client(clientId)
  const ofClient = (name: keyof typeof client, whenAbsent: number) =>
    positive(client[name], `clients(clientId).${name}`, whenAbsent)
  if (offline) {
    const anyway = realm.offlineSessionMaxLifespanEnabled
      ? realm.clientOfflineSessionMaxLifespanMs || realm.offlineSessionMaxLifespanMs
      : 0
    const life = {
      idleMs: ofClient(
        'offlineSessionIdleTimeoutMs',
        realm.clientOfflineSessionIdleTimeoutMs || realm.offlineSessionIdleTimeoutMs,
      ),
      maxMs: ofClient('offlineSessionMaxLifespanMs', anyway),
    }
    return { plain: life, rememberMe: life, notBefore: 0 }
  }
  const idleMs = ofClient('sessionIdleTimeoutMs', realm.clientSessionIdleTimeoutMs)
  const maxMs = ofClient('sessionMaxLifespanMs', realm.clientSessionMaxLifespanMs)
  const overridden = (life: Life): Life => ({ idleMs: idleMs || life.idleMs, maxMs: maxMs || life.maxMs })
  const { plain, rememberMe } = onlineLives(realm)
  return { plain: overridden(plain), rememberMe: overridden(rememberMe), notBefore: 0 }
}

/** Remember-me only ever lengthens. */
function onlineLives(realm: Realm): { plain: Life; rememberMe: Life } {
  const plain = { idleMs: realm.ssoSessionIdleTimeoutMs, maxMs: realm.ssoSessionMaxLifespanMs }
  return {
    plain,
    rememberMe: {
      idleMs: Math.max(plain.idleMs, realm.ssoSessionIdleTimeoutRememberMeMs),
      maxMs: Math.max(plain.maxMs, realm.ssoSessionMaxLifespanRememberMeMs),
    },
  }
}

/** The life that applies to a session. */
export function lifeFor(lives: Lives, { rememberMe }: { readonly rememberMe: boolean }): Life {
  return rememberMe ? lives.rememberMe : lives.plain
}

/** When a user session ends at the latest; `undefined`: use alone decides. */
export function userMaxAt(
  lives: Lives,
  session: Uses & { readonly rememberMe: boolean },
): number | undefined {
  if (session.startedAt < lives.notBefore) return 0
  const { maxMs } = lifeFor(lives, session)
  return maxMs > 0 ? session.startedAt + maxMs : undefined
}

/** When a client session ends at the latest: a client's own settings only shorten what the user session has. */
export function clientMaxAt(life: Life, client: Uses, userMax: number | undefined): number | undefined {
  if (life.maxMs === 0) return undefined
  return Math.min(client.startedAt + life.maxMs, userMax ?? FOREVER)
}

/** The end of a user session: unused for too long, or too old, whichever comes first. */
export function userExpiresAt(lives: Lives, session: Uses & { readonly rememberMe: boolean }): number {
  return endOf(lifeFor(lives, session), session, userMaxAt(lives, session))
}

/** The end of a client session. It is not capped by the idle time of the user session, whose end is an end of its own. */
export function clientExpiresAt(
  lives: Lives,
  client: Uses,
  session: { readonly rememberMe: boolean },
  userMax: number | undefined,
): number {
  const life = lifeFor(lives, session)
  return endOf(life, client, clientMaxAt(life, client, userMax))
}

function endOf(life: Life, { lastRefreshAt }: Uses, maxAt: number | undefined): number {
  return Math.min(lastRefreshAt + life.idleMs, maxAt ?? FOREVER, FOREVER)
}
