import {
  type ChangedRecord,
  type NamesCursor,
  type RedisConnection,
  type SiteFinding,
  type SiteJoiner,
  type SiteTerms,
  type StateAbout,
  unescapePart,
} from '@authstate/redis'
import type { SharedSession } from '../shared-state.js'
import { TIMES_ALONE } from '../times-alone.js'
import { join, joinFence, joinTimes, names, share, shareFence, sums } from './site-scripts.js'

/** What another site gets about a removal of all sessions of a user, or of a realm. */
interface SharedFence {
  readonly v: 1
  readonly m: string
  readonly ms: number
  /** Ids of sessions that it spared. */
  readonly e: readonly string[]
}

const SESSION = /^[uo]s:/
const FENCE = /^[uo]f:/

/** Keeps user sessions in step between sites: online and offline ones, and removals of all of a user or realm. */
export const userSessionJoiner: SiteJoiner = {
  spi: 'user-session',
  kinds: ['user-session', 'user-session-fence'],
  owns: (name) => SESSION.test(name) || FENCE.test(name),

  read(connection, record, terms) {
    return FENCE.test(record.name)
      ? readFence(connection, record, terms)
      : readSession(connection, record, terms)
  },

  async join(connection, { partition, name }, state, terms) {
    const key = keyOf(connection, partition, name)
    const now = connection.clock.now()
    const { site, endsMs, aheadMs } = terms
    if (state.startsWith(TIMES_ALONE)) return connection.run(joinTimes, { session: key }, { now, state })
    if (!FENCE.test(name)) {
      const args = { now, site, state, endsMs, aheadMs, layout: connection.layout }
      const { forked, ...answer } = await connection.run(join, { session: key }, args)
      if (forked === undefined || forked.length === 0) return answer
      return { ...answer, found: forked.map((client) => forkIn(name, client)) }
    }
    const { v, m: mark, ms: fenceMs, e } = JSON.parse(state) as SharedFence
    if (v !== 1) return { outcome: 'newer' }
    const spared = JSON.stringify(e)
    const keys = { fence: key, index: keyOf(connection, partition, indexOf(name)) }
    const step = (afterScore: string, afterId: string) =>
      connection.run(joinFence, keys, { now, site, mark, fenceMs, endsMs, spared, afterScore, afterId })
    let cursor = await step('0', '')
    while (cursor !== undefined) cursor = await step(cursor.score, cursor.id)
    return { outcome: 'changed' }
  },

  async names(connection, partition, after = START, limit, since = 0) {
    const { place, score: afterScore, id: afterId } = after
    const args = { now: connection.clock.now(), place, afterScore, afterId, limit, since }
    return connection.run(names, { due: connection.keys.key(partition, 'ux') }, args)
  },

  about: (state) => aboutState(JSON.parse(state) as SharedSession | SharedFence),

  sums(connection, partition, after = START, limit, { site }) {
    const { place, score: afterScore, id: afterId } = after
    const args = { now: connection.clock.now(), site, place, afterScore, afterId, limit }
    return connection.run(sums, { due: connection.keys.key(partition, 'ux') }, args)
  },
}

function aboutState(state: SharedSession | SharedFence): StateAbout {
  if ('m' in state) {
    const [millionths = ''] = state.m.split('.')
    return { changedAt: Math.floor(Number(millionths) / 1_000), isRemoved: true, compared: '' }
  }
  const { d, g, r = '0', n = {}, c = {}, f = {} } = state
  const clients = Object.values(c)
  const parts = clients.flatMap(([, , , , of]) => Object.values(of ?? {}))
  const stamped: readonly (readonly [stamp: string, ...unknown[]])[] = [
    ...(d === undefined ? [] : [[d] as const]),
    ...(g === undefined ? [] : [g]),
    ...Object.values(n),
    ...clients,
    ...Object.values(f),
    ...parts,
  ]
  const at = stamped.map(([stamp]) => Number(stamp.slice(0, STAMP_DIGITS)))
  return {
    changedAt: at.reduce((latest, ms) => Math.max(latest, ms), Number(r)),
    isRemoved: g === undefined,
    compared: JSON.stringify(state),
  }
}

/** Of the time in a stamp, ms since the epoch. */
const STAMP_DIGITS = 15

const START: NamesCursor = { place: '', score: '0', id: '' }

const keyOf = ({ keys }: RedisConnection, partition: number, name: string): string =>
  keys.key(partition, '') + name

/** The index of the sessions that a fence is about: of a user, or of a realm. */
const indexOf = (name: string): string => {
  const [kind = '', ...rest] = name.split(':')
  return [kind.charAt(0) + (rest.length > 1 ? 'u' : 'r'), ...rest].join(':')
}

/** Two sites exchanged one refresh token of a client session. @param client Escaped, as `name` is. */
function forkIn(name: string, client: string): SiteFinding {
  const [kind = '', realmId, sessionId] = name.split(':').map(unescapePart)
  return { type: 'rotation-fork', realmId, sessionId, offline: kind === 'os', clientId: unescapePart(client) }
}

function readSession(connection: RedisConnection, record: ChangedRecord, { site, endsMs }: SiteTerms) {
  const { partition, name, at, isRemoved, isTouch = false } = record
  const touch = isTouch && !isRemoved ? '1' : ''
  const args = { now: connection.clock.now(), site, at, removed: isRemoved ? 1 : 0, endsMs, touch }
  return connection.run(share, { session: keyOf(connection, partition, name) }, args)
}

async function readFence(
  connection: RedisConnection,
  { partition, name }: ChangedRecord,
  { endsMs }: SiteTerms,
): Promise<string | undefined> {
  const args = { now: connection.clock.now(), endsMs }
  const keys = {
    fence: keyOf(connection, partition, name),
    index: keyOf(connection, partition, indexOf(name)),
  }
  const fence = await connection.run(shareFence, keys, args)
  if (fence === undefined) return undefined
  return JSON.stringify({ v: 1, m: fence.mark, ms: fence.ms, e: fence.spared } satisfies SharedFence)
}
