import { afterAll, describe, expect, test } from 'vitest'
import { cluster, clusterNodes, describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { type ChangeConsumer, connect, defineScript, Noting, recordedAs } from '../src/index.js'
import { FAST, node, prefixIn, put, reading, Told, write } from './changes-support.js'
import { failureOf, freshPrefix, open } from './support.js'

const noting = (...consumers: ChangeConsumer[]) => new Noting(recordedAs(consumers), 1_000)

describe('the text of a script', () => {
  test('has no line of notes while nobody asks', () => {
    expect(write.lua).not.toMatch(/--@|changed|XADD|cjson/)
    expect(write.lua.split('\n')).toHaveLength(write.annotated.split('\n').length - 4)
  })

  test('is the same for a consumer that asks for other kinds', () => {
    expect(noting({ name: 'audit', kinds: ['other'] }).script(write)).toBe(write)
  })

  test('notes what is asked for, and gathers details only for who asked', () => {
    const all = noting({ name: 'audit' }).script(write).lua
    expect(all.match(/changed\('thing'/g)).toHaveLength(2)
    expect(all).not.toContain('cjson')
    const endings = noting({ name: 'delivery', kinds: ['thing'], notes: 'endings', details: true }).script(
      write,
    ).lua
    expect(endings.match(/changed\('thing'/g)).toHaveLength(1)
    expect(endings).toContain("changed('thing', KEYS[1], 'removal', gone)")
    expect(endings).toContain('cjson')
  })

  test('is made once', () => {
    const asked = noting({ name: 'audit' })
    expect(asked.script(write)).toBe(asked.script(write))
  })

  test('refuses a line that does not say what it notes', () => {
    const defining = (line: string) => () => defineScript({ ...write, lua: `${line}\nreturn 1` })
    for (const line of [
      "--@ changed('thing', KEYS[1], how)",
      "--@ if a then changed('thing', KEYS[1], 'full') else changed('thing', KEYS[1], how) end",
    ]) {
      expect(defining(line), line).toThrow(`${line.slice(4)}`)
      expect(defining(line), line).toThrow(/must say changed\('kind', key, /)
    }
    for (const line of [
      "--@changed('thing', KEYS[1], 'full')",
      "--@detail changed('thing', KEYS[1], 'full')",
      "\t--@ changed('thing', KEYS[1], 'full')",
      "return 1 --@ changed('thing', KEYS[1], 'full')",
      '--@ ',
    ]) {
      expect(defining(line), line).toThrow(line.trim())
    }
    expect(() => defineScript({ ...write, lua: "--@ changed('thing', KEYS[1], 'full')" })).toThrow(
      'another line follows',
    )
  })

  test('takes lines that stand further in', () => {
    const lua = "  --@   changed('thing', KEYS[1], 'full')\nreturn 1"
    expect(noting({ name: 'audit' }).script(defineScript({ ...write, lua })).lua).toContain(
      "    changed('thing', KEYS[1], 'full')\nreturn 1",
    )
  })

  test('notes with all lines of which some consumer asks for one', () => {
    const line = "--@ if a then changed('thing', KEYS[1], 'full') else changed('other', KEYS[1], 'touch') end"
    const script = defineScript({ ...write, lua: `${line}\nreturn 1` })
    expect(noting({ name: 'audit', kinds: ['other'] }).script(script).lua).toContain(line.slice(4))
    expect(noting({ name: 'audit', kinds: ['more'] }).script(script)).toBe(script)
  })
})

describeWith(redis, 'changes', () => {
  const raw = openRedis()
  afterAll(() => raw.disconnect())

  const prefixed = () => prefixIn(raw)

  test('nobody asks: nothing is noted, and no command more is sent', async () => {
    const none = await open({ url: redisUrl(), prefix: prefixed(), partitions: 2 })
    await put(none, 0, 'a')
    const calls = async () =>
      [...(await raw.info('commandstats')).matchAll(/^cmdstat_(xadd|xlen|xtrim):calls=(\d+)/gm)].map(
        ([, name, n]) => `${name} ${n}`,
      )
    const before = await calls()
    await put(none, 0, 'a')
    await put(none, 0, 'a', '')
    expect(await calls()).toEqual(before)
    expect(await raw.exists(none.keys.key(0, 'xn'))).toBe(0)
  })

  test('a consumer is told that it begins, and of what changes from then on, in order', async () => {
    const on = await node(prefixed(), [{ name: 'audit', details: true }])
    await put(on, 0, 'before')
    const { told, reader } = await reading(on)
    expect(told.gaps.map(({ partition, reason }) => `${partition} ${reason}`).sort()).toEqual([
      '0 begun',
      '1 begun',
    ])
    for (let n = 0; n < 20; n++) await put(on, 0, `a${n}`)
    await put(on, 1, 'b:b')
    await put(on, 0, 'a0', '')
    await told.until(({ notes }) => notes.length === 22)
    const of0 = told.notes.filter(({ partition }) => partition === 0)
    expect(of0.map(({ key }) => key[1])).toEqual([...Array.from({ length: 20 }, (_, n) => `a${n}`), 'a0'])
    expect(told.notes.find(({ partition }) => partition === 1)).toMatchObject({
      kind: 'thing',
      key: ['tt', 'b:b'],
      how: 'full',
    })
    expect(of0.at(-1)).toMatchObject({
      how: 'removal',
      ended: {
        userId: 'al:ice',
        reason: 'removed',
        at: 17,
        clients: [{ clientId: 'shop', nodeHost: 'n1', applicationSessionId: 's-1' }, { clientId: 'pay' }],
      },
    })
    expect(reader.stats()).toMatchObject({
      consumer: 'audit',
      partitions: 2,
      notes: 22,
      gaps: 0,
      failures: 0,
    })
  })

  test('what a consumer has had goes, behind the slowest', async () => {
    const prefix = prefixed()
    const on = await node(prefix, ['audit', 'sites'])
    const sites = await reading(on, 'sites')
    await sites.reader.close()
    const { told } = await reading(on)
    for (let n = 0; n < 600; n++) await put(on, 0, `a${n}`)
    await told.until(({ notes }) => notes.length >= 600)
    expect(await raw.xlen(on.keys.key(0, 'xn'))).toBeGreaterThanOrEqual(600)
    const again = await reading(on, 'sites')
    await again.told.until(({ notes }) => notes.length >= 600)
    await again.reader.close()
    // In whole nodes of a stream.
    expect(await raw.xlen(on.keys.key(0, 'xn'))).toBeLessThan(250)
    expect(new Set(again.told.keys).size).toBe(600)
  })

  test('a handler that fails is told the same again, and nothing behind it before', async () => {
    const on = await node(prefixed())
    const begun = await reading(on)
    await begun.reader.close()
    for (let n = 0; n < 5; n++) await put(on, 0, `a${n}`)
    const told = new Told()
    let failures = 0
    const reader = on.readChanges(
      'audit',
      {
        onNotes: async (notes, signal) => {
          if (failures++ < 2) throw new Error('not now')
          await told.handlers.onNotes(notes, signal)
        },
      },
      FAST,
    )
    await told.until(({ notes }) => notes.length === 5)
    expect(told.notes.map(({ key }) => key[1])).toEqual(['a0', 'a1', 'a2', 'a3', 'a4'])
    expect(reader.stats().failures).toBe(2)
  })

  test('one node tells at a time; another goes on at once where it ends', async () => {
    const prefix = prefixed()
    const [a, b] = [await node(prefix), await node(prefix)]
    const first = await reading(a)
    const second = new Told()
    const other = b.readChanges('audit', second.handlers, { pollMs: 1, leaseMs: 30 })
    await put(b, 0, 'a')
    await first.told.until(({ notes }) => notes.length === 1)
    expect(second.notes).toEqual([])
    expect(other.stats().partitions).toBe(0)
    await a.close()
    await put(b, 0, 'b')
    await second.until(({ notes }) => notes.length > 0)
    expect(second.keys).toEqual(['full tt b'])
    expect(second.gaps).toEqual([])
  })

  test('notes that the cap took away are a gap, told before what follows, and by health for a while', async () => {
    const prefix = prefixed()
    const on = await node(prefix, ['audit'], { maxNotes: 1_000 })
    const begun = await reading(on)
    await begun.reader.close()
    for (let n = 0; n < 1_300; n++) await put(on, 0, `a${n}`)
    const told = new Told()
    const reader = on.readChanges('audit', told.handlers, FAST)
    await told.until(({ notes }) => notes.at(-1)?.key[1] === 'a1299')
    expect(told.gaps).toEqual([{ partition: 0, reason: 'missed' }])
    expect(told.notes.length).toBeLessThan(1_200)
    expect(told.notes.length).toBeGreaterThanOrEqual(1_000)
    expect(reader.stats().gaps).toBe(1)
    expect(on.warnings()).toEqual([
      expect.stringContaining('the consumer "audit" of changes missed changes: in 1 partitions'),
    ])
  })

  test('a gap is told again until it was heard', async () => {
    const on = await node(prefixed())
    let asked = 0
    const told = new Told()
    on.readChanges(
      'audit',
      {
        ...told.handlers,
        onGap: async (gap, signal) => {
          if (asked++ < 2) throw new Error('not now')
          await told.handlers.onGap?.(gap, signal)
        },
      },
      FAST,
    )
    await told.until(({ gaps }) => gaps.length === 2)
    expect(asked).toBe(4)
  })

  test('Redis that lost everything is a gap, and what follows is told', async () => {
    const prefix = prefixed()
    const on = await node(prefix)
    const { told } = await reading(on)
    await put(on, 0, 'a')
    await told.until(({ notes }) => notes.length === 1)
    await raw.del(...(await raw.keys(`${prefix}:*`)))
    await told.until(({ gaps }) => gaps.length === 4)
    expect(told.gaps.slice(2).map(({ reason }) => reason)).toEqual(['lost', 'lost'])
    await put(on, 0, 'b')
    await told.until(({ notes }) => notes.some(({ key }) => key[1] === 'b'))
    await on.checkHealth()
    expect(await raw.hget(`${prefix}:layout`, 'c:audit')).toBe('*.all')
  })

  test('an outbox that somebody deleted is a gap', async () => {
    const on = await node(prefixed())
    const { told } = await reading(on)
    await put(on, 0, 'a')
    await told.until(({ notes }) => notes.length === 1)
    await raw.del(on.keys.key(0, 'xn'))
    await told.until(({ gaps }) => gaps.length === 3)
    expect(told.gaps.at(-1)).toEqual({ partition: 0, reason: 'lost' })
    await put(on, 0, 'b')
    await told.until(({ notes }) => notes.some(({ key }) => key[1] === 'b'))
  })

  test('survives a server that forgot the scripts', async () => {
    const on = await node(prefixed())
    const { told } = await reading(on)
    await raw.script('FLUSH')
    await put(on, 0, 'a')
    await told.until(({ notes }) => notes.length === 1)
  })

  test('a node that does not know a consumer does not start, and says what to do', async () => {
    const prefix = prefixed()
    await node(prefix, ['audit', 'sites'])
    const error = await failureOf(
      connect({ url: redisUrl(), prefix, partitions: 2, changes: { consumers: ['audit'] } }),
    )
    expect(error).toMatchObject({ code: 'ERR_PROVIDER_CONFIGURATION' })
    expect((error as Error).message).toMatch(
      /^redis\.changes: .* "sites" .*redis\.changes\.consumers.*redis\.changes\.drop/,
    )
    expect(await failureOf(connect({ url: redisUrl(), prefix, partitions: 2 }))).toMatchObject({
      message: expect.stringContaining('"audit", "sites"'),
    })
  })

  test('a node that is refused for a consumer leaves what is recorded as it is', async () => {
    const prefix = prefixed()
    await node(prefix, ['audit', 'sites'])
    const before = await raw.hgetall(`${prefix}:layout`)
    const changes = { consumers: ['adit', { name: 'sites', details: true }] }
    const error = await failureOf(connect({ url: redisUrl(), prefix, partitions: 2, changes }))
    expect((error as Error).message).toContain('tells "audit" of changes')
    expect(await raw.hgetall(`${prefix}:layout`)).toEqual(before)
    const dropping = { drop: ['audit'] }
    const refused = await failureOf(connect({ url: redisUrl(), prefix, partitions: 2, changes: dropping }))
    expect((refused as Error).message).toContain('tells "sites" of changes')
    expect(await raw.hgetall(`${prefix}:layout`)).toEqual(before)
    await node(prefix, ['audit', 'sites'])
  })

  test('nodes that run learn a consumer that was added, and what one asks for besides', async () => {
    const prefix = prefixed()
    const old = await node(prefix, [])
    await put(old, 0, 'a')
    expect(await raw.exists(old.keys.key(0, 'xn'))).toBe(0)
    const added = await node(prefix, [{ name: 'audit', notes: 'endings' }])
    await old.checkHealth()
    await put(old, 0, 'b')
    await put(old, 0, 'b', '')
    expect(await raw.xlen(old.keys.key(0, 'xn'))).toBe(1)
    await node(prefix, [{ name: 'audit', kinds: ['thing'], details: true }])
    await Promise.all([old.checkHealth(), added.checkHealth()])
    expect(await raw.hget(`${prefix}:layout`, 'c:audit')).toBe('*.endings details thing.all')
    await put(old, 0, 'c')
    await put(added, 0, 'c', '')
    const notes = (await raw.xrange(old.keys.key(0, 'xn'), '-', '+')).map(([, fields]) => fields.length)
    expect(notes).toEqual([2, 2, 4])
  })

  test('a consumer that is dropped leaves nothing, and running nodes note nothing more', async () => {
    const prefix = prefixed()
    const old = await node(prefix, ['audit'])
    const { reader } = await reading(old)
    await reader.close()
    await put(old, 0, 'a')
    await node(prefix, [], { drop: ['audit'] })
    await old.checkHealth()
    await put(old, 0, 'b')
    expect((await raw.keys(`${prefix}:*`)).sort()).toEqual(
      [`${prefix}:layout`, old.keys.key(0, 'tt', 'a'), old.keys.key(0, 'tt', 'b')].sort(),
    )
    expect(
      await failureOf(Promise.resolve().then(() => old.readChanges('audit', { onNotes: () => {} }))),
    ).toMatchObject({
      code: 'ERR_PROVIDER_CONFIGURATION',
    })
  })

  test('refuses what it cannot work with', async () => {
    const on = await node(prefixed())
    const asks = (handlers: unknown, options?: unknown) => () =>
      on.readChanges('audit', handlers as never, options as never)
    expect(asks({})).toThrow('"handlers.onNotes" must be a function')
    expect(asks({ onNotes: () => {}, onGaps: () => {} })).toThrow('onGaps')
    expect(asks({ onNotes: () => {}, onGap: 1 })).toThrow('"handlers.onGap" must be a function')
    expect(asks({ onNotes: () => {} }, { pollMs: 0 })).toThrow(
      '"options.pollMs" must be a whole number from 1',
    )
    expect(() => on.readChanges('adit', { onNotes: () => {} })).toThrow('no consumer "adit" is recorded')
    const wrong = (changes: object) => failureOf(connect({ url: redisUrl(), prefix: prefixed(), changes }))
    expect(await wrong({ consumers: ['Audit'] })).toMatchObject({
      message: expect.stringContaining('redis.changes.consumers'),
    })
    expect(await wrong({ consumers: ['a', 'a'] })).toMatchObject({
      message: expect.stringContaining('each of its consumers once'),
    })
    expect(await wrong({ consumers: ['a'], drop: ['a'] })).toMatchObject({
      message: expect.stringContaining('must not drop'),
    })
    expect(await wrong({ consumer: ['a'] })).toMatchObject({
      message: expect.stringContaining('redis.changes'),
    })
  })

  test('closing waits for the handler that runs, and lets its notes not come again', async () => {
    const prefix = prefixed()
    const on = await node(prefix)
    const begun = await reading(on)
    await begun.reader.close()
    await put(on, 0, 'a')
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let enter = () => {}
    const entered = new Promise<void>((resolve) => {
      enter = resolve
    })
    const reader = on.readChanges(
      'audit',
      {
        onNotes: () => {
          enter()
          return held
        },
      },
      FAST,
    )
    await entered
    const closed = reader.close()
    release()
    await closed
    await put(on, 0, 'b')
    const { told } = await reading(on)
    await told.until(({ notes }) => notes.length > 0)
    expect(told.keys).toEqual(['full tt b'])
  })
})

describeWith(cluster, 'changes on a Cluster', () => {
  test('each partition tells in its slot', async () => {
    const prefix = freshPrefix()
    const changes = { consumers: ['audit'] }
    const on = await open({ nodes: clusterNodes(), prefix, partitions: 16, changes })
    const told = new Told()
    const reader = on.readChanges('audit', told.handlers, FAST)
    await told.until(({ gaps }) => gaps.length === 16)
    const write16 = (value: string) =>
      on.runEach(
        write,
        on.keys.all.map((partition) => ({
          keys: { thing: on.keys.key(partition, 'tt', 'a') },
          args: { value },
        })),
      )
    await write16('x')
    await write16('')
    await told.until(({ notes }) => notes.length === 32)
    for (const partition of on.keys.all) {
      expect(told.notes.filter((note) => note.partition === partition).map(({ how }) => how)).toEqual([
        'full',
        'removal',
      ])
    }
    await reader.close()
    await open({ nodes: clusterNodes(), prefix, partitions: 16, changes: { drop: ['audit'] } })
  })
})
