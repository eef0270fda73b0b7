import type {
  ChangedRecord,
  JoinAnswer,
  NamesCursor,
  RedisConnection,
  SiteConflict,
  SiteJoiner,
  SiteTerms,
  StateAbout,
} from '@authstate/redis'
import type { SharedToken } from '../shared-token.js'
import { conflicts } from './deciding-scripts.js'
import { refusedMs } from './lifespans.js'
import { join, joinRevocation, names, share, shareRevocation } from './site-scripts.js'
import { namedBy } from './token-keys.js'
import { readToken } from './token-text.js'
import { revokeFamily } from './withdrawing.js'

/** What another site gets about a revoked family or token id. */
interface SharedRevocation {
  readonly v: 1
  /** Until when, ms since the epoch. */
  readonly x: string
}

type Named = Pick<ChangedRecord, 'partition' | 'name'>

const TOKEN = /^ao:/
const REVOCATION = /^(?:ax:[^:]*:[^:]+|av:)/

/** Keeps action tokens in step between sites: tokens, and families and token ids that are revoked. */
export const actionTokenJoiner: SiteJoiner = {
  spi: 'action-token',
  kinds: ['action-token', 'action-token-revocation'],
  owns: (name) => TOKEN.test(name) || REVOCATION.test(name),

  async read(connection, record, { site, endsMs }) {
    const { at, isRemoved } = record
    const now = connection.clock.now()
    if (!REVOCATION.test(record.name)) {
      const args = { now, site, at, removed: isRemoved ? 1 : 0, endsMs }
      return connection.run(share, { token: keyOf(connection, record) }, args)
    }
    const { mark, realms, family } = revocationOf(connection, record)
    const x = await connection.run(shareRevocation, { mark, realms }, { now, family })
    return x === undefined ? undefined : JSON.stringify({ v: 1, x } satisfies SharedRevocation)
  },

  async join(connection, record, state, { site, endsMs, aheadMs }) {
    const now = connection.clock.now()
    if (!REVOCATION.test(record.name)) {
      return connection.run(join, { token: keyOf(connection, record) }, { now, site, state, endsMs, aheadMs })
    }
    return joinRevocationOf(connection, record, JSON.parse(state) as SharedRevocation, { site, endsMs })
  },

  async names(connection, partition, after = START, limit) {
    const { place, score: afterScore, id: afterId } = after
    const args = { place, afterScore, afterId, limit }
    return connection.run(names, { realms: connection.keys.key(partition, 'xo') }, args)
  },

  async settle(connection, partition) {
    const { entries } = await connection.run(conflicts, conflictsOf(connection, partition), { done: '' })
    const settled: SiteConflict[] = []
    for (const entry of entries) {
      try {
        const conflict = await settleOne(connection, partition, entry)
        if (conflict !== undefined) settled.push(conflict)
      } catch (error) {
        // What was forgotten has to be told now. The rest is still noted.
        if (settled.length === 0) throw error
        break
      }
    }
    return settled
  },

  about: (state) => aboutState(JSON.parse(state) as SharedToken | SharedRevocation),
}

const START: NamesCursor = { place: '', score: '0', id: '' }

const keyOf = ({ keys }: RedisConnection, { partition, name }: Named): string =>
  keys.key(partition, '') + name

const conflictsOf = ({ keys }: RedisConnection, partition: number) => ({
  conflicts: keys.key(partition, 'xc'),
})

/** Revokes the family of a token that was redeemed twice. `undefined`: another node tells of it. */
async function settleOne(
  connection: RedisConnection,
  partition: number,
  entry: string,
): Promise<SiteConflict | undefined> {
  const name = entry.slice(entry.indexOf(' ') + 1)
  const token = await connection.get('action-token.get', keyOf(connection, { partition, name }), readToken)
  const { realmId = '', kind = '' } = namedBy(name) ?? {}
  const family = typeof token === 'object' && token.family !== '' ? token.family : undefined
  if (family !== undefined) {
    const now = connection.clock.now()
    const until = now + refusedMs(connection)
    await revokeFamily(connection, realmId, family, { until, consumed: false }, now)
  }
  // Several nodes may have done this; one of them tells.
  const { forgotten } = await connection.run(conflicts, conflictsOf(connection, partition), { done: entry })
  return forgotten ? { realmId, kind, ...(family !== undefined && { family }) } : undefined
}

/** The keys that say of a family, or of a token id, that it is revoked; and the family, escaped. */
function revocationOf({ keys }: RedisConnection, { partition, name }: Named) {
  const head = keys.key(partition, '')
  const [kind = '', realm = '', last = ''] = name.split(':')
  const realms = keys.key(partition, 'xo')
  return kind === 'ax'
    ? { mark: `${head}ax:${realm}`, index: `${head}af:${realm}:${last}`, realms, family: last }
    : { mark: head + name, index: `${head}ar:${realm}`, realms, family: '' }
}

/** One step per hundred tokens of the family. */
async function joinRevocationOf(
  connection: RedisConnection,
  record: Named,
  { v, x: until }: SharedRevocation,
  { site, endsMs }: Pick<SiteTerms, 'site' | 'endsMs'>,
): Promise<JoinAnswer> {
  if (v !== 1) return { outcome: 'newer' }
  const now = connection.clock.now()
  const { mark, index, family } = revocationOf(connection, record)
  const step = (after: string) =>
    connection.run(joinRevocation, { mark, index }, { now, until, family, after, site, endsMs })
  let { outcome, last } = await step('')
  while (last !== '') {
    const more = await step(last)
    last = more.last
    if (more.outcome === 'changed') outcome = 'changed'
  }
  return { outcome }
}

function aboutState(state: SharedToken | SharedRevocation): StateAbout {
  // When a family or a token id was revoked is not written down: it is always told.
  if ('x' in state) return { changedAt: Number.MAX_SAFE_INTEGER, isRemoved: false, compared: state.x }
  const { d, c, u = {} } = state
  const uses = Object.entries(u).sort(([a], [b]) => (a < b ? -1 : 1))
  const stamps = [d, c?.[0], c?.[1], ...uses.map(([, [birth]]) => birth)]
  const used = uses.map(([, [, , text]]) => Number(text.slice(0, text.indexOf(':'))))
  return {
    changedAt: Math.max(...stamps.map((stamp) => Number(stamp?.slice(0, 15) ?? 0)), ...used),
    isRemoved: c === undefined,
    compared: JSON.stringify([c, uses]),
  }
}
