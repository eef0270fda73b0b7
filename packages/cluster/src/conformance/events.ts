import assert from 'node:assert/strict'
import { together } from '@authstate/conformance'
import type { ClusterProvider, PublishOptions } from '../contract.js'
import { type Add, eventually, gate, refuses } from './fixture.js'

/** Collects what a node hears on a topic. */
function hear<E>(provider: ClusterProvider, topic: string): E[] {
  const heard: E[] = []
  provider.subscribe<E>(topic, (event) => void heard.push(event))
  return heard
}

/** Every node has heard everything sent before: events of one sender come in order. */
async function settled(sender: ClusterProvider, receivers: readonly ClusterProvider[]): Promise<void> {
  const marks = receivers.map((receiver) => hear<string>(receiver, 'mark'))
  await sender.publish('mark', 'all was said')
  for (const mark of marks) await eventually(() => assert.equal(mark.length, 1))
}

export function events(add: Add): void {
  add.basic('publish: reaches every listener of the topic, each with a copy', '§12', async ({ provider }) => {
    const event = { list: [1, 'two', null], text: 'a:{b}%😀', deep: { a: true } }
    const seen: unknown[] = []
    const infos: unknown[] = []
    for (let n = 0; n < 2; n++) {
      provider.subscribe<typeof event>('topic', (got, info) => {
        seen.push(structuredClone(got))
        infos.push(info)
        got.deep.a = false
      })
    }
    const other = hear(provider, 'another topic')
    await provider.publish('topic', event)
    event.text = 'changed afterwards'
    await eventually(() => assert.equal(seen.length, 2))
    assert.deepEqual(seen, Array(2).fill({ list: [1, 'two', null], text: 'a:{b}%😀', deep: { a: true } }))
    const { name, incarnation } = provider.node
    const [info] = infos as { topic: string; id: string; sender: object }[]
    assert.equal(info?.topic, 'topic')
    assert.match(info?.id ?? '', /\S/)
    assert.deepEqual(info?.sender, { name, incarnation })
    assert.deepEqual(other, [])
  })

  add.basic('publish: nothing and an empty list are not sent', '§12, B6', async ({ provider }) => {
    const heard = hear(provider, 'topic')
    for (const nothing of [undefined, null, []]) await provider.publish('topic', nothing)
    for (const something of [0, false, '', {}]) await provider.publish('topic', something)
    await settled(provider, [provider])
    assert.deepEqual(heard, [0, false, '', {}])
  })

  add.basic('subscribe: once stopped, nothing more is heard', '§12', async ({ provider }) => {
    const heard: unknown[] = []
    const stop = provider.subscribe('topic', (event) => void heard.push(event))
    await provider.publish('topic', 1)
    await settled(provider, [provider])
    stop()
    stop()
    await provider.publish('topic', 2)
    await provider.publish('mark 2', 3)
    await eventually(() => assert.deepEqual(heard, [1]))
  })

  const matrix: readonly [PublishOptions, string, readonly boolean[]][] = [
    [{ scope: 'all' }, 'all', [true, true, true]],
    [{ scope: 'others' }, 'others', [false, true, true]],
    [{ scope: 'all', skipSender: true }, 'all without the sender', [false, true, true]],
    [{ scope: 'site' }, 'site', [true, true, false]],
    [{ scope: 'site', skipSender: true }, 'site without the sender', [false, true, false]],
    [{ scope: 'other-sites' }, 'other-sites', [false, false, true]],
    [{ scope: 'other-sites', skipSender: true }, 'other-sites without the sender', [false, false, true]],
  ]
  add.cluster('publish: who gets it, by scope', 'B6', async ({ anotherNode }) => {
    const nodes = [
      await anotherNode({ name: 'n1', site: 'A' }),
      await anotherNode({ name: 'n2', site: 'A' }),
      await anotherNode({ name: 'n3', site: 'B' }),
    ]
    const [sender] = nodes as [ClusterProvider]
    const heard = nodes.map((node) => hear<string>(node, 'topic'))
    for (const [options, name] of matrix) await sender.publish('topic', name, options)
    await settled(sender, nodes)
    for (const [index, got] of heard.entries()) {
      assert.deepEqual(
        got,
        matrix.filter(([, , who]) => who[index]).map(([, name]) => name),
        `n${index + 1}`,
      )
    }
  })

  add.cluster('publish: a sender without a site is not told from any', 'B6', async ({ anotherNode }) => {
    const sender = await anotherNode({ name: 'n1' })
    const nodes = [
      sender,
      await anotherNode({ name: 'n2', site: 'A' }),
      await anotherNode({ name: 'n3', site: 'B' }),
    ]
    const heard = nodes.map((node) => hear<string>(node, 'topic'))
    const scopes = ['all', 'site', 'other-sites'] as const
    for (const scope of scopes)
      for (const skipSender of [false, true])
        await sender.publish('topic', `${scope} ${skipSender}`, { scope, skipSender })
    await settled(sender, nodes)
    assert.deepEqual(
      heard[0],
      scopes.map((scope) => `${scope} false`),
    )
    const everything = scopes.flatMap((scope) => [`${scope} false`, `${scope} true`])
    assert.deepEqual(heard.slice(1), [everything, everything])
  })

  add.concurrency(
    'publish: the events of each sender arrive in order, each once, on every node',
    '§12',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode({ name: 'b' }), await anotherNode({ name: 'c' })]
      const heard = nodes.map((node) => hear<readonly [sender: number, number: number]>(node, 'topic'))
      await together(nodes.length * 200, (index) => {
        const sender = index % nodes.length
        return (nodes[sender] as ClusterProvider).publish('topic', [sender, Math.floor(index / nodes.length)])
      })
      for (const got of heard) {
        await eventually(() => assert.equal(got.length, nodes.length * 200))
        for (const sender of nodes.keys()) {
          const numbers = got.filter(([from]) => from === sender).map(([, number]) => number)
          assert.deepEqual(
            numbers,
            Array.from({ length: 200 }, (_, number) => number),
          )
        }
      }
    },
  )

  add.basic(
    'subscribe: a listener that throws, rejects or never ends holds up no other',
    '§12',
    async ({ provider }) => {
      provider.subscribe('topic', () => {
        throw new Error('throws')
      })
      provider.subscribe('topic', async () => {
        throw new Error('rejects')
      })
      provider.subscribe('topic', () => new Promise<void>(() => {}))
      const heard = hear(provider, 'topic')
      for (let n = 0; n < 3; n++) await provider.publish('topic', n)
      await eventually(() => assert.deepEqual(heard, [0, 1, 2]))
    },
  )

  add.basic('subscribe: a listener gets one event at a time, in order', '§12', async ({ provider }) => {
    const gates = [gate(), gate(), gate()]
    const begun: number[] = []
    provider.subscribe<number>('topic', async (n) => {
      begun.push(n)
      await gates[n]?.opened
    })
    for (let n = 0; n < 3; n++) await provider.publish('topic', n)
    await settled(provider, [provider])
    assert.deepEqual(begun, [0])
    gates[0]?.fail(new Error('the first fails'))
    await eventually(() => assert.deepEqual(begun, [0, 1]))
    gates[1]?.open()
    await eventually(() => assert.deepEqual(begun, [0, 1, 2]))
  })

  add.basic(
    'publish: a topic of this library cannot be reached by its name',
    '§19 row 16',
    async ({ provider }) => {
      const heard = hear(provider, 'task-finished')
      await provider.publish('task-finished', { key: 'k', fence: 1 })
      await eventually(() => assert.equal(heard.length, 1))
      assert.deepEqual(await provider.runOnce('k', {}, () => 'ran'), { executed: true, result: 'ran' })
    },
  )

  add.basic('misuse: topics, events, options', 'house rules', async ({ provider }) => {
    for (const wrong of [undefined, null, 7, '', 'x'.repeat(513), 'lone \ud800'] as never[]) {
      await refuses('topic', () => provider.publish(wrong, 1))
      await refuses('topic', () => provider.subscribe(wrong, () => {}))
    }
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    for (const wrong of [1n, () => {}, Symbol('s'), cycle])
      await refuses('event', () => provider.publish('t', wrong))
    await refuses('event', () => provider.publish('t', 'x'.repeat(4_096)), RangeError)
    await refuses('scope', () => provider.publish('t', 1, { scope: 'everybody' as never }))
    await refuses('skipSender', () => provider.publish('t', 1, { skipSender: 1 as never }))
    await refuses('options', () => provider.publish('t', 1, 'all' as never))
  })
}
