import { type RedisConnection, type SiteJoiner, unescapePart } from '@authstate/redis'
import { policyText } from '../policy.js'
import { ruleBookOf } from './site-policies.js'
import { join, names, share, sums } from './site-scripts.js'
import type { SharedFailures } from './sites.js'

/** Records of users and of networks. Attempts under names without a user stay at their site. */
const RECORD = /^l[fa]:/

/** Keeps login failures in step between sites: counts of all sites add up, and a clear holds for all. */
export const loginFailureJoiner: SiteJoiner = {
  spi: 'login-failure',
  kinds: ['login-failure'],
  owns: (name) => RECORD.test(name),

  async read(connection, { partition, name, at, isRemoved }, { site, endsMs }) {
    const policy = await policyFor(connection, name)
    const args = { now: connection.clock.now(), site, at, removed: isRemoved ? 1 : 0, endsMs, policy }
    return connection.run(share, { record: keyOf(connection, partition, name) }, args)
  },

  join(connection, { partition, name }, state, { site, endsMs, aheadMs }) {
    const [, realm = ''] = name.split(':')
    const keys = {
      record: keyOf(connection, partition, name),
      realm: keyOf(connection, partition, `lr:${realm}`),
      locked: keyOf(connection, partition, `ll:${realm}`),
    }
    const now = connection.clock.now()
    return connection.run(join, keys, {
      now,
      site,
      state,
      endsMs,
      aheadMs,
      tail: name,
      layout: connection.layout,
    })
  },

  async names(connection, partition, after, limit) {
    const { score: afterScore = '0', id: afterName = '' } = after ?? {}
    const known = connection.keys.key(partition, 'xl')
    const found = await connection.run(names, { known }, { afterScore, afterName, limit })
    const last = found.length < limit ? undefined : found.at(-1)
    return {
      names: found.map(({ name }) => name),
      next: last && { place: '', score: last.score, id: last.name },
    }
  },

  about(state) {
    const { g, l, x } = JSON.parse(state) as SharedFailures
    return { changedAt: Math.max(clearedAt(g), l), isRemoved: x === 0, compared: state }
  },

  sums(connection, partition, after, limit, { site }) {
    const { score: afterScore = '0', id: afterName = '' } = after ?? {}
    const args = { now: connection.clock.now(), site, afterScore, afterName, limit }
    return connection.run(sums, { known: connection.keys.key(partition, 'xl') }, args)
  },

  ended(state, at, site) {
    const { g } = JSON.parse(state) as SharedFailures
    const stamp = String(Math.max(at, clearedAt(g) + 1)).padStart(STAMP_DIGITS, '0') + site
    const cleared: SharedFailures = { g: stamp, f: {}, t: 0, u: 0, p: 0, w: '', l: 0, i: '', x: 0, q: '' }
    return JSON.stringify({ v: 1, ...cleared })
  },
}

/** Of the time in a stamp, ms since the epoch. */
const STAMP_DIGITS = 15

const clearedAt = (stamp: string): number => Number(stamp.slice(0, STAMP_DIGITS))

const keyOf = ({ keys }: RedisConnection, partition: number, name: string): string =>
  keys.key(partition, '') + name

/** The policy that a record is counted by; empty where this process does not know it. */
async function policyFor(connection: RedisConnection, name: string): Promise<string> {
  const book = ruleBookOf(connection)
  if (book === undefined) return ''
  const [kind, realm = ''] = name.split(':')
  try {
    const { user, address } = await book.policiesOf(unescapePart(realm))
    const policy = kind === 'lf' ? user : address
    return policy === undefined ? '' : policyText(policy)
  } catch {
    // Settings that are wrong are told to those who count by them.
    return ''
  }
}
