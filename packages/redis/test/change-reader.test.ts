import { RecordingLogger } from '@authstate/conformance'
import { timers } from '@authstate/spi/internal'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { PartitionOutbox } from '../src/changes/partition-outbox.js'
import { defineScript, type RedisClient, type RedisConnection } from '../src/index.js'
import { readNotes } from '../src/scripts.js'
import { FAST, node, prefixIn, put, reading, Told, write } from './changes-support.js'
import { open } from './support.js'

/** What a reader asks of a partition. */
interface Question {
  readonly partition: number
  readonly isLeaseOnly: boolean
  readonly send: () => Promise<unknown>
}

/** A moment that somebody waits for. */
class Moment {
  pass: () => void = () => {}
  readonly passed = new Promise<void>((resolve) => {
    this.pass = resolve
  })
}

describeWith(redis, 'a reader of changes', () => {
  const raw = openRedis()
  afterAll(() => raw.disconnect())
  const prefixed = () => prefixIn(raw)

  /** A client whose questions of readers `answer` answers. */
  function asking(answer: (question: Question) => Promise<unknown>): { client: RedisClient } {
    const client = openRedis()
    onTestFinished(() => client.disconnect())
    const evalsha = (sha: string, count: number, ...rest: string[]) => {
      const send = () => client.evalsha(sha, count, ...rest)
      if (sha !== readNotes.sha1) return send()
      const partition = rest[0]?.includes('{00}') ? 0 : 1
      return answer({ partition, isLeaseOnly: Number(rest[count + 4]) === 0, send })
    }
    const view = new Proxy(client, {
      get: (target, name) => {
        if (name === 'evalsha') return evalsha
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    return { client: view }
  }
  const ask = (
    on: RedisConnection,
    {
      had = '',
      owner = 'a',
      leaseMs = 60_000,
      limit = 10,
    }: Partial<Record<'had' | 'owner', string>> & {
      leaseMs?: number
      limit?: number
    } = {},
  ) =>
    on.run(
      readNotes,
      { notes: on.keys.key(0, 'xn'), had: on.keys.key(0, 'xh'), lease: on.keys.key(0, 'xl', 'audit') },
      { consumer: 'audit', owner, leaseMs, had, limit, consumers: 'audit' },
    )
  const keysOf = (notes: readonly (readonly [string, readonly string[]])[]) =>
    notes.map(([, fields]) => fields[1]?.split(':').at(-1))

  test('tells each consumer what it asks for, whatever others ask for', async () => {
    const detach = defineScript({
      ...write,
      name: 'test.detach',
      lua: `
redis.call('SET', KEYS[1], ARGV[1], 'PX', 60000)
--@ local gone = nil
--@details gone = cjson.encode({ 'alice', 'removed', '17', { 'shop', '', '' } })
--@ changed('thing', KEYS[1], 'full', gone)
return 1
`,
      changes: { thing: ['full'] },
    })
    for (const details of [true, false]) {
      const prefix = prefixed()
      const on = await node(prefix, [
        { name: 'all', kinds: ['thing'], details },
        { name: 'endings', kinds: ['thing'], notes: 'endings' },
        { name: 'others', kinds: ['other'] },
      ])
      const consumers = await Promise.all(['all', 'endings', 'others'].map((name) => reading(on, name)))
      const [all, endings, others] = consumers.map(({ told }) => told) as [Told, Told, Told]
      await put(on, 0, 'a')
      await on.run(detach, { thing: on.keys.key(0, 'tt', 'a') }, { value: 'y' })
      await put(on, 0, 'a', '')
      await all.until(({ notes }) => notes.length === 3)
      await endings.until(({ notes }) => notes.length >= 2)
      expect(all.notes.map(({ how, ended }) => [how, ended !== undefined])).toEqual([
        ['full', false],
        ['full', details],
        ['removal', details],
      ])
      expect(endings.notes.map(({ how, ended }) => [how, ended])).toEqual([
        ['full', undefined],
        ['removal', undefined],
      ])
      await Promise.all(consumers.map(({ reader }) => reader.close()))
      expect(others.notes).toEqual([])
      expect(consumers.map(({ reader }) => reader.stats().notes)).toEqual([3, 2, 0])
    }
  })

  test('says "lost" also where another node told the partition until then', async () => {
    const prefix = prefixed()
    const [first, second] = [await node(prefix), await node(prefix)]
    const begun = await reading(first)
    await begun.reader.close()
    const leases = [0, 1].map((partition) => first.keys.key(partition, 'xl', 'audit'))
    for (const lease of leases) await raw.set(lease, 'another one', 'PX', 60_000)
    const told = new Told()
    const before = second.stats().sent
    second.readChanges('audit', told.handlers, { pollMs: 1, leaseMs: 30 })
    while (second.stats().sent < before + 6) await raw.ping()
    expect(told.gaps).toEqual([])
    await raw.del(...(await raw.keys(`${prefix}:*`)))
    await told.until(({ gaps }) => gaps.length === 2)
    expect(told.gaps.map(({ reason }) => reason)).toEqual(['lost', 'lost'])
  })

  test('tells notes once where the lease is renewed while its handler ends', async () => {
    const [asked, answered] = [new Moment(), new Moment()]
    let renewals = 0
    const prefix = prefixed()
    const on = await node(
      prefix,
      ['audit'],
      {},
      asking(async ({ isLeaseOnly, partition, send }) => {
        const reply = await send()
        if (isLeaseOnly && partition === 0 && renewals++ === 0) {
          asked.pass()
          await answered.passed
        }
        return reply
      }),
    )
    const begun = await reading(await node(prefix))
    await begun.reader.close()
    await put(on, 0, 'a')
    const told = new Told()
    on.readChanges(
      'audit',
      {
        onNotes: async (notes, signal) => {
          await told.handlers.onNotes(notes, signal)
          if (told.notes.length === 1) await asked.passed
        },
      },
      { pollMs: 1, leaseMs: 300 },
    )
    await asked.passed
    // The handler has ended before the answer is there.
    await raw.ping()
    answered.pass()
    await put(on, 0, 'b')
    await told.until(({ keys }) => keys.includes('full tt b'))
    expect(told.keys).toEqual(['full tt a', 'full tt b'])
  })

  test('aborts the signal of a handler that runs when its lease cannot be renewed', async () => {
    const prefix = prefixed()
    let isCutOff = false
    const on = await node(
      prefix,
      ['audit'],
      {},
      asking(({ send }) => (isCutOff ? Promise.reject(new Error('cut off')) : send())),
    )
    const begun = await reading(await node(prefix))
    await begun.reader.close()
    await put(on, 0, 'a')
    const aborted = new Moment()
    const reader = on.readChanges(
      'audit',
      {
        onNotes: async (_, signal) => {
          isCutOff = true
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
          aborted.pass()
        },
      },
      { pollMs: 1, leaseMs: 120 },
    )
    await aborted.passed
    expect(reader.stats()).toMatchObject({ notes: 0, failures: 0 })
    isCutOff = false
  })

  test('tells the other partitions while one server does not answer', async () => {
    const answered = new Moment()
    let isSlow = false
    const on = await node(
      prefixed(),
      ['audit'],
      {},
      asking(async ({ partition, send }) => {
        if (isSlow && partition === 1) await answered.passed
        return send()
      }),
    )
    const { told } = await reading(on)
    isSlow = true
    for (const id of ['a', 'b', 'c']) {
      await put(on, 1, id)
      await put(on, 0, id)
      await told.until(({ keys }) => keys.includes(`full tt ${id}`))
    }
    expect(told.notes.map(({ partition }) => partition)).toEqual([0, 0, 0])
    isSlow = false
    answered.pass()
    await told.until(({ notes }) => notes.length === 6)
  })

  test('leaves nothing of a consumer that is dropped while it reads, and says so', async () => {
    const prefix = prefixed()
    const logger = new RecordingLogger()
    const consumers = ['audit', 'sites']
    const old = await open({ url: redisUrl(), prefix, partitions: 2, changes: { consumers } }, logger)
    const { told } = await reading(old)
    const sites = await reading(old, 'sites')
    await node(prefix, ['sites'], { drop: ['audit'] })
    await old.checkHealth()
    for (let n = 0; n < 3; n++) {
      await put(old, 0, `a${n}`)
      await put(old, 1, `a${n}`)
      await sites.told.until(({ notes }) => notes.length === 2 * n + 2)
    }
    expect(await raw.keys(`${prefix}:*:xl:audit`)).toEqual([])
    for (const partition of [0, 1]) {
      expect(await raw.hkeys(old.keys.key(partition, 'xh'))).toEqual(['sites'])
    }
    expect(told.notes).toEqual([])
    expect(old.warnings()).toEqual([
      expect.stringMatching(/^redis\.changes: "audit" of redis\.changes\.consumers is no longer recorded/),
    ])
    expect(logger.entries).toContainEqual({
      level: 'warn',
      fields: { consumer: 'audit' },
      message: 'a consumer of changes is no longer recorded; it gets no notes',
    })
    await old.close()
    expect(await raw.keys(`${prefix}:*:xl:audit`)).toEqual([])
  })

  test('goes on where its consumer comes back', async () => {
    const prefix = prefixed()
    const old = await node(prefix, ['audit'])
    const { told } = await reading(old)
    await node(prefix, [], { drop: ['audit'] })
    await old.checkHealth()
    expect(old.warnings()).toHaveLength(1)
    await node(prefix, ['audit'])
    await old.checkHealth()
    await told.until(({ gaps }) => gaps.length === 4)
    expect(told.gaps.map(({ reason }) => reason)).toEqual(['begun', 'begun', 'begun', 'begun'])
    expect(old.warnings()).toEqual([])
    await put(old, 0, 'a')
    await told.until(({ notes }) => notes.length === 1)
  })

  test('a node says that it notes no more, or less, where Redis has lost what was recorded', async () => {
    const prefix = prefixed()
    const logger = new RecordingLogger()
    const consumers = ['audit', { name: 'delivery', kinds: ['thing'], details: true }]
    const on = await open({ url: redisUrl(), prefix, partitions: 2, changes: { consumers } }, logger)
    await on.checkHealth()
    expect(on.warnings()).toEqual([])
    await raw.del(`${prefix}:layout`)
    // Another node, which does not ask for as much, was the first to see it.
    await node(prefix, [{ name: 'delivery', kinds: ['thing'] }])
    await on.checkHealth()
    expect(on.warnings()).toEqual([
      expect.stringMatching(/^redis\.changes: "audit", "delivery" .*Redis has lost what was recorded/),
    ])
    expect(logger.entries.filter(({ level }) => level === 'warn')).toEqual([
      expect.objectContaining({ fields: { consumers: ['audit'] } }),
      expect.objectContaining({ fields: { consumers: ['audit', 'delivery'] } }),
    ])
    await on.checkHealth()
    expect(logger.entries.filter(({ level }) => level === 'warn')).toHaveLength(2)
    await node(prefix, consumers)
    await on.checkHealth()
    expect(on.warnings()).toEqual([])
  })

  test('tells a gap once, also where what follows it fails', async () => {
    const on = await node(prefixed(), ['audit'], { maxNotes: 1_000 })
    const begun = await reading(on)
    await begun.reader.close()
    for (let n = 0; n < 1_300; n++) await put(on, 0, `a${n}`)
    const told = new Told()
    let failures = 0
    const reader = on.readChanges(
      'audit',
      {
        ...told.handlers,
        onNotes: async (notes, signal) => {
          if (failures++ < 2) throw new Error('not now')
          await told.handlers.onNotes(notes, signal)
        },
      },
      FAST,
    )
    await told.until(({ notes }) => notes.at(-1)?.key[1] === 'a1299')
    expect(told.gaps).toEqual([{ partition: 0, reason: 'missed' }])
    expect(reader.stats()).toMatchObject({ gaps: 1, failures: 2 })
  })

  test('keeps its partition, and so what was heard, while a consumer fails again and again', async () => {
    const LEASE_MS = 3_000
    const gaps: unknown[] = []
    const outbox = new PartitionOutbox({
      partition: 0,
      handlers: { onGap: (gap) => gaps.push(gap), onNotes: () => Promise.reject(new Error('not now')) },
      leaseMs: LEASE_MS,
      pollMs: 100,
      logger: new RecordingLogger(),
      consumer: 'audit',
      onDone: () => {},
    })
    const reply = {
      state: 'gap',
      notes: [['1-0', ['thing', 'fa', '']]],
      last: '1-0',
      length: 1,
      hasBegun: true,
    }
    const wanted = { details: false, asksFor: () => true }
    for (let n = 0; n < 10; n++) {
      const now = timers.monotonicMs()
      outbox.take(reply as never, { limit: 10, askedAtMs: now, wanted }, now)
      await outbox.told
      expect(outbox.nextAtMs, `after ${n + 1} failures`).toBeLessThanOrEqual(
        outbox.leaseUntilMs - LEASE_MS / 3,
      )
    }
    expect(gaps).toHaveLength(1)
  })

  test('an outbox that is another one is "lost", and what it holds is told', async () => {
    const on = await node(prefixed())
    await ask(on)
    await put(on, 0, 'a')
    await put(on, 0, 'b')
    // The last one that it had is of a stream whose ids were ahead.
    const lost = await ask(on, { had: '99999999999999-0' })
    expect([lost.state, keysOf(lost.notes)]).toEqual(['lost', ['', 'a', 'b']])
    // Also for another node, which knows of nothing.
    const again = await ask(on)
    expect([again.state, again.notes]).toEqual(['lost', lost.notes])
    expect((await ask(on, { had: lost.last })).state).toBe('on')
    await raw.del(on.keys.key(0, 'xn'))
    expect((await ask(on)).state).toBe('lost')
    // A stream that somebody emptied is there, and has no first note.
    await raw.xtrim(on.keys.key(0, 'xn'), 'MAXLEN', 0)
    expect((await ask(on)).state).toBe('lost')
  })

  test('an outbox that has lost its end goes on behind what is recorded', async () => {
    const on = await node(prefixed())
    const { last } = await ask(on)
    await put(on, 0, 'a')
    const { last: had } = await ask(on, { had: last })
    await ask(on, { had })
    await put(on, 0, 'b')
    const lost = await ask(on, { had: '99999999999999-0' })
    expect([lost.state, keysOf(lost.notes)]).toEqual(['lost', ['b']])
    expect((await ask(on, { had: lost.last })).state).toBe('on')
    const none = await ask(on, { had: '99999999999999-0' })
    expect([none.state, none.notes, none.last]).toEqual(['lost', [], lost.last])
    expect((await ask(on, { had: lost.last })).state).toBe('on')
  })

  test('leaves a lease as it is while most of it is left, unless it asks for nothing else', async () => {
    const on = await node(prefixed())
    const lease = on.keys.key(0, 'xl', 'audit')
    await ask(on)
    await raw.pexpire(lease, 50_000)
    await ask(on)
    expect(await raw.pttl(lease)).toBeLessThanOrEqual(50_000)
    await ask(on, { limit: 0 })
    expect(await raw.pttl(lease)).toBeGreaterThan(50_000)
    await raw.pexpire(lease, 40_000)
    await ask(on)
    expect(await raw.pttl(lease)).toBeGreaterThan(50_000)
  })
})
