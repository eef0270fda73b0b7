import type { RedisConnection } from '@authstate/redis'

/** `maxLifespanMs` where nothing else is configured. */
const USUAL_MS = 30 * 86_400_000

/** By the keys of a connection: a provider and its sites may have it in different wraps. */
const lifespans = new WeakMap<RedisConnection['keys'], number>()

/** The provider of a connection keeps tokens for so long at most. */
export const noteLifespan = ({ keys }: RedisConnection, maxLifespanMs: number): void => {
  lifespans.set(keys, maxLifespanMs)
}

/** How long a family is refused of which a token was redeemed twice: as long as one of its tokens may live. */
export const refusedMs = ({ keys }: RedisConnection): number => lifespans.get(keys) ?? USUAL_MS
