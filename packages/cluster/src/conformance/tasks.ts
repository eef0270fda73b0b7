import assert from 'node:assert/strict'
import { together } from '@authstate/conformance'
import type { ClusterProvider, Lease } from '../contract.js'
import { type Add, eventually, gate, MARGIN_MS, refuses } from './fixture.js'

export function tasks(add: Add): void {
  add.basic('runOnce: executes and gives the result', '§12', async ({ provider }) => {
    assert.deepEqual(await provider.runOnce('k', { leaseMs: 1_000 }, () => 42), {
      executed: true,
      result: 42,
    })
    assert.deepEqual(await provider.runOnce('k', {}, async () => undefined), {
      executed: true,
      result: undefined,
    })
  })

  add.basic(
    'runOnce: while it runs, others return at once; other keys do not matter',
    '§12',
    async ({ provider, anotherNode }) => {
      const other = await anotherNode({ name: 'b' })
      const [begun, end] = [gate(), gate()]
      const running = provider.runOnce('k:{1}%', {}, async () => {
        begun.open()
        await end.opened
      })
      await begun.opened
      const never = () => assert.fail('ran twice')
      assert.deepEqual(await other.runOnce('k:{1}%', {}, never), { executed: false })
      assert.deepEqual(await provider.runOnce('k:{1}%', {}, never), { executed: false })
      assert.equal((await other.runOnce('k:{2}%', {}, () => 'ran')).executed, true)
      end.open()
      await running
      assert.equal((await other.runOnce('k:{1}%', {}, () => 'ran')).executed, true)
    },
  )

  add.concurrency(
    'runOnce: of N concurrent callers on several nodes exactly one executes',
    '§12',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode({ name: 'b' }), await anotherNode({ name: 'c' })]
      for (let round = 0; round < 50; round++) {
        let executing = 0
        const end = gate()
        let answered = 0
        const answers = await together(12, async (index) => {
          const answer = await (nodes[index % nodes.length] as ClusterProvider).runOnce(
            `k${round}`,
            {},
            async () => {
              executing += 1
              await end.opened
            },
          )
          // The one who executes goes on when all the others have their answer.
          if (++answered === 11) end.open()
          return answer.executed
        })
        assert.equal(executing, 1)
        assert.equal(answers.filter(Boolean).length, 1)
      }
    },
  )

  add.basic(
    'runOnce: what the task throws is thrown, and the next call executes',
    '§12',
    async ({ provider }) => {
      await assert.rejects(
        provider.runOnce('k', {}, () => Promise.reject(new Error('failed'))),
        /^Error: failed$/,
      )
      assert.equal((await provider.runOnce('k', {}, () => 'ran')).executed, true)
    },
  )

  add.basic('runOnce: later holders have larger fences', '§10, §20', async ({ provider, anotherNode }) => {
    const nodes = [provider, await anotherNode({ name: 'b' })]
    const fences: number[] = []
    for (let n = 0; n < 6; n++)
      await (nodes[n % 2] as ClusterProvider).runOnce('k', {}, ({ fence }) => void fences.push(fence))
    assert.deepEqual(
      fences,
      [...new Set(fences)].sort((a, b) => a - b),
    )
  })

  add.expiry(
    'runOnce: a holder that died is replaced after the lease, and cannot harm who came after',
    '§12, §19 row 39',
    async ({ provider, anotherNode, clock }) => {
      const other = await anotherNode({ name: 'b' })
      const begun = gate<Lease>()
      const end = gate()
      const dead = provider.runOnce('k', { leaseMs: 60_000 }, async (lease) => {
        begun.open(lease)
        await end.opened
      })
      const lease = await begun.opened
      clock.advance(59_999)
      assert.equal(lease.held(), true)
      assert.deepEqual(await other.runOnce('k', {}, () => 'too early'), { executed: false })
      clock.advance(1)
      assert.equal(lease.held(), false, 'it knows without being told')
      clock.advance(MARGIN_MS)
      const later = await other.runOnce('k', { leaseMs: 60_000 }, async ({ fence }) => {
        assert.ok(fence > lease.fence)
        end.open()
        await dead
        assert.deepEqual(
          await provider.runOnce('k', {}, () => 'stolen'),
          { executed: false },
          'its release frees nothing',
        )
        return 'ran'
      })
      assert.deepEqual(later, { executed: true, result: 'ran' })
    },
  )

  for (const skewMs of [-5_000, 5_000]) {
    add.expiry(
      `runOnce: a clock that is ${skewMs} ms off lets nobody in early`,
      '§12',
      async ({ provider, anotherNode, clock }) => {
        const other = await anotherNode({ name: 'b', clock: { now: () => clock.now() + skewMs } })
        for (const [holder, contender] of [
          [provider, other],
          [other, provider],
        ] as const) {
          const [begun, end] = [gate<Lease>(), gate()]
          const running = holder.runOnce('k', { leaseMs: 60_000 }, async (lease) => {
            begun.open(lease)
            await end.opened
          })
          const lease = await begun.opened
          clock.advance(59_999)
          assert.equal(lease.held(), true)
          assert.deepEqual(await contender.runOnce('k', {}, () => 'early'), { executed: false })
          end.open()
          await running
        }
      },
    )
  }

  add.concurrency(
    'runOnce: the lease is renewed while the task runs',
    '§12',
    async ({ provider, anotherNode, clock }) => {
      const other = await anotherNode({ name: 'b' })
      const leaseMs = 3_000
      const sinceMs = 2_900
      const answer = await provider.runOnce('k', { leaseMs }, async (lease) => {
        for (let renewal = 0; renewal < 4; renewal++) {
          clock.advance(sinceMs)
          // By the clock this lease ends before the next one would: one that is still held then was renewed meanwhile.
          await eventually(() => {
            assert.equal(lease.signal.aborted, false)
            clock.advance(leaseMs - sinceMs)
            const isRenewed = lease.held()
            clock.advance(sinceMs - leaseMs)
            assert.equal(isRenewed, true)
          })
        }
        // The lease as it was taken has ended for everybody, whatever a store adds to it.
        clock.advance(leaseMs - 1)
        assert.ok(4 * sinceMs - 1 > MARGIN_MS)
        return other.runOnce('k', { leaseMs }, () => {})
      })
      assert.deepEqual(answer, { executed: true, result: { executed: false } })
    },
  )

  add.basic('lease: when the task has ended it is not held any more', '§12', async ({ provider }) => {
    let kept: Lease | undefined
    await provider.runOnce('k', {}, (lease) => {
      kept = lease
      assert.equal(lease.held(), true)
    })
    assert.equal(kept?.held(), false)
    assert.equal(kept?.signal.aborted, true)
  })

  add.cluster(
    'runOnceOrWait: who does not execute gets the result of who does',
    '§12',
    async ({ provider, anotherNode }) => {
      const other = await anotherNode({ name: 'b' })
      for (let round = 0; round < 20; round++) {
        const [begun, end] = [gate(), gate()]
        const first = provider.runOnceOrWait(`k${round}`, {}, async () => {
          begun.open()
          await end.opened
          return { round }
        })
        await begun.opened
        const others = together(3, () => other.runOnceOrWait(`k${round}`, {}, () => assert.fail('ran twice')))
        const sameNode = provider.runOnceOrWait(`k${round}`, {}, () => assert.fail('ran twice'))
        // They must have asked before it ends, or one of them would execute.
        await together(3, () => other.runOnce('unrelated', {}, () => {}))
        end.open()
        assert.deepEqual(await first, { outcome: 'executed', result: { round } })
        assert.deepEqual(await sameNode, { outcome: 'executed', result: { round } })
        assert.deepEqual(await others, Array(3).fill({ outcome: 'completed', result: { round } }))
      }
    },
  )

  add.cluster(
    'runOnceOrWait: a task that throws elsewhere has failed; without news the outcome is unknown',
    '§12',
    async ({ provider, anotherNode }) => {
      const other = await anotherNode({ name: 'b' })
      const [begun, end] = [gate(), gate()]
      const failing = provider.runOnceOrWait('k', {}, async () => {
        begun.open()
        await end.opened
        throw new Error('failed')
      })
      await begun.opened
      assert.deepEqual(await other.runOnceOrWait('k', { waitMs: 20 }, () => 'x'), { outcome: 'unknown' })
      const waiting = other.runOnceOrWait('k', { waitMs: 10_000 }, () => 'x')
      await other.runOnce('unrelated', {}, () => {})
      end.fail(new Error('failed'))
      await assert.rejects(failing, /failed/)
      assert.deepEqual(await waiting, { outcome: 'failed' })
    },
  )

  add.cluster(
    'runOnceOrWait: whoever stops waiting disturbs nobody',
    '§12',
    async ({ provider, anotherNode }) => {
      const other = await anotherNode({ name: 'b' })
      const begun = gate<Lease>()
      // Ends with its node, when the case is over.
      const running = other.runOnce('k', {}, (lease) => {
        begun.open(lease)
        return new Promise<void>((resolve) => lease.signal.addEventListener('abort', () => resolve()))
      })
      running.catch(() => {})
      const lease = await begun.opened
      for (let n = 0; n < 2; n++) {
        assert.deepEqual(await provider.runOnceOrWait('k', { waitMs: 1 }, () => assert.fail('ran twice')), {
          outcome: 'unknown',
        })
      }
      assert.equal(lease.held(), true)
    },
  )

  add.basic('runOnceOrWait: calls one after the other each execute', '§12', async ({ provider }) => {
    for (const result of [1, undefined, null]) {
      assert.deepEqual(await provider.runOnceOrWait('k', {}, () => result), { outcome: 'executed', result })
    }
  })

  add.cluster(
    'close: a node that leaves gives its leases back and tells the work',
    '§12',
    async ({ provider, anotherNode }) => {
      const other = await anotherNode({ name: 'b' })
      const begun = gate<Lease>()
      const running = other.runOnce('k', {}, async (lease) => {
        begun.open(lease)
        await new Promise<void>((resolve) => lease.signal.addEventListener('abort', () => resolve()))
      })
      await begun.opened
      await other.close?.()
      await running
      await eventually(async () =>
        assert.equal((await provider.runOnce('k', {}, () => 'ran')).executed, true),
      )
    },
  )

  add.basic('misuse: keys, options, tasks', 'house rules', async ({ provider }) => {
    const task = () => {}
    for (const run of [provider.runOnce, provider.runOnceOrWait] as ClusterProvider['runOnceOrWait'][]) {
      const call = run.bind(provider)
      for (const wrong of [undefined, 7, '', 'x'.repeat(513)] as never[])
        await refuses('key', () => call(wrong, {}, task))
      await refuses('options', () => call('k', undefined as never, task))
      await refuses('leaseMs', () => call('k', { leaseMs: 0 }, task), RangeError)
      await refuses('leaseMs', () => call('k', { leaseMs: -1 }, task), RangeError)
      await refuses('leaseMs', () => call('k', { leaseMs: 2 ** 31 }, task), RangeError)
      await refuses('leaseMs', () => call('k', { leaseMs: Number.NaN }, task))
      await refuses('task', () => call('k', {}, 'task' as never))
    }
    assert.equal((await provider.runOnce('k', {}, task)).executed, true)
  })
}
