import { batchWrites } from '@authstate/redis'
import { Redis } from 'ioredis'
import { codeOf } from '../code.js'
import { CLIENT_IDS, plainSession, userOf } from '../login.js'
import { OidcProviderAdapter, type Payload } from '../oidc-provider-adapter.js'
import type { Place, Subject } from '../subject.js'

const PREPARED = 1_000

/** The adapter that oidc-provider's documentation leads to, on ioredis 6. */
export async function open({ url, prefix, variant }: Place): Promise<Subject> {
  const redis = new Redis(url)
  if (variant === 'batched') batchWrites(redis)
  const sessions = new OidcProviderAdapter(redis, prefix, 'Session')
  const codes = new OidcProviderAdapter(redis, prefix, 'AuthorizationCode')
  const payload = (n: number, clients: readonly string[]): Payload => ({
    ...plainSession(n, clients),
    uid: `uid-${n}`,
  })
  const logins = Array.from({ length: PREPARED }, (_, n) => payload(n, CLIENT_IDS.slice(0, 1)))
  for (let n = 0; n < PREPARED; n++) await sessions.upsert(`${n}`, payload(n, CLIENT_IDS), 1_800)
  return {
    operations: {
      get: (turn) => sessions.find(`${turn % PREPARED}`),
      create: (turn) =>
        sessions.upsert(
          `new-${turn}`,
          { ...logins[turn % PREPARED], userId: userOf(turn), uid: `uid-${turn}` },
          1_800,
        ),
      'single use': async (turn) => {
        const { id, data } = codeOf(turn)
        await codes.upsert(id, { ...data, grantId: `g-${turn}` }, 60)
        const found = await codes.find(id)
        if (found === undefined || found.consumed !== undefined) throw new Error('a code was gone')
        await codes.consume(id)
      },
    },
    close: async () => redis.disconnect(),
  }
}
