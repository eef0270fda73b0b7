import { onTestFinished } from 'vitest'
import { redisUrl } from '../../../tools/testing/capabilities.js'
import type { openRedis } from '../../../tools/testing/redis-targets.js'
import {
  type ChangeGap,
  type ChangeHandlers,
  type ChangeNote,
  type ChangeReaderOptions,
  defineScript,
  type RedisConnection,
  type RedisOptions,
} from '../src/index.js'
import { freshPrefix, open } from './support.js'

/** Sets a record, or takes it away. */
export const write = defineScript({
  name: 'test.write',
  lua: `
redis.call('DEL', KEYS[1])
if ARGV[1] == '' then
  --@ local gone = nil
  --@details gone = cjson.encode({ 'al%3aice', 'removed', '17', { 'shop', 'n1', 's-1' }, { 'pay', '', '' } })
  --@ changed('thing', KEYS[1], 'removal', gone)
  return 1
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', 60000)
--@ changed('thing', KEYS[1], 'full')
return 1
`,
  record: 'thing',
  change: 'full',
  changes: { thing: ['full', 'removal'] },
  keys: ['thing'],
  args: ['value'],
  decode: () => undefined,
})

/** What a consumer was told, in order. */
export class Told {
  readonly notes: ChangeNote[] = []
  readonly gaps: ChangeGap[] = []
  #onTold = () => {}
  readonly handlers: ChangeHandlers = {
    onNotes: (notes) => {
      this.notes.push(...notes)
      this.#onTold()
    },
    onGap: (gap) => {
      this.gaps.push(gap)
      this.#onTold()
    },
  }

  async until(isEnough: (told: Told) => boolean): Promise<void> {
    while (!isEnough(this)) {
      await new Promise<void>((resolve) => {
        this.#onTold = resolve
      })
    }
  }

  get keys(): string[] {
    return this.notes.map(({ key, how }) => `${how} ${key.join(' ')}`)
  }
}

export const FAST: ChangeReaderOptions = { pollMs: 1 }

/** A prefix below which nothing is left when the test ends. */
export function prefixIn(raw: ReturnType<typeof openRedis>): string {
  const prefix = freshPrefix()
  onTestFinished(async () => {
    const keys = await raw.keys(`${prefix}:*`)
    if (keys.length > 0) await raw.del(...keys)
  })
  return prefix
}

/** A node of a deployment of two partitions. */
export const node = (
  prefix: string,
  consumers: NonNullable<RedisOptions['changes']>['consumers'] = ['audit'],
  more: { maxNotes?: number; drop?: string[] } = {},
  server: Pick<RedisOptions, 'client' | 'url'> = { url: redisUrl() },
) => open({ ...server, prefix, partitions: 2, changes: { consumers, ...more } } as RedisOptions)

export const put = (on: RedisConnection, partition: number, id: string, value = 'x') =>
  on.run(write, { thing: on.keys.key(partition, 'tt', id) }, { value })

/** A consumer that has begun in both partitions. */
export async function reading(on: RedisConnection, consumer = 'audit', options = FAST) {
  const told = new Told()
  const reader = on.readChanges(consumer, told.handlers, options)
  await told.until(({ gaps, notes }) => gaps.length >= 2 || notes.length > 0)
  return { told, reader }
}
