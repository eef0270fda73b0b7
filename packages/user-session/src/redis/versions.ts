import type { RedisConnection } from '@authstate/redis'
import { upgrade } from '../scripts.js'

/** Fields of a stored session, as Redis answers them. */
export type Fields = Readonly<Record<string, string>>

/** Version of the form that is written: `v1` before the times of a session, which are the same in every version. */
export const VERSION = '1'

/** Makes fields of the next version of those of one version. */
export type Upcaster = (fields: Fields) => Fields

/** By the version that it reads. There is none as long as there is one version. */
export const upcasters = new Map<string, Upcaster>()

/** Steps from the oldest version, at most. */
const MAX_STEPS = 100

/** The version that times say; the empty string when they say none. */
export function versionOf(times: string | undefined): string {
  return /^v(\d+) /.exec(times ?? '')?.[1] ?? ''
}

/** The fields in the form of now; `undefined` when nobody knows how to get there. */
export function upcast(fields: Fields): Fields | undefined {
  let current = fields
  for (let step = 0; step < MAX_STEPS; step++) {
    const version = versionOf(current['t'])
    if (version === VERSION) return current
    const next = upcasters.get(version)
    if (next === undefined) return undefined
    current = next(current)
  }
  return undefined
}

/**
 * Brings a stored record up to date before a verb changes it: the scripts know one version only.
 *
 * Costs a command per change, and nothing while there is no older version.
 */
export async function upgradeRecord(redis: RedisConnection, session: string): Promise<void> {
  if (upcasters.size === 0) return
  for (let attempt = 0; attempt < MAX_STEPS; attempt++) {
    const before = await redis.hgetall('user-session.upgrade', session)
    if (before['t'] === undefined || versionOf(before['t']) === VERSION) return
    const after = upcast(before)
    if (after === undefined) return
    const args = { before: JSON.stringify(before), after: JSON.stringify(after) }
    if (await redis.run(upgrade, { session }, args)) return
  }
}
