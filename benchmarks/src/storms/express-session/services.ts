import { RateLimiterRedis } from 'rate-limiter-flexible'
import type { RedisClientType } from 'redis'
import type { User } from '../../../../examples/auth-server/src/config.js'
import { CALENDAR, ISSUER, NOTES } from '../../../../examples/auth-server/src/demo/world.js'
import type { Directory } from '../../../../examples/auth-server/src/directory.js'
import { hashPassword } from '../../../../examples/auth-server/src/passwords.js'
import type { SigningKey } from '../../../../examples/auth-server/src/signing-key.js'
import { createTokens, type Tokens } from '../../../../examples/auth-server/src/tokens.js'
import { Records } from './records.js'

/** As long as a session may be idle in the example server. */
export const SESSION_LIFE_MS = 1_800_000

/** What the routes work with; of the example server, all but the state. */
export interface PeerServices {
  readonly issuer: string
  readonly directory: Directory
  readonly tokens: Tokens
  readonly records: Records
  readonly failures: RateLimiterRedis
}

export async function createPeerServices(
  users: readonly User[],
  key: SigningKey,
  redis: RedisClientType,
): Promise<PeerServices> {
  return {
    issuer: ISSUER,
    directory: await directoryOf(users),
    tokens: createTokens(ISSUER, key, { now: () => Date.now() }),
    records: new Records(redis),
    failures: new RateLimiterRedis({
      storeClient: redis,
      useRedisPackage: true,
      keyPrefix: 'failures',
      points: 30,
      duration: 43_200,
    }),
  }
}

/** Everybody in a Map, which costs less than any cache. */
async function directoryOf(users: readonly User[]): Promise<Directory> {
  const clients = new Map([NOTES, CALENDAR].map((client) => [client.clientId, client]))
  const byName = new Map(users.map((user) => [user.username, user]))
  const byId = new Map(users.map((user) => [user.id, user]))
  return {
    client: async (clientId) => clients.get(clientId),
    userNamed: async (username) => byName.get(username),
    user: async (userId) => byId.get(userId),
    decoyHash: await hashPassword('nobody'),
  }
}
