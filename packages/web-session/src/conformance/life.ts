import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { WebSessionProvider } from '../contract.js'
import { CEILING_MS, LIFE_MS, outcomeOf, read, saved, session } from './fixture.js'

/** When sessions end. */
export function life(add: SuiteBuilder<WebSessionProvider>): void {
  add.expiry(
    'get: alive to the last millisecond, gone at the next',
    'contract',
    async ({ provider, clock }) => {
      await saved(provider, 's', { userId: 'u', labels: { l: 'v' }, alias: 'x' })
      const seen = async () => [
        (await provider.get('r', 's')) !== undefined,
        (await provider.find('r', 'x')) !== undefined,
        (await provider.list('r')).items.length === 1,
        (await provider.listByUser('r', 'u')).items.length === 1,
        (await provider.listByLabel('r', 'l', 'v')).items.length === 1,
        (await provider.count('r')) === 1,
      ]
      clock.advance(LIFE_MS - 1)
      assert.deepEqual(await seen(), Array(6).fill(true))
      clock.advance(1)
      assert.deepEqual(await seen(), Array(6).fill(false))
      assert.equal(await provider.remove('r', 's'), false)
      assert.equal(await provider.removeByUser('r', 'u'), 0)
    },
  )

  add.expiry('get: looking does not extend a life', 'contract', async ({ provider, clock }) => {
    await saved(provider, 's', { userId: 'u', alias: 'x' })
    for (const ms of [LIFE_MS - 1, 1]) {
      clock.advance(ms)
      const alive = ms > 1
      assert.equal((await provider.get('r', 's')) !== undefined, alive)
      assert.equal((await provider.find('r', 'x')) !== undefined, alive)
      assert.equal((await provider.listByUser('r', 'u')).items.length, Number(alive))
    }
  })

  add.expiry(
    'update: moves the end both ways, and every listing with it',
    'contract',
    async ({ provider, clock }) => {
      const isAlive = async () => {
        const counted = [
          await provider.count('r'),
          (await provider.listByUser('r', 'u')).items.length,
          (await provider.listByLabel('r', 'l', 'v')).items.length,
        ]
        const found = (await provider.find('r', 'x')) !== undefined
        assert.deepEqual(
          counted,
          Array(3).fill(Number(found) + Number((await provider.get('r', 'other')) !== undefined)),
        )
        assert.equal((await provider.get('r', 's')) !== undefined, found)
        return found
      }
      // A store may see to its indexes at some instants only: at each millisecond of four.
      for (let round = 0; round < 4; round++) {
        await saved(provider, 's', { userId: 'u', labels: { l: 'v' }, alias: 'x' })
        await saved(provider, 'other', { userId: 'u', labels: { l: 'v' } })
        assert.equal(await provider.update('r', 's', { expiresAt: clock.now() + 1_000 }), 2)
        assert.equal((await read(provider, 's')).expiresAt, clock.now() + 1_000)
        clock.advance(999)
        assert.equal(await isAlive(), true)
        assert.equal(await provider.update('r', 's', { lifespanMs: 2 * LIFE_MS }), 3)
        clock.advance(2 * LIFE_MS - 1)
        assert.equal(await isAlive(), true)
        clock.advance(1)
        assert.equal(await isAlive(), false)
        clock.advance(2)
      }
    },
  )

  add.expiry(
    'update: an end that moves by less than a minute is exact in every listing',
    'contract',
    async ({ provider, clock }) => {
      const seen = async () => [
        (await provider.list('r')).items.length,
        (await provider.listByUser('r', 'u')).items.length,
        (await provider.listByLabel('r', 'l', 'v')).items.length,
        await provider.count('r'),
        Number((await provider.get('r', 's')) !== undefined),
        Number((await provider.find('r', 'x')) !== undefined),
      ]
      for (const moved of [30_000, 1, -1, -30_000, 59_999, 60_000, 60_001, -60_001]) {
        const end = clock.now() + 200_000
        const hasAlias = moved % 2 === 0
        const named = { userId: 'u', labels: { l: 'v' }, ...(hasAlias && { alias: 'x' }) }
        await provider.save('r', 's', { data: {}, expiresAt: end, ...named })
        clock.advance(1)
        if (hasAlias) await provider.update('r', 's', { expiresAt: end + moved })
        else await provider.save('r', 's', { data: {}, expiresAt: end + moved, ...named })
        clock.set(end + moved - 1)
        assert.deepEqual(await seen(), [1, 1, 1, 1, 1, Number(hasAlias)], `${moved}: alive`)
        clock.advance(1)
        assert.deepEqual(await seen(), Array(6).fill(0), `${moved}: gone`)
      }
    },
  )

  add.expiry('update: without an end leaves the end as it is', 'contract', async ({ provider, clock }) => {
    await saved(provider, 's')
    const { expiresAt } = await read(provider, 's')
    clock.advance(1_000)
    await provider.update('r', 's', { set: { a: 1 }, userId: 'u' })
    assert.equal((await read(provider, 's')).expiresAt, expiresAt)
    clock.set(expiresAt)
    assert.equal(await provider.get('r', 's'), undefined)
  })

  add.basic('expiresAt: in the past, it ends the session', 'peers 10', async ({ provider, clock }) => {
    for (const expiresAt of [0, 1, clock.now() - 1, clock.now()]) {
      const id = `s${expiresAt}`
      await saved(provider, id, { userId: 'u' })
      assert.equal((await provider.save('r', id, { data: {}, expiresAt })).outcome, 'refused')
      assert.equal(await provider.get('r', id), undefined)
      assert.equal(await outcomeOf(provider, id), 'refused', 'it stays ended')
      await saved(provider, `${id}u`, { userId: 'u' })
      assert.equal(await provider.update('r', `${id}u`, { expiresAt, set: { a: 1 } }), undefined)
      assert.equal(await provider.get('r', `${id}u`), undefined)
      assert.equal(await outcomeOf(provider, `${id}u`), 'refused', 'it stays ended')
      assert.equal((await provider.save('r', `${id}new`, { data: {}, expiresAt })).outcome, 'refused')
      assert.equal(
        await outcomeOf(provider, `${id}new`),
        'refused',
        'a client with a late clock may come again',
      )
    }
    assert.equal(await provider.count('r'), 0)
    assert.deepEqual((await provider.listByUser('r', 'u')).items, [])
    await saved(provider, 'other', { generation: 'b' })
    assert.equal(
      (await provider.save('r', 'other', { data: {}, expiresAt: 1, generation: 'a' })).outcome,
      'refused',
    )
    assert.equal((await read(provider, 'other')).generation, 'b')
    assert.equal(
      (await provider.save('r', 'other', { data: {}, expiresAt: 1, generation: 'b', ifVersion: 7 })).outcome,
      'conflict',
    )
    assert.equal((await read(provider, 'other')).version, 1)
  })

  add.basic('limits: a longer life is refused, never cut', 'contract', async ({ provider, clock }) => {
    assert.equal(provider.limits.maxLifespanMs, CEILING_MS)
    const refused = (call: Promise<unknown>, name: string) =>
      assert.rejects(call, (error: Error) => {
        assert.ok(error instanceof RangeError, error.name)
        assert.match(error.message, new RegExp(`"${name}".*${CEILING_MS}.*maxLifespanMs`))
        return true
      })
    await provider.save('r', 's', { data: {}, lifespanMs: CEILING_MS })
    await provider.save('r', 's', { data: {}, expiresAt: clock.now() + CEILING_MS })
    const before = await read(provider, 's')
    assert.equal(before.expiresAt, clock.now() + CEILING_MS)
    await refused(provider.save('r', 's', { data: {}, lifespanMs: CEILING_MS + 1 }), 'lifespanMs')
    await refused(provider.save('r', 's', { data: {}, expiresAt: clock.now() + CEILING_MS + 1 }), 'expiresAt')
    await refused(provider.update('r', 's', { lifespanMs: CEILING_MS + 1 }), 'lifespanMs')
    await refused(provider.update('r', 's', { expiresAt: clock.now() + CEILING_MS + 1 }), 'expiresAt')
    await refused(
      provider.save('r', 't', { ...session(), lifespanMs: Number.MAX_SAFE_INTEGER }),
      'lifespanMs',
    )
    assert.deepEqual(await read(provider, 's'), before)
    assert.equal(await provider.get('r', 't'), undefined)
  })
}
