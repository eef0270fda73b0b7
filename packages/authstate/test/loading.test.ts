import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { sourceFlags } from '../../../tools/lib/source.mjs'

const fixture = fileURLToPath(new URL('./fixtures/loaded.ts', import.meta.url))

async function load(config: object): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...sourceFlags,
    fixture,
    JSON.stringify(config),
  ])
  return JSON.parse(stdout)
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
