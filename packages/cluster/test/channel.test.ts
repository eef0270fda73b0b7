import { faultyClient } from '@authstate/conformance'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { killReaders, openRedis, readerIds } from '../../../tools/testing/redis-targets.js'
import { eventually } from '../src/conformance/fixture.js'
import type { ChannelStatus, ClusterProvider, GapReason } from '../src/index.js'
import * as scripts from '../src/scripts.js'
import { messages, openWorld, type World } from './nodes.js'

/** Everything a node hears on a topic, and the gaps. */
function hear(provider: ClusterProvider, topic = 'topic') {
  const numbers: number[] = []
  const gaps: GapReason[] = []
  provider.subscribe<number>(topic, (n) => void numbers.push(n), {
    onGap: (reason) => void gaps.push(reason),
  })
  return { numbers, gaps }
}

/** An event as a node called a would send it. */
const wire = (n: number) => JSON.stringify({ v: 1, t: 'atopic', e: String(n), c: 'all', n: 'a' })

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

describeWith(redis, 'the work channel', () => {
  const control = openRedis()
  afterAll(() => control.disconnect())
  let world: World
  beforeEach(() => {
    world = openWorld(control)
  })
  afterEach(() => world.close())

  test('100 readers killed under load: nothing is lost, nothing comes twice, no order is changed', {
    timeout: 60_000,
  }, async () => {
    const nodes = [await world.node({ name: 'a' }), await world.node({ name: 'b' })]
    const heard = nodes.map(({ provider }) => hear(provider))
    const states: ChannelStatus['state'][] = []
    nodes[1]?.provider.onChannelChange(({ state }) => states.push(state))
    let sent = 0
    let killed = 0
    while (killed < 100) {
      const batch = Array.from({ length: 5 }, () => nodes[0]?.provider.publish('topic', sent++))
      const [found] = await Promise.all([killReaders(control), ...batch])
      killed += found
    }
    for (const { numbers, gaps } of heard) {
      await eventually(() => expect(numbers).toHaveLength(sent))
      expect(numbers).toEqual(upTo(sent))
      expect(gaps).toEqual([])
    }
    expect(sent).toBeGreaterThan(killed)
    expect(states.filter((state) => state === 'disconnected').length).toBeGreaterThan(10)
    await eventually(() => expect(nodes[1]?.provider.channel().state).toBe('live'))
  })

  test('the state of the channel is told as it changes', async () => {
    const { provider } = await world.node()
    const states: ChannelStatus['state'][] = []
    provider.onChannelChange(() => {
      throw new Error('a listener that fails')
    })
    provider.onChannelChange(({ state }) => states.push(state))
    await killReaders(control)
    await eventually(() => expect(states).toEqual(['disconnected', 'catching-up', 'live']))
  })

  test('heardAt moves on while nothing is sent', async () => {
    const { provider } = await world.node({ properties: { readWaitMs: 20 } })
    const before = provider.channel().heardAt
    await eventually(() => expect(provider.channel().heardAt).toBeGreaterThan(before))
  })

  test('a channel that lost its beginning while the reader was away: a gap, then what is left', async () => {
    const [a, b] = [await world.node({ name: 'a' }), await world.node({ name: 'b' })]
    const { numbers, gaps } = hear(b.provider)
    await a.provider.publish('topic', 0)
    await eventually(() => expect(numbers).toEqual([0]))
    const [events = ''] = await world.key('ce')
    const [senders = ''] = await world.key('cs')
    const sender = a.provider.node.incarnation
    // In one step: the readers are cut off, events come, and all but the last are trimmed.
    const step = control.multi()
    for (const id of await readerIds(control)) step.client('KILL', 'ID', id)
    for (const n of [2, 3, 4]) step.xadd(events, '*', 's', sender, 'n', n, 'e', wire(n - 1))
    await step.hset(senders, sender, 4).xtrim(events, 'MAXLEN', 1).exec()
    await eventually(() => expect(numbers).toEqual([0, 3]))
    expect(gaps).toEqual(['trimmed'])
  })

  test('a store that went back in time: a gap, and what it has is delivered', async () => {
    const [a, b] = [await world.node({ name: 'a' }), await world.node({ name: 'b' })]
    const { numbers, gaps } = hear(b.provider)
    for (const n of upTo(3)) await a.provider.publish('topic', n)
    await eventually(() => expect(numbers).toEqual([0, 1, 2]))
    const [events = ''] = await world.key('ce')
    const [senders = ''] = await world.key('cs')
    // What a replica had that was promoted: younger ids are gone, old events are there, one nobody here has seen.
    const sender = a.provider.node.incarnation
    const step = control.multi().del(events)
    for (const n of [1, 2, 3, 4]) step.xadd(events, `1-${n}`, 's', sender, 'n', n, 'e', wire(n - 1))
    await step.hset(senders, sender, 4).exec()
    await killReaders(control)
    await eventually(() => expect(gaps).toContain('lost'))
    await eventually(() => expect(numbers).toEqual([0, 1, 2, 3]))
  })

  test('an event that the store acknowledged and lost: the next heartbeat tells', async () => {
    const [a, b] = [await world.node({ name: 'a' }), await world.node({ name: 'b' })]
    const { numbers, gaps } = hear(b.provider)
    await a.provider.publish('topic', 0)
    await eventually(() => expect(numbers).toEqual([0]))
    const [events = ''] = await world.key('ce')
    // Taken out in the step that adds it: nobody can read it.
    await control
      .multi()
      .hset((await world.key('cs'))[0] ?? '', a.provider.node.incarnation, 2)
      .exec()
    const stored = a.provider.publish('topic', 1)
    await stored
    await control.xtrim(events, 'MAXLEN', 1)
    await a.provider.refresh()
    await eventually(async () => {
      await b.provider.refresh()
      expect(gaps).toEqual(['lost'])
    })
    expect(numbers).toEqual([0])
  })

  test('a reply that was lost: the event is stored once and everybody is content', async () => {
    const faulty = faultyClient(control)
    const b = await world.node({ name: 'b' })
    const a = await world.node({ name: 'a', redis: { client: faulty.client, prefix: world.prefix } })
    const { numbers, gaps } = hear(b.provider)
    for (const n of upTo(10)) {
      faulty.arm(scripts.publish, {
        when: n % 2 === 0 ? 'after' : 'before',
        error: new Error('Connection is closed.'),
      })
      await a.provider.publish('topic', n)
    }
    await eventually(() => expect(numbers).toEqual(upTo(10)))
    expect(gaps).toEqual([])
  })

  test('an event that cannot be stored in time is an error for its sender and a gap for the others', async () => {
    const faulty = faultyClient(control)
    const b = await world.node({ name: 'b' })
    const a = await world.node({
      name: 'a',
      redis: { client: faulty.client, prefix: world.prefix },
      properties: { publishTimeoutMs: 60 },
    })
    const { numbers, gaps } = hear(b.provider)
    await a.provider.publish('topic', 0)
    for (let n = 0; n < 6; n++)
      faulty.arm(scripts.publish, { when: 'before', error: new Error('Connection is closed.') })
    await expect(a.provider.publish('topic', 1)).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      applied: 'unknown',
    })
    await eventually(() => expect(gaps).toEqual(['abandoned']))
    await a.provider.publish('topic', 2)
    await eventually(() => expect(numbers).toEqual([0, 2]))
    expect(messages(a, 'warn').filter((message) => message.includes('given up'))).toHaveLength(1)
  })

  test('an outage: every event is settled in its time, too many at once are refused, and it is said how many', async () => {
    const b = await world.node({ name: 'b' })
    const a = await world.node({ name: 'a', properties: { publishTimeoutMs: 100 } })
    const { numbers, gaps } = hear(b.provider)
    await a.provider.publish('topic', 0)
    a.client.disconnect()
    const unavailable = { code: 'ERR_STORE_UNAVAILABLE' }
    await expect(a.provider.publish('topic', 1)).rejects.toMatchObject(unavailable)
    // After one was given up, the next are settled as well.
    for (let n = 2; n < 5; n++)
      await expect(a.provider.publish('topic', n)).rejects.toMatchObject(unavailable)
    const flood = await Promise.allSettled(upTo(25_000).map((n) => a.provider.publish('topic', n)))
    expect(flood.every(({ status }) => status === 'rejected')).toBe(true)
    const refused = flood.filter(
      (outcome) => outcome.status === 'rejected' && /wait to be stored/.test(outcome.reason.message),
    )
    expect(refused.length).toBeGreaterThanOrEqual(4_000)
    expect((refused[0] as PromiseRejectedResult).reason).toMatchObject({ ...unavailable, applied: 'no' })
    await a.client.connect()
    await eventually(() => expect(gaps).toEqual(['abandoned']))
    await a.provider.publish('topic', 5)
    await eventually(() => expect(numbers).toEqual([0, 5]))
    expect(messages(a, 'warn').filter((message) => message.includes('given up'))).toHaveLength(1)
    const back = a.logger.entries.filter(({ message }) => message.includes('takes events again'))
    expect(back.map(({ fields }) => fields)).toEqual([{ events: 25_004 }])
  })

  test('a channel that is something else is an error, and its sender does not run in circles', async () => {
    const a = await world.node({ name: 'a' })
    const [events = ''] = await world.key('ce')
    await control.del(events)
    await control.set(events, 'foreign')
    for (let n = 0; n < 2; n++) {
      await expect(a.provider.publish('topic', n)).rejects.toMatchObject({ code: 'ERR_STORE_CORRUPT' })
    }
    let turns = 0
    const until = performance.now() + 50
    while (performance.now() < until) {
      await new Promise((resolve) => setImmediate(resolve))
      turns += 1
    }
    expect(turns).toBeGreaterThan(50)
    expect(await control.get(events)).toBe('foreign')
  })

  test('an event that cannot be read is a gap, and the next is heard', async () => {
    const [a, b] = [await world.node({ name: 'a' }), await world.node({ name: 'b' })]
    const { numbers, gaps } = hear(b.provider)
    await a.provider.publish('topic', 0)
    const [events = ''] = await world.key('ce')
    for (const text of ['{', '{"v":2}'])
      await control.xadd(events, '*', 's', 'other', 'n', text.length, 'e', text)
    await a.provider.publish('topic', 1)
    await eventually(() => expect(numbers).toEqual([0, 1]))
    expect(gaps).toContain('lost')
    expect(messages(b, 'warn').filter((message) => message.includes('cannot be read'))).toHaveLength(1)
  })

  test('a listener that is too slow for its queue is told what it missed, the others are not', async () => {
    const a = await world.node({ name: 'a' })
    const quick = hear(a.provider)
    const slow: (number | GapReason)[] = []
    let release: () => void = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    a.provider.subscribe<number>(
      'topic',
      (n) => {
        slow.push(n)
        return released
      },
      { onGap: (reason) => void slow.push(reason) },
    )
    const count = 10_100
    await Promise.all(upTo(count).map((n) => a.provider.publish('topic', n)))
    await eventually(() => expect(quick.numbers).toHaveLength(count))
    expect(slow).toEqual([0])
    release()
    await eventually(() => expect(slow.at(-1)).toBe(count - 1))
    expect(slow[1]).toBe('overrun')
    expect(quick.gaps).toEqual([])
  })

  test('the channel stays within its bound', async () => {
    const a = await world.node({ name: 'a', properties: { channelLength: 100 } })
    await Promise.all(upTo(3_000).map((n) => a.provider.publish('topic', n)))
    const [events = ''] = await world.key('ce')
    expect(await control.xlen(events)).toBeLessThan(300)
  })

  test('a node that closes sends what it was asked to send', async () => {
    const [a, b] = [await world.node({ name: 'a' }), await world.node({ name: 'b' })]
    const { numbers } = hear(b.provider)
    const sending = upTo(500).map((n) => a.provider.publish('topic', n))
    await a.provider.close?.()
    await Promise.all(sending)
    await eventually(() => expect(numbers).toEqual(upTo(500)))
  })

  test('Redis away at the start is an error, not a node without a channel', async () => {
    const client = openRedis()
    client.disconnect()
    await expect(
      world.node({ redis: { client, prefix: world.prefix, connectTimeoutMs: 200 } }),
    ).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    })
  })
})
