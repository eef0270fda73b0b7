import { KEY_GRACE_MS, type RedisConnection } from '@authstate/redis'
import type { Revocation } from '../store.js'
import { TokenKeys } from './token-keys.js'
import { escapeName } from './token-text.js'
import * as scripts from './verb-scripts.js'

/** What is removed in addition to what can still be consumed, and what stays refused. */
interface Withdrawal {
  /** Refused from now on. */
  readonly family?: string
  /** Until when, ms since the epoch. */
  readonly until?: number
  /** What was consumed goes, too; or everything of a realm. */
  readonly also?: '' | 'consumed' | 'all'
}

/** Revokes a family as `TokenStore.revokeFamily` says. */
export async function revokeFamily(
  redis: RedisConnection,
  realmId: string,
  family: string,
  { until, consumed }: Revocation,
  now: number,
): Promise<number> {
  const keys = new TokenKeys(redis.keys)
  const indexOf = (partition: number): string => keys.family(partition, realmId, family)
  const also = consumed ? 'consumed' : ''
  if (until === undefined) return (await withdraw(redis, realmId, indexOf, now, { also })).withdrawn
  const refuse = (end: number) => withdraw(redis, realmId, indexOf, now, { family, until: end, also })
  const { withdrawn, longest } = await refuse(until)
  // What was consumed may be repeated by its attempt, and lead to more, for as long as it lives.
  if (longest > until) await refuse(longest)
  return withdrawn
}

/** Walks an index in every partition at once, a hundred entries per step and partition. */
export async function withdraw(
  redis: RedisConnection,
  realmId: string,
  indexOf: (partition: number) => string,
  now: number,
  { family = '', until, also = '' }: Withdrawal = {},
): Promise<{ withdrawn: number; longest: number }> {
  const keys = new TokenKeys(redis.keys)
  const args = {
    now,
    until: until ?? '',
    keepMs: (until ?? now) - now + KEY_GRACE_MS,
    also,
    family: escapeName(family),
  }
  let withdrawn = 0
  let longest = 0
  let rounds = keys.partitions.map((partition) => ({ partition, after: '' }))
  for (let isBegun = false; rounds.length > 0; isBegun = true) {
    const calls = rounds.map(({ partition, after }) => ({
      keys: { ...keys.ofRealm(partition, realmId), index: indexOf(partition) },
      args: { ...args, after },
    }))
    const replies = await redis.runEach(scripts.withdraw, calls, isBegun)
    for (const reply of replies) {
      withdrawn += reply.withdrawn
      // What an earlier round looked at may go in the next one.
      if (reply.last === '') longest = Math.max(longest, reply.longest)
    }
    rounds = rounds.flatMap(({ partition }, index) => {
      const last = replies[index]?.last ?? ''
      return last === '' ? [] : [{ partition, after: last }]
    })
  }
  return { withdrawn, longest }
}
