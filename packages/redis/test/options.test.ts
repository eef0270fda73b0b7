import { ConfigurationError } from '@authstate/spi'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { connect, type RedisOptions, redisConfig } from '../src/index.js'
import { describeTarget } from '../src/options.js'
import { everythingIn, failureOf } from './support.js'

const url = 'redis://127.0.0.1:1'
const wrong = (options: object) => failureOf(connect(options as RedisOptions))

test('what is left out has its default', () => {
  expect(v.parse(redisConfig, { url })).toEqual({
    url,
    prefix: 'authstate',
    partitions: 16,
    commandTimeoutMs: 2_000,
    minReplicas: 0,
    strict: false,
    connectTimeoutMs: 5_000,
    changes: { consumers: [], maxNotes: 100_000, drop: [] },
  })
})

test('spans may be text', () => {
  expect(v.parse(redisConfig, { url, commandTimeoutMs: '500ms', connectTimeoutMs: '1m' })).toMatchObject({
    commandTimeoutMs: 500,
    connectTimeoutMs: 60_000,
  })
})

test.each<[string, object, RegExp]>([
  [
    'nothing',
    {},
    /^redis: needs exactly one of url, client, sentinels or nodes; none is given, or it is undefined$/,
  ],
  ['two ways', { url, nodes: ['a'] }, /url and nodes are given/],
  ['a client that is none', { client: {} }, /^redis\.client: must be an ioredis client/],
  ['sentinels without a name', { sentinels: ['a'] }, /^redis\.name: is required with sentinels/],
  ['no sentinels', { sentinels: [], name: 'm' }, /^redis\.sentinels: /],
  ['a node without a host', { nodes: [':1'] }, /^redis\.nodes\.0: must be host or host:port/],
  ['another scheme', { url: 'http://127.0.0.1' }, /^redis\.url: must be an address such as redis:/],
  ['a port out of range', { url: 'redis://127.0.0.1:99999' }, /^redis\.url: /],
  ['an unfinished escape', { url: 'redis://:%zz@127.0.0.1' }, /^redis\.url: /],
  ['a relative socket', { url: 'unix://redis.sock' }, /^redis\.url: /],
  ['braces in the prefix', { url, prefix: 'a{b}' }, /^redis\.prefix: must have 1 to 64 characters/],
  ['a space in the prefix', { url, prefix: 'a b' }, /^redis\.prefix: /],
  ['no prefix', { url, prefix: '' }, /^redis\.prefix: /],
  ['0 partitions', { url, partitions: 0 }, /^redis\.partitions: /],
  ['257 partitions', { url, partitions: 257 }, /^redis\.partitions: /],
  ['half a partition', { url, partitions: 1.5 }, /^redis\.partitions: /],
  ['no time', { url, commandTimeoutMs: 0 }, /^redis\.commandTimeoutMs: /],
  ['too much time', { url, connectTimeoutMs: '1h' }, /^redis\.connectTimeoutMs: /],
  ['a span that is none', { url, connectTimeoutMs: 'soon' }, /^redis\.connectTimeoutMs: /],
  [
    'a slip further down',
    { url, changes: { consumer: [] } },
    /^redis\.changes\.consumer: .* Known: 'consumers', 'maxNotes', 'drop'\. Did you mean 'consumers'\?$/,
  ],
  ['another type', { url, db: '1' }, /^redis\.db: must be number$/],
  ['a slip', { url, comandTimeoutMs: 1 }, /^redis\.comandTimeoutMs: .* Did you mean 'commandTimeoutMs'\?$/],
])('%s stops the start, and the message names the place', async (_, options, message) => {
  const error = await wrong(options)
  expect(error).toBeInstanceOf(ConfigurationError)
  expect((error as Error).message).toMatch(message)
})

test('every mistake is named at once', async () => {
  expect(String(await wrong({ url, partitions: 0, prefix: '' }))).toMatch(/redis\.prefix.*redis\.partitions/)
})

test.each([
  { url: 'redis://user:s3cret@127.0.0.1:99999' },
  { url: 'redis://user:s3cret%zz@127.0.0.1' },
  { url: 's3cret://127.0.0.1' },
  { url, password: ['s3cret'] },
  { url, prefix: 's3cret {' },
  { nodes: [':s3cret:'] },
])('no message repeats a value: %j', async (options) => {
  expect(everythingIn(await wrong(options))).not.toContain('s3cret')
})

test.each<[RedisOptions, string]>([
  [{ url: 'redis://user:s3cret@db.example:7000/2' }, 'db.example:7000'],
  [{ url: 'rediss://db.example' }, 'db.example:6379'],
  [{ url: 'redis://[::1]:7000' }, '[::1]:7000'],
  [{ url: 'unix:///run/redis.sock' }, 'a unix socket'],
  [{ nodes: ['a', { host: 'b', port: 7_001 }] }, 'the Cluster at a:6379, b:7001'],
  [{ sentinels: ['a', 'b:1'], name: 'm' }, 'master "m" of the sentinels a:26379, b:1'],
])('%j is called %s', (options, text) => {
  expect(describeTarget(v.parse(redisConfig, options))).toBe(text)
})

test('a misspelt property besides the options is refused before anything is opened', async () => {
  const misspelt: object = { loger: undefined }
  await expect(connect(url, misspelt)).rejects.toThrow(
    `"surroundings" has no property 'loger'. Known: 'logger', 'clock', 'node', 'isGuest'. Did you mean 'logger'?`,
  )
})
