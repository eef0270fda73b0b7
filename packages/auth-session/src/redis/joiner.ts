import type { SiteJoiner, StateAbout } from '@authstate/redis'
import type { SharedRoot } from '../site-root.js'
import { join, names, share } from './site-scripts.js'

/** Keeps logins in progress in step between sites: roots, and their tabs. */
export const authSessionJoiner: SiteJoiner = {
  spi: 'auth-session',
  kinds: ['auth-session'],
  owns: (name) => name.startsWith('auth:'),

  read(connection, { partition, name, at, isRemoved }, { site, endsMs }) {
    const args = { now: connection.clock.now(), site, at, removed: isRemoved ? 1 : 0, endsMs }
    return connection.run(share, { root: connection.keys.key(partition, '') + name }, args)
  },

  join(connection, { partition, name }, state, { site, endsMs, aheadMs }) {
    const args = { now: connection.clock.now(), site, state, endsMs, aheadMs }
    return connection.run(join, { root: connection.keys.key(partition, '') + name }, args)
  },

  names(connection, partition, after, limit) {
    const { score: afterScore = '0', id: afterName = '' } = after ?? {}
    const known = connection.keys.key(partition, 'xy')
    return connection.run(names, { known }, { afterScore, afterName, limit })
  },

  about: (state) => aboutRoot(JSON.parse(state) as SharedRoot),
}

/** Of the time in a stamp, ms since the epoch. */
const STAMP_DIGITS = 15

function aboutRoot({ d, c }: SharedRoot): StateAbout {
  const parts = c === undefined ? [] : Object.values(c.t).flatMap(({ f }) => Object.values(f))
  const stamps = [
    d ?? '',
    ...(c === undefined ? [] : [c.b, c.x[0], ...Object.values(c.r)]),
    ...parts.map(first),
  ]
  const changedAt = Math.max(...stamps.map((stamp) => Number(stamp.slice(0, STAMP_DIGITS))))
  return { changedAt, isRemoved: c === undefined, compared: JSON.stringify(c && comparable(c)) }
}

const first = ([stamp]: readonly [string, string]): string => stamp

/** The same text for the same root, in whatever order its parts came. */
function comparable({ b, c, x, t }: NonNullable<SharedRoot['c']>) {
  const tabs = Object.entries(t).map(([tab, { h, p, f }]) => [
    tab,
    h,
    p,
    Object.entries(f)
      .filter(([, [, value]]) => value !== '-')
      .sort(),
  ])
  return [b, c, x, tabs.sort()]
}
