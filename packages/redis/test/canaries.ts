import { defineScript, type RedisConnection } from '../src/index.js'
import { failureOf, unseenScript } from './support.js'

/** Stands for every id, token and note: wherever it shows up, one of them has leaked. */
export const CANARY = 'c4nary-5ecret'

const put = defineScript({
  name: 'test.put',
  lua: `redis.call('HSET', KEYS[1], 'note', ARGV[1])
        redis.call('PEXPIRE', KEYS[1], 5000)
        redis.call('ZADD', KEYS[2], 1, ARGV[1])
        redis.call('PEXPIRE', KEYS[2], 5000)
        redis.call('SET', KEYS[3], ARGV[1], 'PX', 5000)
        return redis.call('HGET', KEYS[1], 'note')`,
  record: 'test',
  change: 'full',
  keys: ['record', 'index', 'text'],
  args: ['note'],
  decode: String,
})

/** Sends each kind of command there is, with canaries in its keys, arguments and reply, well and badly. */
export async function everyCommand(
  connection: RedisConnection,
): Promise<{ replies: unknown[]; errors: unknown[] }> {
  const record = connection.keys.key(1, 'record', CANARY)
  const index = connection.keys.key(1, 'index', CANARY)
  const text = connection.keys.key(1, 'text', CANARY)
  const note = `${CANARY}-note`
  const replies = [
    await connection.run(put, { record, index, text }, { note }),
    await connection.run(unseenScript(), { key: record }, { value: note }),
    ...(await Promise.all([
      connection.hgetall('test.read', record),
      connection.hvals('test.read', record),
      connection.hmget('test.read', record, ['note', CANARY]),
      connection.get('test.read', text),
      connection.countAfter('test.read', index, 0),
    ])),
  ]
  const failing = defineScript({ ...put, name: 'test.fail', lua: 'return nil .. KEYS[1] .. ARGV[1]' })
  const errors = await Promise.all(
    [
      connection.run(put, { record: index, index: record, text }, { note }),
      connection.run(failing, { record, index, text }, { note }),
      connection.hgetall('test.read', index),
      connection.hvals('test.read', index),
      connection.hmget('test.read', index, [CANARY]),
      connection.get('test.read', index),
      connection.countAfter('test.read', record, 0),
    ].map(failureOf),
  )
  return { replies, errors }
}
