import assert from 'node:assert/strict'
import { hostileNames, hostileNotes, refusesEndlessNames } from '@authstate/conformance'
import { type Add, eventually } from './fixture.js'

/** Whatever topics, tasks and locks are called, and whatever events hold. */
export function names(add: Add): void {
  add.basic(
    'names: hostile ones go through every verb, and each keeps to itself',
    'issue',
    async ({ provider }) => {
      const heard = new Map<string, unknown[]>(hostileNames.map((name) => [name, []]))
      for (const name of hostileNames) provider.subscribe(name, (event) => void heard.get(name)?.push(event))
      for (const name of hostileNames) await provider.publish(name, { name, ...hostileNotes(name) })
      await eventually(() => {
        for (const [name, events] of heard) assert.deepEqual(events, [{ name, ...hostileNotes(name) }])
      })
      const running: string[] = []
      async function nested(names: readonly string[]): Promise<void> {
        const [name, ...rest] = names
        if (name === undefined) return
        const ran = await provider.runOnce(name, {}, async () => {
          running.push(name)
          assert.deepEqual(await provider.runOnce(name, {}, () => 'again'), { executed: false })
          await nested(rest)
          return name
        })
        assert.deepEqual(ran, { executed: true, result: name })
      }
      await nested(hostileNames)
      assert.deepEqual(running, hostileNames)
      let held = 0
      async function lockAll([name, ...rest]: readonly string[]): Promise<void> {
        if (name === undefined) return
        await provider.lockSession().withLock(name, { waitMs: 1_000 }, async () => {
          held += 1
          await lockAll(rest)
        })
      }
      await lockAll(hostileNames)
      assert.equal(held, hostileNames.length)
      for (const name of hostileNames) {
        assert.deepEqual(await provider.runOnceOrWait(name, { waitMs: 1_000 }, () => name), {
          outcome: 'executed',
          result: name,
        })
      }
    },
  )

  add.basic('names: one of 10 kB is refused', 'issue', async ({ provider }) => {
    await refusesEndlessNames({
      topic: (name) => provider.publish(name, {}),
      key: (name) => provider.runOnce(name, {}, () => 'x'),
      namespace: (name) => provider.withLock(name, {}, () => 'x'),
    })
  })
}
