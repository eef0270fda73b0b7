import assert from 'node:assert/strict'
import { logsErrors } from '@authstate/conformance'
import { ProviderClosedError } from '@authstate/spi'
import type { ClusterProvider, ViewChange } from '../contract.js'
import { type Add, eventually, namesOf, refuses } from './fixture.js'

/** Notes views and what changed, as lines. */
function watch(provider: ClusterProvider): string[] {
  const lines: string[] = []
  provider.onViewChange(({ version, nodes }, change) => {
    const said = (['joined', 'left', 'crashed'] as const satisfies readonly (keyof ViewChange)[]).flatMap(
      (what) => change[what].map(({ name }) => `${name} ${what}`),
    )
    lines.push(`${version}: ${said.join(', ')} [${nodes.map(({ name }) => name).join(', ')}]`)
  })
  return lines
}

export function views(add: Add): void {
  add.basic('view: a node that is alone sees itself', '§12', async ({ provider, clock }) => {
    const { nodes, version } = provider.view()
    assert.deepEqual(nodes, [provider.node])
    assert.equal(version, 1)
    assert.equal(provider.node.joinedAt, clock.now())
    assert.deepEqual((await provider.refresh()).nodes, [provider.node])
    assert.equal(provider.view().version, 1, 'looking changes nothing')
  })

  add.cluster(
    'view: every node sees the others join and leave, in views that all count alike',
    '§12',
    async ({ provider, anotherNode }) => {
      const lines = watch(provider)
      const b = await anotherNode({ name: 'b' })
      const c = await anotherNode({ name: 'c' })
      for (const node of [provider, b, c]) {
        await eventually(() => assert.equal(node.view().version, 3))
        assert.deepEqual(node.view(), c.view())
      }
      await b.close?.()
      await eventually(() => assert.equal(c.view().version, 4))
      await eventually(() => assert.equal(provider.view().version, 4))
      const me = provider.node.name
      const all = (...names: string[]) => `[${names.sort().join(', ')}]`
      assert.deepEqual(lines, [
        `2: b joined ${all(me, 'b')}`,
        `3: c joined ${all(me, 'b', 'c')}`,
        `4: b left ${all(me, 'c')}`,
      ])
    },
  )

  add.cluster(
    'view: a node tells its site and its route, under any name',
    '§12',
    async ({ provider, anotherNode }) => {
      const name = 'n:{1}%😀 '
      const other = await anotherNode({ name, site: 's:1', route: 'r 1' })
      await eventually(() => assert.ok(namesOf(provider).includes(name)))
      const seen = provider.view().nodes.find((node) => node.name === name)
      assert.deepEqual(seen, other.node)
      assert.deepEqual({ site: seen?.site, route: seen?.route }, { site: 's:1', route: 'r 1' })
    },
  )

  add.cluster(
    'onViewChange: a listener that throws or rejects disturbs nobody, one that stopped hears nothing',
    '§12',
    async ({ provider, anotherNode, logger }) => {
      provider.onViewChange(() => {
        throw new Error('a listener that fails')
      })
      provider.onViewChange(async () => {
        throw new Error('an async listener that fails')
      })
      const versions: number[] = []
      const stop = provider.onViewChange(({ version }) => versions.push(version))
      await anotherNode({ name: 'b' })
      await eventually(() => assert.deepEqual(versions, [2]))
      await logsErrors(logger, 2)
      stop()
      await anotherNode({ name: 'c' })
      await eventually(() => assert.equal(provider.view().version, 3))
      assert.deepEqual(versions, [2])
    },
  )

  add.cluster(
    'startedAt: that of the first node, on every node, whoever is left',
    '§12',
    async ({ provider, anotherNode, clock }) => {
      const first = await provider.startedAt()
      assert.equal(first, clock.now())
      clock.advance(5_000)
      const other = await anotherNode({ name: 'b' })
      assert.equal(await other.startedAt(), first)
      await provider.close?.()
      const third = await anotherNode({ name: 'c' })
      assert.equal(await third.startedAt(), first)
    },
  )

  add.basic('misuse: listeners that are none', 'house rules', async ({ provider }) => {
    for (const wrong of [undefined, 7, {}] as never[]) {
      await refuses('listener', () => provider.onViewChange(wrong))
      await refuses('listener', () => provider.onChannelChange(wrong))
      await refuses('listener', () => provider.subscribe('t', wrong))
    }
    await refuses('onGap', () => provider.subscribe('t', () => {}, { onGap: 7 as never }))
  })

  add.basic(
    'close: what is used afterwards says so; closing twice is closing once',
    'house rules',
    async ({ provider }) => {
      const session = provider.lockSession()
      await provider.close?.()
      await provider.close?.()
      for (const use of [
        () => provider.view(),
        () => provider.refresh(),
        () => provider.onViewChange(() => {}),
        () => provider.channel(),
        () => provider.onChannelChange(() => {}),
        () => provider.publish('t', 1),
        () => provider.subscribe('t', () => {}),
        () => provider.runOnce('k', {}, () => {}),
        () => provider.runOnceOrWait('k', {}, () => {}),
        () => provider.withLock('n', {}, () => {}),
        () => provider.lockSession(),
        () => session.withLock('n', {}, () => {}),
        () => provider.startedAt(),
      ]) {
        await assert.rejects(async () => use(), ProviderClosedError)
      }
    },
  )

  add.basic('checkHealth: a node whose channel is live is well', 'house rules', async ({ provider }) => {
    await provider.checkHealth?.()
    assert.equal(provider.channel().state, 'live')
  })
}
