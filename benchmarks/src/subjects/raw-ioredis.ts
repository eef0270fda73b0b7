import { batchWrites } from '@authstate/redis'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { codeOf } from '../code.js'
import { CLIENT_IDS, plainSession, userOf } from '../login.js'
import type { Place, Subject } from '../subject.js'

const PREPARED = 1_000
const LIFE_MS = 1_800_000

/** What the target of R9 calls a script: a read and two writes. */
const SCRIPT = `local n = redis.call('HGET', KEYS[1], 'n')
redis.call('HSET', KEYS[1], 'n', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return n`

/** Plain commands of the client: what a store with one JSON text per record would send at the very least. */
export async function open({ url, prefix, variant }: Place): Promise<Subject> {
  const redis = variant.startsWith('ioredis 5') ? new Redis5(url) : new Redis(url)
  if (variant.endsWith('batched')) batchWrites(redis)
  const sha = (await redis.script('LOAD', SCRIPT)) as string
  const texts = Array.from({ length: PREPARED }, (_, n) => JSON.stringify(plainSession(n)))
  const logins = Array.from({ length: PREPARED }, (_, n) => plainSession(n, CLIENT_IDS.slice(0, 1)))
  const loginTexts = logins.map((login) => JSON.stringify(login))
  const newText =
    variant === 'text ready'
      ? (turn: number) => loginTexts[turn % PREPARED] as string
      : (turn: number) => JSON.stringify({ ...logins[turn % PREPARED], userId: userOf(turn) })
  const key = (turn: number) => `${prefix}:us:${turn % PREPARED}`
  for (const [n, text] of texts.entries()) await redis.set(key(n), text, 'PX', LIFE_MS)
  const get = async (turn: number) => JSON.parse((await redis.get(key(turn))) as string)
  return {
    operations: {
      get,
      'get one client': get,
      'get text': (turn) => redis.get(key(turn)),
      create: (turn) => redis.set(`${prefix}:new:${turn}`, newText(turn), 'PX', LIFE_MS),
      'light touch': (turn) => redis.pexpire(key(turn), LIFE_MS),
      'full touch': (turn) => redis.pexpire(key(turn), LIFE_MS),
      failure: (turn) => redis.incr(`${prefix}:lf:${userOf(turn % PREPARED)}`),
      pexpire: (turn) => redis.pexpire(key(turn), LIFE_MS),
      script: (turn) => redis.evalsha(sha, 1, `${prefix}:script:${turn % PREPARED}`, turn, LIFE_MS),
      'single use': async (turn) => {
        const { id, data } = codeOf(turn)
        await redis.set(`${prefix}:su:${id}`, JSON.stringify(data), 'PX', 60_000, 'NX')
        const text = await redis.getdel(`${prefix}:su:${id}`)
        if (text === null) throw new Error('a code was gone')
        return JSON.parse(text)
      },
    },
    close: async () => redis.disconnect(),
  }
}
