import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join, relative } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { findRedisServer } from '../tools/servers/redis-binary.mjs'

const empty = await mkdtemp(join(tmpdir(), 'authstate-path-'))
const valkey = await mkdtemp(join(tmpdir(), 'authstate-path-'))
const both = await mkdtemp(join(tmpdir(), 'authstate-path-'))
const program = (path: string) => writeFile(path, '', { mode: 0o755 })
await program(join(valkey, 'valkey-server'))
await program(join(both, 'valkey-server'))
await program(join(both, 'redis-server'))
await writeFile(join(empty, 'redis-server'), 'not a program', { mode: 0o644 })
afterAll(() => Promise.all([empty, valkey, both].map((dir) => rm(dir, { recursive: true }))))

const path = (...dirs: string[]) => dirs.join(delimiter)

test('the first server on the PATH, as an absolute path', () => {
  expect(findRedisServer({ PATH: path(empty, valkey, both) })).toBe(join(valkey, 'valkey-server'))
  expect(findRedisServer({ PATH: path(both, valkey) })).toBe(join(both, 'redis-server'))
  expect(findRedisServer({ PATH: path('', relative(process.cwd(), both)) })).toBeUndefined()
  expect(findRedisServer({})).toBeUndefined()
})

test('the one that is named, which must be there', () => {
  const named = join(both, 'redis-server')
  expect(findRedisServer({ PATH: valkey, AUTHSTATE_TEST_REDIS_BINARY: named })).toBe(named)
  expect(() =>
    findRedisServer({ PATH: valkey, AUTHSTATE_TEST_REDIS_BINARY: join(empty, 'redis-server') }),
  ).toThrow('AUTHSTATE_TEST_REDIS_BINARY is not the path of a program')
})

test('none where WebAssembly is asked for', () => {
  expect(findRedisServer({ PATH: both, AUTHSTATE_TEST_REDIS_KIND: 'wasm' })).toBeUndefined()
})
