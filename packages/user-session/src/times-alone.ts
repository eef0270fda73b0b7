import { createHash } from 'node:crypto'
import { joinShared, type SharedClient, type SharedSession } from './shared-state.js'

/** What a state begins with that tells times alone. */
export const TIMES_ALONE = '{"v":2,'

/**
 * Times of a session alone, for a site that holds the rest. `src/lua/lib/telling-times.lua` makes them, and `src/lua/join-times.lua` joins
 * them as {@link joinTimes} does.
 */
export interface SharedTimes {
  /** The stamp of what a restart replaces, and what stands for its value. */
  readonly beginning: string
  readonly startedAt: string
  /** lastRefreshAt, ms since the epoch. */
  readonly r: string
  /** expiresAt, ms since the epoch. */
  readonly x: string
  /** Client sessions that are attached: stamp, startedAt, lastRefreshAt and expiresAt. */
  readonly c: Readonly<Record<string, readonly [stamp: string, startedAt: string, r: string, x: string]>>
}

/** The times of a session; `undefined` if it has ended. */
export function timesOf({ g, r, x, c = {} }: SharedSession): SharedTimes | undefined {
  if (g === undefined || r === undefined || x === undefined) return undefined
  const attached = Object.entries(c).flatMap(([client, [stamp, startedAt, used, ends]]) =>
    used === undefined || ends === undefined ? [] : [[client, [stamp, startedAt, used, ends]] as const],
  )
  return { beginning: beginningOf(g), startedAt: startOf(g), r, x, c: Object.fromEntries(attached) }
}

/**
 * What a site holds after it received times; `undefined`: it holds another session, or another client session, or none, and needs the
 * whole state. Times are less than a state, so the laws of {@link joinShared} hold for them too.
 */
export function joinTimes(held: SharedSession | undefined, told: SharedTimes): SharedSession | undefined {
  if (held?.g === undefined) return undefined
  if (beginningOf(held.g) !== told.beginning || startOf(held.g) !== told.startedAt) return undefined
  const clients = Object.entries(told.c)
  const isSame = clients.every(([client, [stamp, startedAt]]) => {
    const known = held.c !== undefined && Object.hasOwn(held.c, client) ? held.c[client] : undefined
    return known?.[0] === stamp && known[1] === startedAt
  })
  if (!isSame) return undefined
  const c = Object.fromEntries(clients.map(([client, times]) => [client, [...times, {}] as SharedClient]))
  return joinShared(held, { g: held.g, r: told.r, x: told.x, n: {}, c, f: {} }, true)
}

type Beginning = NonNullable<SharedSession['g']>

/** As lua/lib/sharing.lua notes it beside a record. */
const beginningOf = ([stamp, value]: Beginning): string =>
  `${stamp} #${createHash('sha1').update(value).digest('hex').slice(0, 16)}`

const startOf = ([, value]: Beginning): string => (JSON.parse(value) as readonly string[])[0] ?? ''
