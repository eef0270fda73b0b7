import { ConfigurationError } from '@authstate/spi'
import { Redis } from 'ioredis'
import * as v from 'valibot'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connect, type RedisOptions, redisConfig } from '../src/index.js'
import { WAYS, type Way } from '../src/way-in.js'
import { everythingIn, failureOf } from './support.js'

const SECRET = 's3cret'

/** Each way in, with nothing besides. */
const ways: Readonly<Record<Way, () => RedisOptions>> = {
  url: () => ({ url: 'redis://127.0.0.1:1' }),
  client: () => {
    const client = new Redis(1, '127.0.0.1', { lazyConnect: true })
    onTestFinished(() => client.disconnect())
    return { client }
  },
  sentinels: () => ({ sentinels: ['127.0.0.1:1'], name: 'm' }),
  nodes: () => ({ nodes: ['127.0.0.1:1'] }),
}

/** Every other property, with a value that is fine by itself, and the ways in with which it has an effect. */
const properties: Readonly<Record<string, readonly [value: unknown, worksWith: readonly Way[]]>> = {
  name: ['m', ['sentinels']],
  username: ['u', ['url', 'sentinels', 'nodes']],
  password: [SECRET, ['url', 'sentinels', 'nodes']],
  credentials: [() => ({ password: SECRET }), ['url', 'sentinels', 'nodes']],
  sentinelUsername: ['u', ['sentinels']],
  sentinelPassword: [SECRET, ['sentinels']],
  sentinelTls: [true, ['sentinels']],
  db: [3, ['url', 'sentinels']],
  tls: [true, ['url', 'sentinels', 'nodes']],
  prefix: ['p', WAYS],
  partitions: [4, WAYS],
  commandTimeoutMs: [500, WAYS],
  minReplicas: [1, WAYS],
  replicaTimeoutMs: [50, []],
  strict: [true, WAYS],
  layout: [1, WAYS],
  connectTimeoutMs: [50, WAYS],
  changes: [{ consumers: ['audit'] }, WAYS],
  batchWrites: [false, WAYS],
  ioredis: [{ enableReadyCheck: true }, ['url', 'sentinels', 'nodes']],
}

const messageOf = (options: RedisOptions): string => {
  const parsed = v.safeParse(redisConfig, options)
  return parsed.success
    ? ''
    : parsed.issues.map((issue) => `${v.getDotPath(issue) ?? ''} ${issue.message}`).join('; ')
}

test('every property of the section is in the table', () => {
  expect([...Object.keys(properties), ...WAYS].sort()).toEqual(Object.keys(redisConfig.entries).sort())
})

describe.each(WAYS)('with %s', (way) => {
  test.each(Object.entries(properties))('%s has an effect, or is refused', (property, [value, worksWith]) => {
    const message = messageOf({ ...ways[way](), [property]: value })
    if (worksWith.includes(way)) expect(message).toBe('')
    else expect(message).toMatch(new RegExp(`^${property} has no effect`))
    expect(message).not.toContain(SECRET)
  })

  test.each(WAYS.filter((other) => other !== way))('%s is another way in: refused', (other) => {
    expect(messageOf({ ...ways[way](), ...ways[other]() })).toContain('needs exactly one of')
  })
})

const url = (rest: string): RedisOptions => ({ url: `redis://127.0.0.1:1${rest}` })

test.each<[string, RedisOptions, RegExp]>([
  ['a path that is no number', url('/mydb'), /^url must end with the number of a database/],
  ['half a database', url('/1.5'), /^url must end with/],
  ['a database and more', url('/0/extra'), /^url must end with/],
  ['a negative database', url('/-1'), /^url must end with/],
  ['a database said twice', { ...url('/3'), db: 5 }, /^db is given in the address as well/],
  ['a password said twice', { url: `redis://:${SECRET}@127.0.0.1`, password: 'b' }, /^password is given/],
  ['a user said twice', { url: `redis://a:${SECRET}@127.0.0.1`, username: 'b' }, /^username is given/],
  ['a fragment', url('#3'), /^url must not have a part behind "#"/],
  ['a query that we overrule', url('/?retryStrategy=1'), /^url its option "retryStrategy" has no effect/],
  ['a database in the query', url('/?db=3'), /^url its option "db" has no effect: say it with db/],
  ['TLS that is switched off', { url: 'rediss://127.0.0.1', tls: false }, /^tls must not be false/],
  ['TLS over a unix socket', { url: 'unix:///run/redis.sock', tls: true }, /^tls has no effect with a unix/],
  [
    'a pace of their own',
    { ...url(''), ioredis: { retryStrategy: () => 5 } },
    /^ioredis\.retryStrategy has no/,
  ],
  [
    'a password in ioredis',
    { ...url(''), ioredis: { password: SECRET } },
    /^ioredis\.password .* with password$/,
  ],
  [
    'a password for nodes in ioredis',
    { nodes: ['a'], ioredis: { redisOptions: { password: SECRET } } },
    /^ioredis\.redisOptions\.password .* with password$/,
  ],
  [
    'options of nodes',
    { ...url(''), ioredis: { redisOptions: {} } },
    /^ioredis\.redisOptions has no effect with url/,
  ],
  ['reads of replicas', { nodes: ['a'], ioredis: { scaleReads: 'slave' } }, /^ioredis\.scaleReads has no/],
  ['a time for no replicas', { ...url(''), replicaTimeoutMs: 50 }, /^replicaTimeoutMs .* minReplicas is 0$/],
  [
    'a misspelt option of TLS',
    { ...url(''), tls: { rejectUnauthorised: true } },
    /^tls\.rejectUnauthorised .* 'ca', .* Did you mean 'rejectUnauthorized'\?$/,
  ],
  [
    'an option of TLS that is near to nothing',
    { ...url(''), tls: { certificate: SECRET } },
    /^tls\.certificate this property does not exist. Known: 'host', .*'ca'/,
  ],
  [
    'a misspelt option of TLS to sentinels',
    { sentinels: ['a'], name: 'm', sentinelTls: { CA: 'x', cert: 'y', pasphrase: SECRET } },
    /^sentinelTls\.CA .* Did you mean 'ca'\?; sentinelTls\.pasphrase .* Did you mean 'passphrase'\?$/,
  ],
  [
    'a misspelt option of ioredis',
    { ...url(''), ioredis: { familly: 6 } },
    /^ioredis\.familly this property does not exist.* Did you mean 'family'\?$/,
  ],
  [
    'an option of a Cluster beside one server',
    { ...url(''), ioredis: { maxRedirections: 3 } },
    /^ioredis\.maxRedirections has no effect with url$/,
  ],
  [
    'an option of one server beside a Cluster',
    { nodes: ['a'], ioredis: { family: 6 } },
    /^ioredis\.family has no effect with nodes: say it in ioredis\.redisOptions$/,
  ],
  [
    'a misspelt option of the nodes of a Cluster',
    { nodes: ['a'], ioredis: { redisOptions: { noDelai: true } } },
    /^ioredis\.redisOptions\.noDelai .* Did you mean 'noDelay'\?$/,
  ],
  [
    'a misspelt option in the query',
    url('/?famly=6'),
    /^url its option 'famly' does not exist.* mean 'family'/,
  ],
  [
    'what is no option in the query',
    url(`/?${SECRET}=6`),
    /^url an option does not exist. Known: 'Connector'/,
  ],
  [
    'the password of sentinels, and nothing said of their TLS',
    { sentinels: ['a'], name: 'm', tls: true, sentinelPassword: SECRET },
    /^sentinelTls must be said where tls and sentinelPassword are given/,
  ],
])('%s is refused, and the message names the place and no value', (_, options, message) => {
  expect(messageOf(options)).toMatch(message)
  expect(messageOf(options)).not.toContain(SECRET)
})

test.each<RedisOptions>([
  url('/3'),
  url('/'),
  { ...url(''), db: 3 },
  { url: `redis://:${SECRET}@127.0.0.1`, username: 'a' },
  { url: 'rediss://127.0.0.1', tls: { ca: 'x' } },
  { ...url(''), minReplicas: 1, replicaTimeoutMs: 50 },
  { ...url(''), tls: { servername: 'h', requestOCSP: true, keepAlive: true } },
  { ...url('/?family=6'), ioredis: { keepAlive: 1 } },
  { nodes: ['a'], ioredis: { maxRedirections: 3, redisOptions: { family: 6 } } },
  { sentinels: ['a'], name: 'm', tls: true, sentinelPassword: SECRET, sentinelTls: false },
  { sentinels: ['a'], name: 'm', sentinelPassword: SECRET },
])('%j is fine', (options) => expect(messageOf(options)).toBe(''))

test('connect() refuses as the configuration does', async () => {
  const error = await failureOf(connect({ ...url('/mydb'), db: 1, password: SECRET }))
  expect(error).toBeInstanceOf(ConfigurationError)
  expect(String(error)).toMatch(/redis\.db: is given in the address as well.*redis\.url: must end with/)
  expect(everythingIn(error)).not.toContain(SECRET)
})
