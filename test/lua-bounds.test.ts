import { expect, test } from 'vitest'
import { unboundedUnpacks } from './lib/lua-bounds.js'
import { readTracked } from './lib/tracked.js'

test('no script unpacks what has no bound', () => {
  const scripts = readTracked(/^packages\/[^/]+\/src\/.*\.lua$/)
  expect(scripts.size).toBeGreaterThan(40)
  expect(unboundedUnpacks(scripts)).toEqual([])
})

test.each([
  ["redis.call('ZREM', key, unpack(dead))", 1],
  ["return { 'a', unpack(redis.call('HGETALL', key)) }", 1],
  ["local dead = redis.call('ZRANGE', key, 0, -1)\nredis.call('ZREM', key, unpack(dead))", 1],
  [
    "local dead = redis.call('ZRANGEBYSCORE', key, 0, 1, 'LIMIT', 0, ARGV[1])\nredis.call('ZREM', key, unpack(dead))",
    1,
  ],
  [
    "local dead = redis.call('ZRANGEBYSCORE', key, 0, 1, 'LIMIT', 0, 9)\nredis.call('ZREM', key, unpack(dead))",
    0,
  ],
  ["redis.call('ZREM', key, unpack(dead, i, math.min(i + 999, #dead)))", 0],
  ["redis.call('HSET', key, unpack(fields)) -- at most 20", 0],
  ['-- unpack(dead) is not called', 0],
])('%j: found %i times', (script, found) => {
  expect(unboundedUnpacks(new Map([['a.lua', script]]))).toHaveLength(found)
})
