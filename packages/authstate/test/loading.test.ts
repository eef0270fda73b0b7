import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startChild } from '../../../tools/testing/child.js'

const fixture = fileURLToPath(new URL('./fixtures/loaded.ts', import.meta.url))

async function load(config: object): Promise<unknown> {
  return JSON.parse(await startChild(fixture, [JSON.stringify(config)]).finished())
}

test('a process that stays in memory loads no Redis client', async () => {
  expect(await load({})).toEqual({ ioredis: false })
  expect(await load({ provider: 'memory', spi: { 'realm-cache': { enabled: false } } })).toEqual({
    ioredis: false,
  })
})

test('one that goes to Redis does', async () => {
  const redis = { url: 'redis://127.0.0.1:1', connectTimeoutMs: 200 }
  expect(await load({ provider: 'redis', redis })).toEqual({
    ioredis: true,
    problem: 'StoreUnavailableError',
  })
})
