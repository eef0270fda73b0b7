import assert from 'node:assert/strict'
import { together } from '@authstate/conformance'
import { type PublicKey, PublicKeys } from '../public-keys.js'
import { type Add, eventually, refuses } from './fixture.js'

const SECOND_MS = 1_000

/** Owners of key sets, who count how often they are asked. */
class Owners {
  readonly sets = new Map<string, PublicKey[]>()
  readonly asked = new Map<string, number>()
  expiresAt: number | undefined

  readonly load = async (modelKey: string) => {
    this.asked.set(modelKey, (this.asked.get(modelKey) ?? 0) + 1)
    await new Promise((resolve) => setImmediate(resolve))
    return { keys: this.sets.get(modelKey) ?? [], expiresAt: this.expiresAt }
  }

  count(modelKey: string): number {
    return this.asked.get(modelKey) ?? 0
  }
}

export function publicKeys(add: Add): void {
  add.concurrency(
    'public keys: ten callers make one request; within the minimum time no more; then one',
    'A13/182, §16',
    async ({ provider, clock }) => {
      const keys = new PublicKeys(provider, { clock })
      const owners = new Owners()
      owners.sets.set('m1', [{ kid: 'k' }]).set('m2', [{ kid: 'k' }])
      const unknown = (model: string) => together(10, () => keys.get(model, { kid: 'unknown' }, owners.load))
      await unknown('m1')
      assert.equal(owners.count('m1'), 1)
      await unknown('m1')
      assert.equal(owners.count('m1'), 1)
      await unknown('m2')
      assert.equal(owners.count('m2'), 1)
      clock.advance(20 * SECOND_MS)
      await unknown('m1')
      await unknown('m2')
      assert.deepEqual([owners.count('m1'), owners.count('m2')], [2, 2])
    },
  )

  add.basic(
    'public keys: found by id and algorithm, given out as a copy',
    '§16',
    async ({ provider, clock }) => {
      const keys = new PublicKeys<PublicKey & { n: { deep: string } }>(provider, { clock })
      const set = [
        { kid: 'a', alg: 'RS256', n: { deep: 'a' } },
        { kid: 'b', n: { deep: 'b' } },
        { kid: 'a', alg: 'ES256', n: { deep: 'c' } },
      ]
      const load = () => ({ keys: set })
      const deep = async (wanted: { kid?: string; alg?: string }) =>
        (await keys.get('m', wanted, load))?.n.deep
      assert.equal(await deep({ kid: 'a' }), 'a')
      assert.equal(await deep({ kid: 'a', alg: 'ES256' }), 'c')
      assert.equal(await deep({ kid: 'b', alg: 'RS256' }), 'b')
      assert.equal(await deep({ alg: 'ES256' }), 'b')
      assert.equal(await deep({ kid: 'a', alg: 'PS256' }), undefined)
      const copy = await keys.get('m', { kid: 'a' }, load)
      if (copy) copy.n.deep = 'changed by a caller'
      assert.equal(await deep({ kid: 'a' }), 'a')
      assert.deepEqual(
        (await keys.all('m', load)).map(({ n }) => n.deep),
        ['a', 'b', 'c'],
      )
      assert.equal((await keys.first('m', ({ n }) => n.deep === 'b', load))?.kid, 'b')
    },
  )

  add.expiry(
    'public keys: a new key is found by one request, as soon as one is allowed',
    '§16',
    async ({ provider, clock }) => {
      const keys = new PublicKeys(provider, { clock })
      const owners = new Owners()
      owners.sets.set('m', [{ kid: 'old' }])
      await keys.get('m', { kid: 'old' }, owners.load)
      owners.sets.set('m', [{ kid: 'old' }, { kid: 'new' }])
      clock.advance(10 * SECOND_MS)
      assert.equal(await keys.get('m', { kid: 'new' }, owners.load), undefined, 'not yet')
      clock.advance(1)
      assert.equal((await keys.get('m', { kid: 'new' }, owners.load))?.kid, 'new')
      assert.equal(owners.count('m'), 2)
      clock.advance(3_000 * SECOND_MS)
      await keys.get('m', { kid: 'old' }, owners.load)
      assert.equal(owners.count('m'), 2, 'a known id needs no request')
    },
  )

  add.expiry('public keys: a set that has expired is asked for again', '§16', async ({ provider, clock }) => {
    const keys = new PublicKeys(provider, { clock })
    const owners = new Owners()
    owners.sets.set('m', [{ kid: 'k' }])
    owners.expiresAt = clock.now() + 60 * SECOND_MS
    await keys.get('m', { kid: 'k' }, owners.load)
    clock.advance(60 * SECOND_MS)
    await keys.get('m', { kid: 'k' }, owners.load)
    assert.equal(owners.count('m'), 1)
    clock.advance(1)
    await keys.get('m', { kid: 'k' }, owners.load)
    assert.equal(owners.count('m'), 2)
  })

  add.expiry('public keys: all keys are asked for again after a day', '§16', async ({ provider, clock }) => {
    const keys = new PublicKeys(provider, { clock, maxCacheTimeMs: 100 * SECOND_MS })
    const owners = new Owners()
    owners.sets.set('m', [{ kid: 'k' }])
    await keys.all('m', owners.load)
    clock.advance(100 * SECOND_MS)
    await keys.all('m', owners.load)
    assert.equal(owners.count('m'), 1)
    clock.advance(1)
    await keys.all('m', owners.load)
    assert.equal(owners.count('m'), 2)
  })

  add.faults(
    'public keys: when the owner fails, every waiter gets the error and what is kept stays',
    '§16',
    async ({ provider, clock }) => {
      const keys = new PublicKeys(provider, { clock })
      const owners = new Owners()
      owners.sets.set('m', [{ kid: 'k' }])
      await keys.get('m', { kid: 'k' }, owners.load)
      clock.advance(11 * SECOND_MS)
      let asked = 0
      const fail = async () => {
        asked += 1
        throw new Error('the owner is away')
      }
      const answers = await Promise.allSettled(
        Array.from({ length: 5 }, () => keys.get('m', { kid: 'x' }, fail)),
      )
      assert.ok(
        answers.every(
          (answer) => answer.status === 'rejected' && /the owner is away/.test(String(answer.reason)),
        ),
      )
      assert.equal(asked, 1)
      assert.equal((await keys.get('m', { kid: 'k' }, fail))?.kid, 'k')
    },
  )

  add.faults(
    'public keys: an owner that fails is asked once within the minimum time, however many ask, and then once more',
    'issue',
    async ({ provider, clock }) => {
      const keys = new PublicKeys(provider, { clock })
      let asked = 0
      const fail = async () => {
        asked += 1
        throw new Error('the owner is away')
      }
      for (let n = 0; n < 100; n++) {
        await assert.rejects(keys.get('m', { kid: 'x' }, fail), /the owner is away/)
        clock.advance(90)
      }
      assert.equal(asked, 1)
      clock.advance(1_001)
      await assert.rejects(keys.get('m', { kid: 'x' }, fail), /the owner is away/)
      assert.equal(asked, 2)
      // What its administrator changed is asked for at once.
      await keys.invalidate('m')
      assert.equal((await keys.get('m', { kid: 'x' }, () => ({ keys: [{ kid: 'x' }] })))?.kid, 'x')
    },
  )

  add.cluster(
    'public keys: invalidated and cleared on every node',
    '§16',
    async ({ provider, anotherNode, clock }) => {
      const all = [provider, await anotherNode()].map((node) => new PublicKeys(node, { clock }))
      const owners = new Owners()
      owners.sets.set('m', [{ kid: 'old' }])
      const everywhere = (kid: string) =>
        eventually(async () => {
          for (const keys of all) assert.equal((await keys.get('m', { kid }, owners.load))?.kid, kid)
        })
      await everywhere('old')
      owners.sets.set('m', [{ kid: 'new' }])
      await all[0]?.invalidate('m')
      await everywhere('new')
      owners.sets.set('m', [{ kid: 'newer' }])
      await all[0]?.clear()
      await everywhere('newer')
    },
  )

  add.basic('public keys: misuse', 'house rules', async ({ provider }) => {
    const keys = new PublicKeys(provider)
    const load = () => ({ keys: [] })
    await refuses('modelKey', () => keys.get('', {}, load))
    await refuses('wanted', () => keys.get('m', undefined as never, load))
    await refuses('kid', () => keys.get('m', { kid: 7 as never }, load))
    await refuses('load', () => keys.get('m', {}, undefined as never))
    await refuses('matches', () => keys.first('m', 7 as never, load))
    await refuses('options.maxCacheTimeMs', () => new PublicKeys(provider, { maxCacheTimeMs: 0 }))
    await refuses('options', () => new PublicKeys(provider, { minTimeMs: 0 } as never))
  })
}
