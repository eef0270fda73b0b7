import { batchWrites } from '@authstate/redis'
import { userSessionSpi } from '@authstate/user-session'
import { redisUserSessions } from '@authstate/user-session/redis'
import { Redis } from 'ioredis'
import { codeOf } from '../code.js'
import { createdSession, loginOf, REALM, userOf } from '../login.js'
import { openStore } from '../open-store.js'
import type { Place, Subject } from '../subject.js'

const PREPARED = 1_000
const PARTITIONS = 16
const LIFE_MS = 1_800_000

/** The writes of each verb and nothing else: no checks, no spelling of keys, no lives of indexes. */
const SCRIPTS = {
  create: `redis.call('HSET', KEYS[1], 't', ARGV[1], 'd', ARGV[2], 'b', ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7])
redis.call('PEXPIRE', KEYS[1], ARGV[8])
redis.call('ZADD', KEYS[2], ARGV[9], ARGV[10])
redis.call('ZADD', KEYS[3], ARGV[9], ARGV[10])
redis.call('ZADD', KEYS[4], ARGV[9], ARGV[10])
return 1`,
  'light touch': `redis.call('HSET', KEYS[1], 't', ARGV[1])
return 1`,
  'full touch': `redis.call('HSET', KEYS[1], 't', ARGV[1], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('ZADD', KEYS[2], ARGV[5], ARGV[6])
redis.call('ZADD', KEYS[3], ARGV[5], ARGV[6])
redis.call('ZADD', KEYS[4], ARGV[5], ARGV[6])
return ARGV[1]`,
  failure: `redis.call('HSET', KEYS[1], 'x', ARGV[1], 'n', ARGV[2], 'l', ARGV[3])
return 1`,
  put: `redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX')
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[4])
return 1`,
  consume: `local text = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'KEEPTTL')
return text`,
}

/**
 * The floor of each verb: one script with the same keys and the same bytes, which only writes. Batched as ours are. What
 * stands above the floor are the checks, the spelling of keys and the lives of indexes, whatever a system call costs.
 */
export async function open(place: Place): Promise<Subject> {
  const { url, prefix } = place
  const redis = new Redis(url)
  batchWrites(redis)
  const shas = new Map<string, string>()
  for (const [name, script] of Object.entries(SCRIPTS))
    shas.set(name, (await redis.script('LOAD', script)) as string)
  const run = (name: keyof typeof SCRIPTS, keys: readonly string[], args: readonly (string | number)[]) =>
    redis.evalsha(shas.get(name) as string, keys.length, ...keys, ...args)

  const record = await recordOf({ ...place, prefix: `${prefix}:model` }, redis)
  const texts = [record['t'], record['d'], record['b']] as [string, string, string]
  const client = Object.entries(record).filter(([field]) => /^[ca]:/.test(field))
  const [clientField = '', clientText = ''] = client.find(([field]) => field.startsWith('c:')) ?? []
  const keysOf = (id: string, user: string, turn: number) => {
    const head = `${prefix}:{${(turn % PARTITIONS).toString(16).padStart(2, '0')}}:`
    return [
      `${head}us:${REALM}:${id}`,
      `${head}ul:${REALM}:${user}`,
      `${head}ur:${REALM}`,
      `${head}uc:${REALM}:${clientField}`,
    ]
  }
  const idOf = (turn: number) => `Zb3kq0Yt7mXc1VfR9s${turn.toString(36).padStart(6, '0')}`
  const endOf = () => Date.now() + LIFE_MS
  const create = (id: string, user: string, turn: number) =>
    run('create', keysOf(id, user, turn), [...texts, ...client.flat(), LIFE_MS, endOf(), id])
  for (let n = 0; n < PREPARED; n++) await create(idOf(n), userOf(n), n)
  const keyOf = (turn: number) => keysOf(idOf(turn % PREPARED), '', turn % PREPARED)[0] as string

  const tail = (kind: string, id: string) => `${kind}:${REALM}:${id}`
  const put = (id: string, turn: number) => {
    const head = `${prefix}:{${(turn % PARTITIONS).toString(16).padStart(2, '0')}}:`
    return { key: `${head}${tail('at', id)}`, realm: `${head}ar:${REALM}` }
  }
  return {
    operations: {
      get: async (turn) => redis.hvals(keyOf(turn)),
      create: (turn) => create(`n${idOf(turn)}`, userOf(PREPARED + turn), turn),
      'light touch': (turn) => run('light touch', [keyOf(turn)], [texts[0]]),
      'full touch': (turn) => {
        const n = turn % PREPARED
        const args = [texts[0], clientField, clientText, LIFE_MS, endOf(), idOf(n)]
        return run('full touch', keysOf(idOf(n), userOf(n), n), args)
      },
      failure: (turn) =>
        run(
          'failure',
          [`${prefix}:{00}:lf:${REALM}:${userOf(turn % PREPARED)}`],
          [endOf(), turn, Date.now()],
        ),
      'single use': async (turn) => {
        const { id, data } = codeOf(turn)
        const { key, realm } = put(id, turn)
        const text = `1:${Date.now()}:::${JSON.stringify(data)}`
        await run('put', [key, realm], [text, 60_000, Date.now(), tail('at', id)])
        return run('consume', [key], [text])
      },
    },
    close: async () => redis.disconnect(),
  }
}

/** The fields of a session as this library stores them, read once from one that it made. */
async function recordOf(place: Place, redis: Redis): Promise<Record<string, string>> {
  const store = await openStore({ ...place, variant: 'batched' }, [redisUserSessions()], {
    spi: { 'user-session': { sweepIntervalMs: 0 } },
  })
  try {
    const { id } = createdSession(await store.registry.get(userSessionSpi).create(REALM, loginOf(0)))
    const [keys] = [await redis.keys(`${place.prefix}:*:${REALM}:${id}`)]
    const key = keys.find((name) => name.includes(':us:'))
    if (key === undefined) throw new Error('the record of a session is not where the floor looks for it')
    return await redis.hgetall(key)
  } finally {
    await store.close()
  }
}
