import {
  type JoinAnswer,
  KEY_GRACE_MS,
  type SiteJoiner,
  type StateAbout,
  unescapePart,
} from '@authstate/redis'
import { point } from '../scripts.js'
import { type SharedSession, STAMP_DIGITS } from '../site-session.js'
import { SessionKeys } from './session-keys.js'
import { join, joinFence, names, share, shareFence } from './site-scripts.js'

/** What another site gets about a removal of all sessions of a user. */
interface SharedFence {
  readonly v: 1
  readonly mark: string
  readonly ms: number
  /** What indexes call the sessions that it spared. */
  readonly spared: readonly string[]
}

const SESSION = /^wo:/
const FENCE = /^wf:/

/** Keeps sessions of applications in step between sites, and removals of all sessions of a user. */
export const webSessionJoiner: SiteJoiner = {
  spi: 'web-session',
  kinds: ['web-session', 'web-session-fence'],
  owns: (name) => SESSION.test(name) || FENCE.test(name),

  async read(connection, { partition, name, at }, { site, endsMs }) {
    const key = connection.keys.key(partition, '') + name
    const now = connection.clock.now()
    if (!FENCE.test(name)) return connection.run(share, { record: key }, { now, site, at, endsMs })
    const fence = await connection.run(shareFence, { fence: key }, { now, endsMs })
    return fence && JSON.stringify({ v: 1, ...fence } satisfies SharedFence)
  },

  async join(connection, { partition, name }, state, { site, endsMs, aheadMs }): Promise<JoinAnswer> {
    const key = connection.keys.key(partition, '') + name
    const now = connection.clock.now()
    if (!FENCE.test(name)) {
      const keys = new SessionKeys(connection.keys)
      const [, realm = '', id = ''] = name.split(':').map(unescapePart)
      const args = { now, site, state, endsMs, aheadMs, member: keys.member(id), layout: connection.layout }
      const { answer, alias, score } = await connection.run(join, { record: key }, args)
      if (alias !== '') {
        // A pointer lies elsewhere. Where it is lost on the way, so is the answer, and the state is told again.
        const keepMs = Number(score) - now + KEY_GRACE_MS
        const pointer = keys.pointer(realm, unescapePart(alias))
        await connection.run(point, { pointer }, { now, score, keepMs, id })
      }
      return answer
    }
    const { v, mark, ms: fenceMs, spared } = JSON.parse(state) as SharedFence
    if (v !== 1) return { outcome: 'newer' }
    let afterDigest = ''
    do {
      const args = { now, site, mark, fenceMs, endsMs, spared: JSON.stringify(spared), afterDigest }
      afterDigest = await connection.run(joinFence, { fence: key }, args)
    } while (afterDigest !== '')
    return { outcome: 'changed' }
  },

  async names(connection, partition, after, limit) {
    const { score: afterScore = '0', id: afterName = '' } = after ?? {}
    const known = connection.keys.key(partition, 'xv')
    return connection.run(names, { known }, { afterScore, afterName, limit })
  },

  about: (state) => aboutState(JSON.parse(state) as SharedSession | SharedFence),
}

function aboutState(state: SharedSession | SharedFence): StateAbout {
  if ('mark' in state) {
    const [millionths = ''] = state.mark.split('.')
    return { changedAt: Math.floor(Number(millionths) / 1_000), isRemoved: true, compared: '' }
  }
  const { d, m = {}, c } = state
  const stamps = c === undefined ? [] : [c.b, ...[c.x, c.s, c.u, c.a, c.l, ...Object.values(c.f)].map(first)]
  const at = [d ?? '', ...stamps].map((stamp) => Number(stamp.slice(0, STAMP_DIGITS)))
  // When a generation was ended is not written down: it is always told.
  const changedAt = Object.keys(m).length > 0 ? Number.MAX_SAFE_INTEGER : Math.max(...at)
  return { changedAt, isRemoved: c === undefined, compared: JSON.stringify(c && comparable(c)) }
}

const first = ([stamp]: readonly [string, ...string[]]): string => stamp

/** The same text for the same session, in whatever order its parts came. Which removals it has outlived is not of it. */
function comparable({ k: _, f, n, ...rest }: NonNullable<SharedSession['c']>) {
  const living = Object.entries(f).filter(([, [, value]]) => value !== '-')
  return [Object.entries(rest).sort(), living.sort(), Object.entries(n).sort()]
}
