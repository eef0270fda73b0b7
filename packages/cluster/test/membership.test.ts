import { faultyClient } from '@authstate/conformance'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { eventually, gate } from '../src/conformance/fixture.js'
import type { ViewChange } from '../src/index.js'
import * as scripts from '../src/scripts.js'
import { messages, openWorld, type TestNode, type World } from './nodes.js'

const HEARTBEAT_MS = 600_000
const properties = { heartbeatMs: HEARTBEAT_MS, deadAfterMs: 6 * HEARTBEAT_MS }

describeWith(redis, 'the list of nodes', () => {
  const control = openRedis()
  afterAll(() => control.disconnect())
  let world: World
  beforeEach(() => {
    world = openWorld(control)
  })
  afterEach(() => world.close())

  const open = (name: string, skewMs = 0) =>
    world.node({ name, properties, clock: { now: () => world.clock.now() + skewMs } })
  const names = ({ provider }: TestNode) => provider.view().nodes.map(({ name }) => name)

  /** One heartbeat of each, one after the other. */
  const beat = async (...nodes: readonly TestNode[]) => {
    world.clock.advance(HEARTBEAT_MS)
    for (const node of nodes) await node.provider.refresh()
  }

  test('a node that crashes is gone within deadAfterMs, and not before it was silent for long', async () => {
    const [a, b, c] = [await open('a'), await open('b'), await open('c')]
    const changes: ViewChange[] = []
    a.provider.onViewChange((_, change) => changes.push(change))
    await beat(a, b, c)
    c.crash()
    let beats = 0
    for (; names(a).includes('c'); beats++) await beat(a, b)
    expect(beats).toBeGreaterThanOrEqual(4)
    expect(beats).toBeLessThanOrEqual(6)
    await b.provider.refresh()
    expect([names(a), names(b)]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
    expect(changes.at(-1)?.crashed.map(({ name }) => name)).toEqual(['c'])
    expect(messages(a, 'info').at(-1)).toBe(`view ${a.provider.view().version}: 2 nodes [a, b]`)
  })

  test('one who could not look does not take the others for dead when it can again', async () => {
    const [a, b] = [await open('a'), await open('b')]
    await beat(b, a)
    const { version } = a.provider.view()
    world.clock.advance(100 * HEARTBEAT_MS)
    await a.provider.refresh()
    expect(a.provider.view().version).toBe(version)
    await b.provider.refresh()
    for (let beats = 0; beats < 10; beats++) await beat(a, b)
    expect(names(b)).toEqual(['a', 'b'])
  })

  test('a node that speaks between the look and the step is not taken out', async () => {
    const faulty = faultyClient(control)
    const a = await world.node({
      name: 'a',
      properties,
      clock: world.clock,
      redis: { client: faulty.client, prefix: world.prefix },
    })
    const b = await open('b')
    await beat(b, a)
    const { version } = a.provider.view()
    const [reached, spoken] = [gate(), gate()]
    faulty.arm(scripts.expel, {
      when: 'delay',
      get until() {
        reached.open()
        return spoken.opened
      },
    })
    let looks = 0
    const looking = (async () => {
      for (; looks < 4; looks++) await beat(a)
    })()
    await eventually(() => expect(looks).toBe(3))
    // The look that found it silent is over; its step waits.
    await reached.opened
    await b.provider.refresh()
    spoken.open()
    await looking
    expect(a.provider.view().version).toBe(version)
  })

  test('a node that was only slow joins again and says so', async () => {
    const [a, b] = [await open('a'), await open('b')]
    for (let beats = 0; beats < 6; beats++) await beat(a)
    const said = 'cluster: the other nodes had taken this one for dead; it has joined again'
    await eventually(() => expect(messages(b, 'warn')).toContain(said))
    await eventually(() => expect(names(a)).toEqual(['a', 'b']))
    expect(b.provider.view().version).toBe(a.provider.view().version)
  })

  test.each([-5_000, 5_000])(
    'a clock that is %i ms off keeps nobody alive and kills nobody, and the others say nothing of it',
    async (skewMs) => {
      const [a, b, c] = [await open('a'), await open('b', skewMs), await open('c')]
      for (let beats = 0; beats < 12; beats++) await beat(a, b, c)
      expect(names(a)).toEqual(['a', 'b', 'c'])
      c.crash()
      for (let beats = 0; beats < 6; beats++) await beat(b, a)
      expect(names(b)).toEqual(['a', 'b'])
      expect(messages(a, 'warn').filter((message) => message.includes('clock'))).toEqual([])
    },
  )

  test('a name that crashes again and again leaves nothing behind', async () => {
    const a = await open('a')
    for (let run = 0; run < 5; run++) {
      const b = await open('b')
      await b.provider.publish('topic', run)
      b.crash()
    }
    const c = await open('b')
    await c.provider.publish('topic', 5)
    for (const kind of ['cm', 'cs']) {
      const [key = ''] = await world.key(kind)
      expect([kind, await control.hlen(key)]).toEqual([kind, kind === 'cm' ? 2 : 1])
    }
    await a.provider.refresh()
    expect(names(a)).toEqual(['a', 'b'])
  })

  test('a cluster with thousands of entries is entered, and left', async () => {
    const a = await open('a')
    await a.provider.publish('topic', 1)
    const [members = ''] = await world.key('cm')
    const [senders = ''] = await world.key('cs')
    for (let n = 0; n < 9_000; n += 1_000) {
      const some = Array.from({ length: 1_000 }, (_, index) => n + index)
      await control.hset(
        members,
        Object.fromEntries(some.map((incarnation) => [`x:${incarnation}`, '{"v":9}'])),
      )
      await control.hset(senders, Object.fromEntries(some.map((incarnation) => [`${incarnation}`, '1'])))
    }
    const b = await open('b')
    expect(names(b)).toEqual(['a', 'b'])
    await b.provider.close?.()
  })

  test('a process that starts again under its name replaces the run that did not say good-bye', async () => {
    const [a, b] = [await open('a'), await open('b')]
    await a.provider.refresh()
    const changes: ViewChange[] = []
    a.provider.onViewChange((_, change) => changes.push(change))
    b.crash()
    const again = await open('b')
    await eventually(() => expect(changes).toHaveLength(1))
    expect(changes[0]?.crashed.map(({ incarnation }) => incarnation)).toEqual([b.provider.node.incarnation])
    expect(changes[0]?.joined.map(({ incarnation }) => incarnation)).toEqual([
      again.provider.node.incarnation,
    ])
    expect(names(a)).toEqual(['a', 'b'])
  })

  test('two living processes of one name are both seen', async () => {
    const a = await open('a')
    const [item, two] = [await open('twin'), await open('twin')]
    await item.provider.refresh()
    await eventually(() => expect(names(a)).toEqual(['a', 'twin', 'twin']))
    await two.provider.refresh()
    expect(names(two)).toEqual(['a', 'twin', 'twin'])
  })

  test('a member that cannot be read is nobody, said once', async () => {
    const a = await open('a')
    const [key = ''] = await world.key('cm')
    await control.hset(key, 'future:run', '{"v":2}')
    for (let beats = 0; beats < 2; beats++) await a.provider.refresh()
    expect(names(a)).toEqual(['a'])
    expect(messages(a, 'warn').filter((message) => message.includes('cannot be read'))).toHaveLength(1)
  })

  test('while a node lives, what it has said is kept, however seldom it speaks', async () => {
    const a = await open('a')
    await a.provider.publish('topic', 1)
    const keys = (await Promise.all(['cm', 'cs', 'ce'].map((kind) => world.key(kind)))).flat()
    expect(keys).toHaveLength(3)
    for (const key of keys) await control.pexpire(key, 1_000)
    await a.provider.refresh()
    for (const key of keys) expect(await control.pttl(key)).toBeGreaterThan(60_000)
  })

  test('while Redis is away the view stays, and heartbeats go on by themselves', async () => {
    const a = await world.node({ name: 'a', properties: { heartbeatMs: 20, deadAfterMs: 80 } })
    a.client.disconnect()
    await eventually(() => expect(messages(a, 'warn')).toContain('cluster: a heartbeat failed; going on'))
    expect(names(a)).toEqual(['a'])
    await expect(a.provider.refresh()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    await a.client.connect()
    await eventually(() => expect(messages(a, 'info')).toContain('cluster: heartbeats succeed again'))
    expect(names(a)).toEqual(['a'])
  })
})
