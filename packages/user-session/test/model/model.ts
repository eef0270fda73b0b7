import type { FakeClock } from '@authstate/conformance'
import { type RealmSettings, resolveRealm } from '@authstate/spi'
import type { UserSessionProvider } from '../../src/index.js'

/** What the commands run against. */
export interface Real {
  readonly provider: UserSessionProvider
  readonly clock: FakeClock
  readonly realms: Map<string, RealmSettings>
}

export interface ModelClient {
  startedAt: number
  lastRefreshAt: number
  expiresAt: number
  notes: Record<string, string>
}

/** A session as somebody would write it down on paper. */
export interface ModelSession {
  readonly realmId: string
  readonly id: string
  readonly userId: string
  readonly offline: boolean
  startedAt: number
  lastRefreshAt: number
  expiresAt: number
  notes: Record<string, string>
  clients: Map<string, ModelClient>
}

export interface Model {
  sessions: ModelSession[]
  readonly realms: Map<string, RealmSettings>
  /** Commands that ran. */
  turns: number
}

export const alive = ({ expiresAt }: { readonly expiresAt: number }, now: number): boolean => expiresAt > now

export const find = (
  model: Model,
  realmId: string,
  id: string,
  offline: boolean,
  now: number,
): ModelSession | undefined =>
  model.sessions.find(
    (item) => item.realmId === realmId && item.id === id && item.offline === offline && alive(item, now),
  )

/** Ends of a session and a client session, straight from the settings: idle from use, max from start. */
export function userEnd(model: Model, session: ModelSession): number {
  const { idle, max } = spans(model, session)
  return Math.min(session.lastRefreshAt + idle, session.startedAt + max)
}

export function clientEnd(model: Model, session: ModelSession, client: ModelClient): number {
  const realm = resolveRealm(model.realms.get(session.realmId))
  const { idle, max } = spans(model, session)
  const own = session.offline ? realm.clientOfflineSessionIdleTimeoutMs : realm.clientSessionIdleTimeoutMs
  const limit =
    max === Number.POSITIVE_INFINITY ? max : Math.min(client.startedAt + max, session.startedAt + max)
  return Math.min(client.lastRefreshAt + (own || idle), limit)
}

function spans(model: Model, { realmId, offline }: ModelSession): { idle: number; max: number } {
  const realm = resolveRealm(model.realms.get(realmId))
  return offline
    ? { idle: realm.offlineSessionIdleTimeoutMs, max: Number.POSITIVE_INFINITY }
    : { idle: realm.ssoSessionIdleTimeoutMs, max: realm.ssoSessionMaxLifespanMs }
}
