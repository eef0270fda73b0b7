import type { Cluster, Redis } from 'ioredis'
import type { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import { expectTypeOf, test } from 'vitest'
import type { RedisClient } from '../src/index.js'

test('the clients of both versions of ioredis are clients of ours', () => {
  expectTypeOf<Redis>().toExtend<RedisClient>()
  expectTypeOf<Cluster>().toExtend<RedisClient>()
  expectTypeOf<Redis5>().toExtend<RedisClient>()
  expectTypeOf<Cluster5>().toExtend<RedisClient>()
})

test('anything else is not', () => {
  expectTypeOf<{ get(key: string): Promise<string> }>().not.toExtend<RedisClient>()
})
