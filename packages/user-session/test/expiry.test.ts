import { isExpired, type RealmSettings, resolveRealm } from '@authstate/spi'
import { describe, expect, test } from 'vitest'
import {
  clientExpiresAt,
  clientLives,
  clientMaxAt,
  lifeFor,
  userExpiresAt,
  userLives,
  userMaxAt,
} from '../src/expiry.js'

const SECOND = 1_000
const seconds = (settings: Record<string, number | boolean>): RealmSettings =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      typeof value === 'number' ? value * SECOND : value,
    ]),
  )

interface UserVector {
  readonly times: readonly [started: number, refreshed: number]
  readonly settings?: Record<string, number | boolean>
  readonly rememberMe?: boolean
  readonly offline?: boolean
  readonly now: number
  readonly maxAt: number | undefined
  readonly idleAt: number
  /** What is left; undefined when it is over. */
  readonly leftMs: number | undefined
}

const remembered = (settings: Record<string, number>) => ({ rememberMe: true, settings })

// Vectors B1: started and refreshed in seconds, the rest in milliseconds.
const userVectors: Record<string, UserVector> = {
  V1: { times: [1000, 1000], now: 1_000_000, maxAt: 37_000_000, idleAt: 2_800_000, leftMs: 1_800_000 },
  V2: { times: [1000, 1000], now: 2_799_999, maxAt: 37_000_000, idleAt: 2_800_000, leftMs: 1 },
  V3: { times: [1000, 1000], now: 2_800_000, maxAt: 37_000_000, idleAt: 2_800_000, leftMs: undefined },
  V4: { times: [1000, 36_000], now: 36_999_999, maxAt: 37_000_000, idleAt: 37_800_000, leftMs: 1 },
  V5: { times: [1000, 36_000], now: 37_000_000, maxAt: 37_000_000, idleAt: 37_800_000, leftMs: undefined },
  V6: {
    ...remembered({
      ssoSessionMaxLifespanMs: 3600,
      ssoSessionIdleTimeoutMs: 600,
      ssoSessionMaxLifespanRememberMeMs: 100,
      ssoSessionIdleTimeoutRememberMeMs: 100,
    }),
    times: [1000, 1000],
    now: 1_000_000,
    maxAt: 4_600_000,
    idleAt: 1_600_000,
    leftMs: 600_000,
  },
  V7: {
    ...remembered({
      ssoSessionMaxLifespanMs: 3600,
      ssoSessionIdleTimeoutMs: 600,
      ssoSessionMaxLifespanRememberMeMs: 14_400,
      ssoSessionIdleTimeoutRememberMeMs: 2400,
    }),
    times: [1000, 1000],
    now: 1_000_000,
    maxAt: 15_400_000,
    idleAt: 3_400_000,
    leftMs: 2_400_000,
  },
  V8: {
    offline: true,
    rememberMe: true,
    times: [1000, 1000],
    now: 1_000_000,
    maxAt: undefined,
    idleAt: 2_593_000_000,
    leftMs: 2_592_000_000,
  },
  V9: {
    offline: true,
    settings: { offlineSessionIdleTimeoutMs: 100, offlineSessionMaxLifespanEnabled: true },
    times: [1000, 1000],
    now: 1_000_000,
    maxAt: 5_185_000_000,
    idleAt: 1_100_000,
    leftMs: 100_000,
  },
  V10: {
    offline: true,
    settings: {
      offlineSessionIdleTimeoutMs: 100,
      offlineSessionMaxLifespanEnabled: true,
      offlineSessionMaxLifespanMs: 50,
    },
    times: [1000, 1000],
    now: 1_000_000,
    maxAt: 1_050_000,
    idleAt: 1_100_000,
    leftMs: 50_000,
  },
}

describe('user sessions (B1)', () => {
  test.each(Object.entries(userVectors))('%s', (_, vector) => {
    const { times, settings = {}, rememberMe = false, offline = false, now, maxAt, idleAt, leftMs } = vector
    const lives = userLives(resolveRealm(seconds(settings)), offline)
    const session = { startedAt: times[0] * SECOND, lastRefreshAt: times[1] * SECOND, rememberMe }
    expect(userMaxAt(lives, session)).toBe(maxAt)
    expect(session.lastRefreshAt + lifeFor(lives, session).idleMs).toBe(idleAt)
    const expiresAt = userExpiresAt(lives, session)
    expect(isExpired(expiresAt, now) ? undefined : expiresAt - now).toBe(leftMs)
  })
})

interface ClientVector {
  readonly times: readonly [started: number, refreshed: number]
  readonly settings?: Record<string, number | boolean>
  readonly client?: Record<string, number>
  readonly offline?: boolean
  readonly userMaxAt?: number | undefined
  readonly maxAt: number | undefined
  readonly idleAt: number
  readonly leftMs: number
}

// Vectors B2: the user session started at 1000 s and ends at 37 000 000 ms unless said otherwise.
const clientVectors: Record<string, ClientVector> = {
  C1: { times: [1000, 1000], maxAt: 37_000_000, idleAt: 2_800_000, leftMs: 1_800_000 },
  C2: { times: [5000, 5000], maxAt: 37_000_000, idleAt: 6_800_000, leftMs: 1_800_000 },
  C3: {
    times: [5000, 5000],
    settings: { clientSessionMaxLifespanMs: 2000, clientSessionIdleTimeoutMs: 500 },
    maxAt: 7_000_000,
    idleAt: 5_500_000,
    leftMs: 500_000,
  },
  C4: {
    times: [5000, 5000],
    settings: { clientSessionMaxLifespanMs: 2000, clientSessionIdleTimeoutMs: 500 },
    client: { sessionMaxLifespanMs: 100, sessionIdleTimeoutMs: 9000 },
    maxAt: 5_100_000,
    idleAt: 14_000_000,
    leftMs: 100_000,
  },
  C5: {
    times: [5000, 5000],
    client: { sessionMaxLifespanMs: 99_999 },
    maxAt: 37_000_000,
    idleAt: 6_800_000,
    leftMs: 1_800_000,
  },
  C6: {
    times: [1000, 1000],
    offline: true,
    userMaxAt: undefined,
    maxAt: undefined,
    idleAt: 2_593_000_000,
    leftMs: 2_592_000_000,
  },
  C7: {
    times: [1000, 1000],
    offline: true,
    client: { offlineSessionMaxLifespanMs: 300, offlineSessionIdleTimeoutMs: 60 },
    userMaxAt: undefined,
    maxAt: 1_300_000,
    idleAt: 1_060_000,
    leftMs: 60_000,
  },
  C8: {
    times: [1000, 1000],
    offline: true,
    settings: { offlineSessionMaxLifespanEnabled: true, clientOfflineSessionMaxLifespanMs: 9000 },
    userMaxAt: 6_000_000,
    maxAt: 6_000_000,
    idleAt: 2_593_000_000,
    leftMs: 5_000_000,
  },
  C9: {
    times: [5000, 5000],
    settings: { clientSessionIdleTimeoutMs: 500 },
    client: { sessionMaxLifespanMs: 0, sessionIdleTimeoutMs: -5 },
    maxAt: 37_000_000,
    idleAt: 5_500_000,
    leftMs: 500_000,
  },
}

describe('client sessions (B2)', () => {
  test.each(Object.entries(clientVectors))('%s', (_, vector) => {
    const { times, settings = {}, client = {}, offline = false, maxAt, idleAt, leftMs } = vector
    const userMax = 'userMaxAt' in vector ? vector.userMaxAt : 37_000_000
    const realm = resolveRealm({ ...seconds(settings), clients: () => seconds(client) as never })
    const lives = clientLives(realm, 'app', offline)
    const plain = { rememberMe: false }
    const uses = { startedAt: times[0] * SECOND, lastRefreshAt: times[1] * SECOND }
    expect(clientMaxAt(lifeFor(lives, plain), uses, userMax)).toBe(maxAt)
    expect(uses.lastRefreshAt + lifeFor(lives, plain).idleMs).toBe(idleAt)
    expect(clientExpiresAt(lives, uses, plain, userMax) - uses.startedAt).toBe(leftMs)
  })

  test('a time-out of the wrong type is named', () => {
    for (const wrong of ['', ' ', 'abc', Number.NaN]) {
      const realm = resolveRealm({ clients: () => ({ sessionIdleTimeoutMs: wrong as number }) })
      expect(() => clientLives(realm, 'app', false)).toThrow(/sessionIdleTimeoutMs/)
    }
  })

  test('remember-me lengthens client sessions as well, unless they have time-outs of their own', () => {
    const long = {
      ssoSessionIdleTimeoutRememberMeMs: 9_000_000,
      ssoSessionMaxLifespanRememberMeMs: 90_000_000,
    }
    expect(clientLives(resolveRealm(long), 'app', false).rememberMe).toEqual({
      idleMs: 9_000_000,
      maxMs: 90_000_000,
    })
    const own = resolveRealm({ ...long, clientSessionIdleTimeoutMs: 5_000 })
    expect(clientLives(own, 'app', false).rememberMe).toEqual({ idleMs: 5_000, maxMs: 90_000_000 })
  })
})

test('spans without end do not overflow', () => {
  const forever = {
    ssoSessionIdleTimeoutMs: Number.MAX_SAFE_INTEGER,
    ssoSessionMaxLifespanMs: Number.MAX_SAFE_INTEGER,
  }
  const session = { startedAt: 1, lastRefreshAt: 1_700_000_000_000, rememberMe: false }
  expect(userExpiresAt(userLives(resolveRealm(forever), false), session)).toBe(Number.MAX_SAFE_INTEGER)
})
