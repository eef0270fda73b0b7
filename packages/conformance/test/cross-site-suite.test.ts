// The suite for joiners takes one that joins, and fails for one that does not.
import {
  connect,
  defineScript,
  type JoinAnswer,
  type RedisConnection,
  type SiteJoiner,
} from '@authstate/redis'
import { afterAll, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { type CrossSiteOptions, crossSiteSuite, type SitePlant } from '../src/index.js'

/** How often something was opened, by site. */
type Count = Readonly<Record<string, number>>

const open = defineScript({
  name: 'vault.open',
  lua: `redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
--@ changed('vault', KEYS[1], 'full')
return 1`,
  record: 'vault',
  change: 'full',
  changes: { vault: ['full'] },
  keys: ['vault'],
  args: ['site'],
  decode: (): void => undefined,
})
const join = defineScript({
  name: 'vault.join',
  lua: `local answer = 'same'
for site, count in pairs(cjson.decode(ARGV[1])) do
  local held = tonumber(redis.call('HGET', KEYS[1], site) or '0')
  if count > held then
    redis.call('HSET', KEYS[1], site, count)
    answer = 'changed'
  end
end
return answer`,
  record: 'vault',
  change: 'full',
  changes: 'what sites know of each other is noted where it began',
  keys: ['vault'],
  args: ['state'],
  decode: (reply): JoinAnswer => ({ outcome: reply as JoinAnswer['outcome'] }),
})

const RECORD = 'vt:7'
const held = async (connection: RedisConnection): Promise<Count> => {
  const counts = await connection.hgetall('vault.read', connection.keys.key(0, '') + RECORD)
  return Object.fromEntries(Object.entries(counts).map(([site, count]) => [site, Number(count)]))
}
const joiner: SiteJoiner = {
  spi: 'vault',
  kinds: ['vault'],
  owns: (name) => name.startsWith('vt:'),
  read: async (connection) => JSON.stringify(await held(connection)),
  join: (connection, { partition, name }, state) =>
    connection.run(join, { vault: connection.keys.key(partition, '') + name }, { state }),
  names: async (_, partition) => ({ names: partition === 0 ? [RECORD] : [], next: undefined }),
}

const most = (a: Count = {}, b: Count = {}): Count =>
  Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].map((site) => [
      site,
      Math.max(a[site] ?? 0, b[site] ?? 0),
    ]),
  )

describeWith(redis, 'the suite for joiners', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())
  let number = 0
  const options: CrossSiteOptions<Count, { readonly connection: RedisConnection; readonly site: string }> = {
    joiner,
    record: RECORD,
    join: most,
    arbitraryRecord: (random) => {
      const count = () => 1 + Math.floor(random() * 1_000)
      return { a: count(), [random() < 0.5 ? 'b' : 'c']: count() }
    },
    client: () => client,
    // So that a joiner that is wrong where a count rises is missed once in a million times.
    runs: 150,
    walk: {
      serve: async (options, clock) => {
        const connection = await connect(options, { clock })
        number += 1
        return { provider: { connection, site: `s${number}` }, connection, close: () => connection.close() }
      },
      acts: [
        ({ connection, site }) =>
          connection.run(open, { vault: connection.keys.key(0, '') + RECORD }, { site }),
      ],
      look: ({ connection }) => held(connection),
    },
  }
  crossSiteSuite(options, { describe, test })

  /** Cases that fail. */
  const failing = async (changed: Partial<typeof options>): Promise<string[]> => {
    const failed: string[] = []
    const cases: (readonly [string, () => unknown])[] = []
    crossSiteSuite(
      { ...options, ...changed },
      { describe: (_, cases) => void cases(), test: (name, run) => void cases.push([name, run]) },
    )
    for (const [name, run] of cases)
      await Promise.resolve(run()).catch(() => failed.push(name.split(':')[0] ?? ''))
    return failed
  }
  const says = (from: string, to: string): SitePlant => ({ 'vault.join': [from, to] })

  test.each<readonly [string, Partial<typeof options>, readonly string[]]>([
    ['is right', {}, []],
    [
      'adds up in the pure join',
      { join: (a = {}, b = {}) => ({ a: (a['a'] ?? 0) + (b['a'] ?? 0) }) },
      ['join', 'script'],
    ],
    ['lets the state stand that comes last', { join: (a, b) => b ?? a }, ['join', 'script']],
    ['adds up in the script', { plant: says('site, count)', 'site, held + count)') }, ['script', 'walk']],
    ['lets stand what came first', { plant: says('count > held', 'held == 0') }, ['script', 'walk']],
    [
      'makes a record of times alone',
      {
        joiner: {
          ...joiner,
          read: async (connection, { isTouch }) => {
            const { a = 0, ...others } = await held(connection)
            return JSON.stringify(isTouch ? { a } : { a, ...others })
          },
        },
      },
      ['times'],
    ],
    [
      'names no record',
      { joiner: { ...joiner, names: async () => ({ names: [], next: undefined }) } },
      ['names'],
    ],
  ])('a joiner that %s', async (_, changed, expected) => {
    expect([...new Set(await failing(changed))]).toEqual(expected)
  })

  test('a failure names the seed that repeats it', async () => {
    const thrown: unknown[] = []
    const test = (_: string, run: () => unknown) =>
      void thrown.push(
        Promise.resolve(run()).then(
          () => '',
          (error: Error) => error.message,
        ),
      )
    crossSiteSuite({ ...options, join: (a, b) => b ?? a }, { describe: (_, cases) => void cases(), test })
    expect((await Promise.all(thrown))[0]).toMatch(
      /^vault: join: the order .*; AUTHSTATE_TEST_SEED=\d+ repeats it$/,
    )
  })
})
