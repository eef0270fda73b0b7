import assert from 'node:assert/strict'
import { together } from '@authstate/conformance'
import { ConflictError } from '@authstate/spi'
import type { ClusterProvider, Lease } from '../contract.js'
import { type Add, eventually, gate, MARGIN_MS, refuses } from './fixture.js'

const DATABASE = 'database'
const BOOT = 'boot'

export function locks(add: Add): void {
  add.basic(
    'lockSession: current is the namespace while it is held, nothing before and after',
    'A14/184',
    async ({ provider }) => {
      const session = provider.lockSession()
      assert.equal(session.current, undefined)
      const result = await session.withLock(DATABASE, {}, async (lease) => {
        assert.equal(lease.held(), true)
        return session.current
      })
      assert.equal(result, DATABASE)
      assert.equal(session.current, undefined)
    },
  )

  add.basic(
    'lockSession: two sessions hold two namespaces, each knows its own',
    'A14/185',
    async ({ provider }) => {
      const [item, two] = [provider.lockSession(), provider.lockSession()]
      await item.withLock(DATABASE, {}, () =>
        two.withLock(BOOT, {}, () => assert.deepEqual([item.current, two.current], [DATABASE, BOOT])),
      )
      assert.deepEqual([item.current, two.current], [undefined, undefined])
    },
  )

  add.concurrency(
    'withLock: never two holders at once, and everybody gets it',
    'A14/186, A14/187',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode({ name: 'b' })]
      let holders = 0
      let most = 0
      const fences: number[] = []
      await together(20, async (index) => {
        for (let turn = 0; turn < 2; turn++) {
          await (nodes[index % nodes.length] as ClusterProvider).withLock(DATABASE, {}, async ({ fence }) => {
            holders += 1
            most = Math.max(most, holders)
            fences.push(fence)
            await new Promise((resolve) => setImmediate(resolve))
            holders -= 1
          })
        }
      })
      assert.equal(most, 1)
      assert.equal(fences.length, 40)
      assert.deepEqual(
        fences,
        [...fences].sort((a, b) => a - b),
        'fences grow in the order of holding',
      )
    },
  )

  add.concurrency(
    'withLock: namespaces are independent, their holders overlap',
    'A14/188',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode({ name: 'b' })]
      const holders = new Map([
        [DATABASE, 0],
        [BOOT, 0],
      ])
      let overlaps = 0
      await together(8, async (index) => {
        const [namespace, other] = index % 2 === 0 ? [DATABASE, BOOT] : [BOOT, DATABASE]
        for (let turn = 0; turn < 5; turn++) {
          await (nodes[index % 4 < 2 ? 0 : 1] as ClusterProvider).withLock(namespace, {}, async () => {
            assert.equal(holders.get(namespace), 0)
            holders.set(namespace, 1)
            await new Promise((resolve) => setTimeout(resolve, 1))
            overlaps += holders.get(other) ?? 0
            holders.set(namespace, 0)
          })
        }
      })
      assert.ok(overlaps > 0)
    },
  )

  add.concurrency(
    'lockSession: one namespace inside another, each in a session of its own',
    'A14/189',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode({ name: 'b' })]
      let completed = 0
      await together(12, async (index) => {
        const node = nodes[index % nodes.length] as ClusterProvider
        for (let turn = 0; turn < 4; turn++) {
          await node.lockSession().withLock(DATABASE, {}, () =>
            node.lockSession().withLock(BOOT, {}, () => {
              completed += 1
            }),
          )
        }
      })
      assert.equal(completed, 48)
    },
  )

  add.basic(
    'withLock: the same namespace again inside is no second lock',
    '§10',
    async ({ provider, anotherNode, clock }) => {
      const other = await anotherNode({ name: 'b' })
      await provider.withLock(DATABASE, {}, async (outer) => {
        await provider.withLock(DATABASE, {}, (inner) => assert.equal(inner.fence, outer.fence))
        assert.equal(outer.held(), true, 'the inner one did not give it back')
        const elsewhere = assert.rejects(
          other.withLock(DATABASE, { waitMs: 1 }, () => {}),
          ConflictError,
        )
        await new Promise((resolve) => setTimeout(resolve, 5))
        clock.advance(1)
        await elsewhere
      })
    },
  )

  add.basic('withLock: another namespace inside is refused', '§10', async ({ provider }) => {
    await provider.withLock(DATABASE, {}, async () => {
      await assert.rejects(
        provider.withLock(BOOT, {}, () => {}),
        ConflictError,
      )
      await provider.lockSession().withLock(BOOT, {}, () => {})
    })
    await provider.withLock(BOOT, {}, () => {})
    const session = provider.lockSession()
    await session.withLock(DATABASE, {}, () =>
      assert.rejects(
        session.withLock(BOOT, {}, () => {}),
        ConflictError,
      ),
    )
  })

  add.concurrency(
    'withLock: callers of one node get it in the order in which they asked',
    'A14/186',
    async ({ provider }) => {
      for (let round = 0; round < 10; round++) {
        const [begun, end] = [gate(), gate()]
        const holding = provider.withLock(DATABASE, {}, async () => {
          begun.open()
          await end.opened
        })
        await begun.opened
        const order: number[] = []
        const waiting = together(8, (index) => provider.withLock(DATABASE, {}, () => void order.push(index)))
        end.open()
        await Promise.all([holding, waiting])
        assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7])
      }
    },
  )

  add.basic('withLock: work that throws gives the lock back', '§10', async ({ provider, anotherNode }) => {
    const other = await anotherNode({ name: 'b' })
    await assert.rejects(
      provider.withLock(DATABASE, {}, () => Promise.reject(new Error('failed'))),
      /failed/,
    )
    assert.equal(await other.withLock(DATABASE, { waitMs: 1 }, () => 'free'), 'free')
  })

  add.expiry(
    'withLock: who cannot get it within waitMs is told',
    '§10',
    async ({ provider, anotherNode, clock }) => {
      const other = await anotherNode({ name: 'b' })
      const [begun, end] = [gate(), gate()]
      const holding = provider.withLock(DATABASE, {}, async () => {
        begun.open()
        await end.opened
      })
      await begun.opened
      let settled = false
      const waiting = [other, provider].map((node) =>
        assert.rejects(
          node.withLock(DATABASE, { waitMs: 5_000 }, () => 'got it'),
          (error: Error) => {
            settled = true
            assert.ok(error instanceof ConflictError)
            assert.match(error.message, /"waitMs"/)
            return true
          },
        ),
      )
      clock.advance(4_999)
      await new Promise((resolve) => setTimeout(resolve, 50))
      assert.equal(settled, false)
      clock.advance(1)
      await Promise.all(waiting)
      end.open()
      await holding
      assert.equal(await other.withLock(DATABASE, { waitMs: 1 }, () => 'free'), 'free')
    },
  )

  add.expiry('withLock: a holder that died is replaced', '§10', async ({ provider, anotherNode, clock }) => {
    const other = await anotherNode({ name: 'b' })
    const [begun, end] = [gate<Lease>(), gate()]
    const dead = provider.withLock(DATABASE, { leaseMs: 60_000 }, async (lease) => {
      begun.open(lease)
      await end.opened
    })
    const lease = await begun.opened
    const waiting = other.withLock(DATABASE, { waitMs: 200_000 }, ({ fence }) => fence)
    clock.advance(60_000 + MARGIN_MS)
    assert.equal(lease.held(), false)
    assert.ok((await waiting) > lease.fence)
    end.open()
    await dead
  })

  add.cluster(
    'withLock: a waiter on another node gets it soon after the release',
    '§10',
    async ({ provider, anotherNode }) => {
      const other = await anotherNode({ name: 'b' })
      const [begun, end] = [gate(), gate()]
      const holding = provider.withLock(DATABASE, {}, async () => {
        begun.open()
        await end.opened
      })
      await begun.opened
      const waiting = other.withLock(DATABASE, {}, () => 'got it')
      await new Promise((resolve) => setTimeout(resolve, 30))
      end.open()
      await holding
      await eventually(async () => assert.equal(await waiting, 'got it'))
    },
  )

  add.basic('misuse: namespaces, options, work', 'house rules', async ({ provider }) => {
    const work = () => {}
    const session = provider.lockSession()
    for (const call of [
      provider.withLock.bind(provider),
      session.withLock.bind(session),
    ] as ClusterProvider['withLock'][]) {
      for (const wrong of [undefined, 7, '', 'x'.repeat(513)] as never[])
        await refuses('namespace', () => call(wrong, {}, work))
      await refuses('options', () => call('n', undefined as never, work))
      await refuses('waitMs', () => call('n', { waitMs: -1 }, work), RangeError)
      await refuses('waitMs', () => call('n', { waitMs: Number.NaN }, work))
      await refuses('leaseMs', () => call('n', { leaseMs: 0 }, work), RangeError)
      await refuses('work', () => call('n', {}, 'work' as never))
    }
  })
}
