import type { RedisConnection } from '@authstate/redis'
import { RecordVersions } from '@authstate/spi'
import { upgrade } from '../scripts.js'

/** Fields of a stored session, as Redis answers them. */
export type Fields = Readonly<Record<string, string>>

/** Steps that are tried, at most. */
const MAX_STEPS = 100

/** Their version stands before the times of a session, which are the same in every version. */
export const versions = new RecordVersions<Fields>({ current: '1', versionOf: ({ t }) => versionOf(t) })

/** The version that times say; `undefined` when they say none. */
export function versionOf(times: string | undefined): string | undefined {
  return /^v(\d+) /.exec(times ?? '')?.[1]
}

/**
 * Brings a stored record up to date before a verb changes it: the scripts know one version only.
 *
 * Costs a command per change, and nothing while there is no older version.
 */
export async function upgradeRecord(redis: RedisConnection, session: string): Promise<void> {
  if (versions.upcasters.size === 0) return
  for (let attempt = 0; attempt < MAX_STEPS; attempt++) {
    const before = await redis.hgetall('user-session.upgrade', session)
    if (before['t'] === undefined || versions.isCurrent(before)) return
    const after = versions.upcast(before)
    if (after === undefined) return
    const args = { before: JSON.stringify(before), after: JSON.stringify(after) }
    if (await redis.run(upgrade, { session }, args)) return
  }
}
