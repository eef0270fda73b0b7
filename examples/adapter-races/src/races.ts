import { randomUUID } from 'node:crypto'
import { createAuthState } from 'authstate'
import { Redis } from 'ioredis'
import { expressRaces } from './express-session.js'
import { otherRaces } from './other-stores.js'

/** A race that was run: how often it went wrong on either side. */
export interface RanRace {
  readonly framework: string
  readonly what: string
  readonly peer: string
  readonly onPeer: string
  readonly onOurs: string
}

/** Runs every race on a Redis, and takes away what it left there. */
export async function runRaces(url: string): Promise<RanRace[]> {
  const prefix = `races-${randomUUID()}`
  const redis = new Redis(url)
  const state = await createAuthState({
    provider: 'redis',
    redis: { url, prefix },
    spi: { 'action-token': { readGraceMs: '1m' } }, // as oidc-provider needs it
  })
  try {
    const ran: RanRace[] = []
    for (const { framework, what, peer, onPeer, onOurs } of [...expressRaces, ...otherRaces]) {
      const surroundings = { url, redis, state, prefix }
      const [theirs, ours] = [await onPeer(surroundings), await onOurs(surroundings)]
      ran.push({ framework, what, peer, onPeer: theirs, onOurs: ours })
    }
    return ran
  } finally {
    await state.close()
    for await (const keys of redis.scanStream({ match: `*${prefix}*`, count: 1_000 }) as AsyncIterable<
      string[]
    >)
      if (keys.length > 0) await redis.unlink(keys)
    redis.disconnect()
  }
}
