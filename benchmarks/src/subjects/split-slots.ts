import { batchWrites } from '@authstate/redis'
import { Cluster } from 'ioredis'
import { CLIENT_IDS, plainSession, userOf } from '../login.js'
import type { Place, Subject } from '../subject.js'

const PREPARED = 1_000
const LIFE_MS = 1_800_000

/**
 * A session and its indexes on a Cluster without hash tags: each key lies where its name falls, so the entries are
 * written first, by one command per key at once, and then the session. Not atomic. Batched as ours are, the
 * layout alone makes the difference.
 */
export async function open({ nodes, prefix, variant }: Place): Promise<Subject> {
  const redis = new Cluster(
    nodes.map((node) => ({ host: node.split(':')[0] ?? '', port: Number(node.split(':')[1]) })),
  )
  if (variant === 'batched') batchWrites(redis)
  const logins = Array.from({ length: PREPARED }, (_, n) => plainSession(n, CLIENT_IDS.slice(0, 1)))
  const indexesOf = (n: number) => [
    `${prefix}:user:${userOf(n)}`,
    `${prefix}:realm`,
    `${prefix}:client:${CLIENT_IDS[0]}`,
  ]
  const enter = async (n: number, id: string) => {
    const expiresAt = Date.now() + LIFE_MS
    await Promise.all(indexesOf(n).map((key) => redis.zadd(key, expiresAt, id)))
  }
  const create = async (n: number, id: string) => {
    await enter(n, id)
    const login = { ...logins[n % PREPARED], userId: userOf(n) }
    await redis.set(`${prefix}:us:${id}`, JSON.stringify(login), 'PX', LIFE_MS)
  }
  for (let n = 0; n < PREPARED; n++) await create(n, `${n}`)
  return {
    operations: {
      create: (turn) => create(PREPARED + turn, `new-${turn}`),
      'full touch': async (turn) => {
        const n = turn % PREPARED
        await enter(n, `${n}`)
        await redis.pexpire(`${prefix}:us:${n}`, LIFE_MS)
      },
    },
    close: async () => redis.disconnect(),
  }
}
