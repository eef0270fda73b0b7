import { FakeClock, type Fault, faultyClient, openInspector, RecordingLogger } from '@authstate/conformance'
import { type RedisClient, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import type { RealmSettings } from '@authstate/spi'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { freeBase, start } from '../../../tools/servers/topology.mjs'
import { describeWith, redis, serverBinary } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { type LoginFailureProvider, loginFailureSpi } from '../src/index.js'
import { recordVersions } from '../src/redis/failure-text.js'
import { redisLoginFailures } from '../src/redis.js'
import * as scripts from '../src/scripts.js'
import { MOST_DECOYS } from '../src/store.js'

const lost = new Error('Connection is closed.')
const noConnection = new Error("Stream isn't writeable and enableOfflineQueue options is false")
const outOfMemory = new Error("OOM command not allowed when used memory > 'maxmemory'.")
const { STATE_FIELDS, decodeState, ...descriptors } = scripts
const bruteForce = {
  enabled: true,
  failureFactor: 3,
  waitIncrementMs: 20_000,
  quickLoginCheckMs: 0,
  maxDeltaTimeMs: 60_000,
}
const right = async () => true
const wrong = async () => false

interface Opening {
  readonly client: RedisClient
  readonly prefix: string
  readonly clock: FakeClock
  readonly logger: RecordingLogger
  readonly realm?: RealmSettings
  readonly commandTimeoutMs?: number
  readonly properties?: object
}

async function openRegistry({
  client,
  prefix,
  clock,
  logger,
  realm,
  commandTimeoutMs = 5_000,
  properties,
}: Opening) {
  const registry = createProviderRegistry({
    factories: [redisLoginFailures(), redisConnection()],
    config: {
      redis: { client, prefix, commandTimeoutMs },
      spi: { 'login-failure': { provider: 'redis', redis: { ...properties } } },
    },
    clock,
    logger,
    realms: () => realm ?? { bruteForce },
  })
  await registry.start()
  return registry
}

describeWith(redis, 'login-failure faults', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())

  let prefix: string
  let logger: RecordingLogger
  let clock: FakeClock
  let healthy: LoginFailureProvider
  const opened: { close(): Promise<void> }[] = []

  async function open(over: RedisClient, changes: Partial<Opening> = {}): Promise<LoginFailureProvider> {
    const registry = await openRegistry({ client: over, prefix, clock, logger, ...changes })
    opened.push(registry)
    return registry.get(loginFailureSpi)
  }

  /** A provider whose next forty commands of each kind meet a fault. */
  async function openFaulty(fault: Fault, properties: object, commandTimeoutMs = 5_000) {
    const faulty = faultyClient(client)
    const provider = await open(faulty.client, { properties, commandTimeoutMs })
    const goAway = () => {
      for (let n = 0; n < 40; n++) {
        faulty.arm('hmget', fault)
        for (const script of Object.values(descriptors)) faulty.arm(script, fault)
      }
    }
    return { provider, goAway, arm: faulty.arm }
  }

  async function keysOf(kind: string): Promise<string[]> {
    return (await (await openInspector(client)).keys(prefix)).filter((key) => key.includes(`}:${kind}:`))
  }

  beforeEach(async (context) => {
    prefix = `faults-${process.pid}-${context.task.id}`
    logger = new RecordingLogger()
    clock = new FakeClock()
    healthy = await open(client)
  })
  afterEach(async () => {
    for (const item of opened.splice(0)) await item.close()
    await (await openInspector(client)).clear(prefix)
  })

  const away: Fault = { when: 'before', error: noConnection }

  test('closed: everybody is refused, nothing is verified, and the answer says so (§19 row 32)', async () => {
    const { provider, goAway } = await openFaulty(away, { failPolicy: 'closed' })
    goAway()
    const lock = { permanent: false, reason: 'store-unavailable', rule: 'user', failPolicy: 'closed' }
    expect(await provider.check('realm', 'alice')).toEqual({ locked: true, ...lock })
    const never = () => expect.unreachable()
    expect(await provider.guard('realm', 'alice', {}, never)).toEqual({ outcome: 'locked', ...lock })
    const unavailable = { code: 'ERR_STORE_UNAVAILABLE', applied: 'no' }
    await expect(provider.recordFailure('realm', 'alice')).rejects.toMatchObject(unavailable)
    await expect(provider.recordSuccess('realm', 'alice')).rejects.toMatchObject(unavailable)
  })

  test('open: everybody is allowed, nothing is counted, and the answer says so', async () => {
    const { provider, goAway } = await openFaulty(away, { failPolicy: 'open' })
    goAway()
    const failPolicy = 'open'
    expect(await provider.check('realm', 'alice')).toEqual({ locked: false, failPolicy })
    for (let n = 0; n < 9; n++) {
      expect(await provider.guard('realm', 'alice', {}, wrong)).toEqual({ outcome: 'failure', failPolicy })
    }
    expect(await provider.guard('realm', 'alice', {}, right)).toEqual({ outcome: 'success', failPolicy })
    expect(await provider.recordFailure('realm', 'alice')).toMatchObject({
      counted: false,
      locked: false,
      failPolicy,
    })
    expect(await provider.recordSuccess('realm', 'alice')).toBe(false)
  })

  test('local: the node counts alone, more strictly, and the answer says so', async () => {
    const properties = { failPolicy: 'local', localFailureFactor: 2, address: { failureFactor: 9 } }
    const { provider, goAway } = await openFaulty(away, properties)
    goAway()
    const failPolicy = 'local'
    const until = clock.now() + 60_000
    const lock = { until, permanent: false, reason: 'failures', rule: 'user', failPolicy }
    const ip = '192.0.2.1'
    expect(await provider.guard('realm', 'alice', { ip }, wrong)).toEqual({ outcome: 'failure', failPolicy })
    expect(await provider.check('realm', 'alice', { ip })).toEqual({ locked: false, failPolicy })
    expect(await provider.recordFailure('realm', 'alice', { ip })).toMatchObject({
      counted: true,
      numFailures: 2,
      locked: true,
      ...lock,
    })
    expect(await provider.guard('realm', 'alice', { ip }, right)).toEqual({ outcome: 'locked', ...lock })
    expect(await provider.check('realm', 'alice')).toEqual({ locked: true, ...lock })
    expect(await provider.guard('realm', 'bob', { ip }, right)).toEqual({ outcome: 'success', failPolicy })
    expect(await provider.recordSuccess('realm', 'alice')).toBe(true)
    expect(await provider.recordSuccess('realm', 'alice')).toBe(false)
    expect(await healthy.get('realm', 'alice')).toBeUndefined()
  })

  test('local: N guesses at once get no more verifications than the stricter factor', async () => {
    const { provider, goAway } = await openFaulty(away, { failPolicy: 'local', localFailureFactor: 2 })
    goAway()
    let verified = 0
    await Promise.all(
      Array.from({ length: 30 }, () =>
        provider.guard('realm', 'alice', {}, async () => {
          verified += 1
          await new Promise(setImmediate)
          return false
        }),
      ),
    )
    expect(verified).toBe(2)
  })

  test('local: in a purely permanent realm without a wait the node still locks, for a time', async () => {
    const faulty = faultyClient(client)
    const provider = await open(faulty.client, {
      properties: { failPolicy: 'local' },
      realm: {
        bruteForce: {
          ...bruteForce,
          permanentLockout: true,
          waitIncrementMs: 0,
          maxFailureWaitMs: 0,
          maxDeltaTimeMs: 0,
        },
      },
    })
    for (let n = 0; n < 9; n++) faulty.arm(scripts.recordFailure, away)
    for (let n = 0; n < 2; n++) expect((await provider.recordFailure('realm', 'alice')).locked).toBe(false)
    expect(await provider.recordFailure('realm', 'alice')).toMatchObject({
      locked: true,
      permanent: false,
      failPolicy: 'local',
    })
  })

  test('clear also forgets what the node counted alone', async () => {
    const { provider, arm } = await openFaulty(away, { failPolicy: 'local', localFailureFactor: 1 })
    arm(scripts.recordFailure, away)
    expect((await provider.recordFailure('realm', 'alice')).locked).toBe(true)
    expect(await provider.clear('realm', 'alice')).toBe(false)
    arm('hmget', away)
    expect((await provider.check('realm', 'alice')).locked).toBe(false)
  })

  test.each(['closed', 'open', 'local'] as const)(
    '%s: decided within the deadline when Redis does not answer',
    async (failPolicy) => {
      const { provider, goAway } = await openFaulty({ when: 'drop' }, { failPolicy }, 100)
      goAway()
      const check = await provider.check('realm', 'alice')
      expect(check).toMatchObject({ locked: failPolicy === 'closed', failPolicy })
      const guarded = await provider.guard('realm', 'alice', {}, right)
      expect(guarded).toMatchObject({ outcome: failPolicy === 'closed' ? 'locked' : 'success', failPolicy })
    },
  )

  test.each([
    ['closed', undefined],
    ['open', undefined],
    ['local', 20_000],
  ] as const)('%s: Redis goes away while a guess is verified', async (failPolicy, lockedForMs) => {
    const { provider, arm } = await openFaulty(away, { failPolicy, localFailureFactor: 1, guardWaitMs: 0 })
    arm(scripts.recordSuccess, away)
    expect(await provider.guard('realm', 'alice', {}, right)).toEqual({ outcome: 'success', failPolicy })
    arm(scripts.recordFailure, away)
    expect(await provider.guard('realm', 'bob', {}, wrong)).toEqual({
      outcome: 'failure',
      failPolicy,
      ...(lockedForMs !== undefined && { lockedUntil: clock.now() + 60_000 }),
    })
  })

  test('a failure whose count was lost holds its reservation until it runs out', async () => {
    const { provider, arm } = await openFaulty(away, {
      failPolicy: 'open',
      guardWaitMs: 0,
      reservationMs: 9_000,
    })
    for (let n = 0; n < 3; n++) arm(scripts.recordFailure, away)
    for (let n = 0; n < 3; n++) {
      expect(await provider.guard('realm', 'bob', {}, wrong)).toEqual({
        outcome: 'failure',
        failPolicy: 'open',
      })
    }
    expect(await provider.guard('realm', 'bob', {}, right)).toMatchObject({
      outcome: 'locked',
      reason: 'concurrent-attempts',
    })
    clock.advance(9_000)
    expect(await provider.guard('realm', 'bob', {}, right)).toEqual({ outcome: 'success' })
  })

  test('a reservation that cannot be given back ends by itself, and the error of verify is what the caller gets', async () => {
    const { provider, arm } = await openFaulty(away, { guardWaitMs: 0, reservationMs: 9_000 })
    arm(scripts.release, away)
    const broken = new Error('directory is away')
    await expect(provider.guard('realm', 'bob', {}, () => Promise.reject(broken))).rejects.toBe(broken)
    expect(await keysOf('lg')).toHaveLength(1)
    clock.advance(9_000)
    expect(await provider.guard('realm', 'bob', {}, right)).toEqual({ outcome: 'success' })
  })

  test('one rule without its store: nothing stays reserved under the other', async () => {
    const properties = { failPolicy: 'closed', address: { failureFactor: 1 }, guardWaitMs: 0 }
    const { provider, arm } = await openFaulty(away, properties)
    arm(scripts.reserve, away)
    const ip = '192.0.2.1'
    expect(await provider.guard('realm', 'alice', { ip }, right)).toMatchObject({
      reason: 'store-unavailable',
    })
    expect([...(await keysOf('lg')), ...(await keysOf('lh'))]).toEqual([])
    expect(await provider.guard('realm', 'alice', { ip }, right)).toEqual({ outcome: 'success' })
  })

  test.each([
    ['lost after it was applied', { when: 'after', error: lost }, 'unknown', 1],
    ['refused for want of memory', { when: 'before', error: outOfMemory }, 'no', 0],
  ] as const)(
    'recordFailure %s: the caller is told, the store holds what was applied',
    async (_, fault, applied, count) => {
      const { provider, arm } = await openFaulty(fault, { failPolicy: 'closed' })
      arm(scripts.recordFailure, fault)
      await expect(provider.recordFailure('realm', 'alice')).rejects.toMatchObject({
        code: 'ERR_STORE_UNAVAILABLE',
        applied,
      })
      expect((await healthy.get('realm', 'alice'))?.numFailures ?? 0).toBe(count)
    },
  )

  test('verbs of operators never guess: they fail', async () => {
    const { provider, goAway } = await openFaulty(away, { failPolicy: 'open' })
    goAway()
    const unavailable = { code: 'ERR_STORE_UNAVAILABLE' }
    for (const call of [
      () => provider.get('realm', 'alice'),
      () => provider.explain('realm', 'alice'),
      () => provider.status('realm', 'alice'),
      () => provider.clear('realm', 'alice'),
      () => provider.removeByRealm('realm'),
      () => provider.recompute('realm'),
    ]) {
      await expect(call()).rejects.toMatchObject(unavailable)
    }
  })

  test('a flushed script cache is filled again', async () => {
    await client.script('FLUSH')
    expect((await healthy.recordFailure('realm', 'alice')).numFailures).toBe(1)
    expect(await healthy.guard('realm', 'alice', {}, right)).toEqual({ outcome: 'success' })
  })

  test('a key of another type is ERR_STORE_CORRUPT and stays as it is', async () => {
    await healthy.recordFailure('realm', 'alice')
    const [key = ''] = await keysOf('lf')
    await client.del(key)
    await client.set(key, 'foreign')
    const corrupt = { code: 'ERR_STORE_CORRUPT' }
    await expect(healthy.recordFailure('realm', 'alice')).rejects.toMatchObject(corrupt)
    await expect(healthy.check('realm', 'alice')).rejects.toMatchObject(corrupt)
    await expect(healthy.guard('realm', 'alice', {}, right)).rejects.toMatchObject(corrupt)
    expect(await client.get(key)).toBe('foreign')
  })

  test.each([
    ['a format from the future', { _v: '3 1 2 3' }],
    ['no numbers', { _v: '2 soon 1 2' }],
    ['an older one without numbers', { _v: '1', x: 'soon', u: 'later' }],
  ])('%s is absent, said once, and the next failure starts afresh', async (_, damage) => {
    await healthy.recordFailure('realm', 'alice')
    await healthy.recordFailure('realm', 'alice', { ip: '192.0.2.1', category: 'otp' })
    const [key = ''] = await keysOf('lf')
    await client.hset(key, { ...damage, z: '1' })
    expect(await healthy.get('realm', 'alice')).toBeUndefined()
    expect(await healthy.check('realm', 'alice')).toEqual({ locked: false })
    expect(logger.entries.filter(({ message }) => message.includes('cannot be read'))).toHaveLength(1)
    await healthy.recordFailure('realm', 'alice')
    expect(await client.hgetall(key)).toEqual({ _v: `2 ${clock.now() + 60_000} 1 ${clock.now()}` })
  })

  test('a record of an older format is read as if it were of now', async () => {
    await healthy.recordFailure('realm', 'alice')
    const [key = ''] = await keysOf('lf')
    const failures = await healthy.get('realm', 'alice')
    expect(failures).toMatchObject({ numFailures: 1 })
    // As if an earlier version had kept the count in another field.
    recordVersions.upcasters.set('0', ({ count = '', ...fields }) => ({ ...fields, _v: '1', n: count }))
    onTestFinished(() => void recordVersions.upcasters.delete('0'))
    const now = clock.now()
    await client.hset(key, { _v: '0', count: '1', l: now, x: now + 60_000 })
    expect(await healthy.get('realm', 'alice')).toEqual(failures)
    await client.hset(key, { _v: '3' })
    expect(await healthy.get('realm', 'alice')).toBeUndefined()
    expect(logger.entries.filter(({ message }) => message.includes('cannot be read'))).toHaveLength(1)
  })

  test('a record has a TTL of its life and a minute or two, and its index that of its longest member', async () => {
    const life = async (kind: string) => Math.ceil((await client.pttl((await keysOf(kind))[0] ?? '')) / 1_000)
    const expectLives = async () => {
      for (const kind of ['lf', 'lr']) {
        expect(await life(kind)).toBeGreaterThanOrEqual(120)
        expect(await life(kind)).toBeLessThanOrEqual(180)
      }
    }
    const other = await open(client, { realm: { bruteForce: { ...bruteForce, permanentLockout: true } } })
    await healthy.recordFailure('realm', 'alice')
    await expectLives()
    clock.advance(30_000)
    await healthy.recordFailure('realm', 'alice')
    await expectLives()
    for (let n = 0; n < 2; n++) await other.recordFailure('realm', 'alice')
    expect([
      await client.pttl((await keysOf('lf'))[0] ?? ''),
      await client.pttl((await keysOf('lr'))[0] ?? ''),
    ]).toEqual([-1, -1])
    await healthy.clear('realm', 'alice')
    expect(await (await openInspector(client)).keys(prefix)).toEqual([`${prefix}:layout`])
  })

  test('names that belong to nobody are bounded: those that end soonest make room, and nothing of a realm stays', async () => {
    const most = MOST_DECOYS / 16
    const attempt = (username: string) => healthy.guardUnknownUser('realm', { username }, wrong)
    await attempt('first')
    const [index = ''] = await keysOf('lu')
    const [record = ''] = await keysOf('ld')
    const ends = Number(await client.zscore(index, 'ld:realm:made-up-0'))
    expect(ends).toBe(0)
    for (let n = 1; n < most; n++)
      await client.zadd(index, clock.now() + 3_600_000 + n, `ld:realm:made-up-${n}`)
    expect(await client.zcard(index)).toBe(most)
    // Names of the same partition as the first one, until one of them has taken its place.
    for (let n = 0; (await client.exists(record)) === 1; n++) await attempt(`name-${n}`)
    expect(await client.zcard(index)).toBe(most)
    expect(await healthy.removeByRealm('realm')).toBe(0)
    expect([...(await keysOf('ld')), ...(await keysOf('le')), ...(await keysOf('lu'))]).toEqual([])
  })

  test('an index that held an immortal record is mortal again without it', async () => {
    const pure = await open(client, { realm: { bruteForce: { ...bruteForce, permanentLockout: true } } })
    const users = Array.from({ length: 200 }, (_, n) => `user-${n}`)
    for (const userId of users) await healthy.recordFailure('realm', userId)
    await pure.recordFailure('realm', 'alice')
    const immortal = async () => {
      const ttls = await Promise.all((await keysOf('lr')).map((key) => client.pttl(key)))
      return ttls.filter((ttl) => ttl < 0).length
    }
    expect(await immortal()).toBe(1)
    await pure.recordSuccess('realm', 'alice')
    expect(await immortal()).toBe(0)
    await pure.recordFailure('realm', 'alice')
    await pure.clear('realm', 'alice')
    expect(await immortal()).toBe(0)
    await pure.recompute('realm')
    expect(await immortal()).toBe((await keysOf('lr')).length)
    await healthy.recompute('realm')
    expect(await immortal()).toBe(0)
  })

  test('the record of a locked user with an address takes at most 240 bytes (§8 D4)', async () => {
    const userId = '0f8fad5b-d9cb-469f-a165-70867728950e'
    for (let n = 0; n < 3; n++) await healthy.recordFailure('realm', userId, { ip: '203.0.113.7' })
    const short = await open(client, { prefix: 'a' })
    for (let n = 0; n < 3; n++) await short.recordFailure('realm', userId, { ip: '203.0.113.7' })
    const [key = ''] = (await (await openInspector(client)).keys('a')).filter((item) =>
      item.includes('}:lf:'),
    )
    expect(Number(await client.call('MEMORY', 'USAGE', key))).toBeLessThanOrEqual(240)
    await (await openInspector(client)).clear('a')
  })

  test('what is logged and thrown holds no ids', async () => {
    const { provider, goAway } = await openFaulty({ when: 'before', error: lost }, { failPolicy: 'closed' })
    provider.on('temporary-lock', () => {
      throw new Error('listener')
    })
    for (let n = 0; n < 3; n++)
      await provider.recordFailure('secret-realm', 'secret-user', { ip: '203.0.113.99' })
    goAway()
    const error = await provider.recordFailure('secret-realm', 'secret-user').catch((item: unknown) => item)
    const said = JSON.stringify([logger.entries, String(error), (error as Error).stack])
    expect(logger.entries.some(({ message }) => message.includes('listener'))).toBe(true)
    expect(said).not.toMatch(/secret-|203\.0\.113\.99/)
  })
})

describeWith(serverBinary, 'login-failure, with a Redis that stops answering', () => {
  test.each(['closed', 'open', 'local'] as const)(
    '%s: decides within the deadline, and Redis decides again when it is back',
    async (failPolicy) => {
      const topology = await start('single', { basePort: await freeBase(1) })
      const client = new Redis({
        host: topology.host,
        port: topology.basePort,
        autoResendUnfulfilledCommands: false,
        enableOfflineQueue: false,
        lazyConnect: true,
      })
      await client.connect()
      const setting = {
        clock: new FakeClock(),
        logger: new RecordingLogger(),
        prefix: 'outage',
        commandTimeoutMs: 2_000,
      }
      const registry = await openRegistry({ ...setting, client, properties: { failPolicy } })
      try {
        const provider = registry.get(loginFailureSpi)
        await provider.recordFailure('realm', 'alice')
        topology.nodes[0]?.pause()
        expect(await provider.check('realm', 'alice')).toMatchObject({
          locked: failPolicy === 'closed',
          failPolicy,
        })
        topology.nodes[0]?.resume()
        await expect
          .poll(() => provider.check('realm', 'alice'), { timeout: 10_000 })
          .toEqual({ locked: false })
        expect((await provider.get('realm', 'alice'))?.numFailures).toBe(1)
      } finally {
        await registry.close()
        client.disconnect()
        await topology.stop()
      }
    },
  )
})
