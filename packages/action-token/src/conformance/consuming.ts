import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { ActionTokenProvider } from '../contract.js'
import { awkward, GRACE_MS, LIFESPAN_MS, RACERS, ROUNDS, token } from './fixture.js'

/** Redeeming at most once. */
export function consuming(add: SuiteBuilder<ActionTokenProvider>): void {
  add.basic(
    'consume: once, then used, with the data each time',
    '§6.2, RFC 6749 §4.1.2',
    async ({ provider, clock }) => {
      const consumedAt = clock.now() + 1_000
      await provider.put('realm', 'code', 'k', { ...token, data: { clientId: 'app' } })
      clock.advance(1_000)
      assert.deepEqual(await provider.consume('realm', 'code', 'k'), {
        outcome: 'consumed',
        data: { clientId: 'app' },
      })
      clock.advance(1_000)
      assert.deepEqual(await provider.consume('realm', 'code', 'k'), {
        outcome: 'used',
        data: { clientId: 'app' },
        consumedAt,
      })
      assert.equal((await provider.get('realm', 'code', 'k'))?.consumedAt, consumedAt)
      assert.equal(await provider.has('realm', 'code', 'k'), true)
    },
  )

  add.basic(
    'consume: unknown for what was never stored, removed, or of another realm or kind',
    '§19 rows 16, 44',
    async ({ provider }) => {
      await provider.put('realm', 'code', 'k', token)
      await provider.put('realm', 'code', 'removed', token)
      await provider.remove('realm', 'code', 'removed')
      for (const [realmId, kind, key] of [
        ['realm', 'code', 'x'],
        ['other', 'code', 'k'],
        ['realm', 'par', 'k'],
        ['realm', 'code', 'removed'],
      ] as const) {
        assert.deepEqual(await provider.consume(realmId, kind, key), { outcome: 'unknown' })
      }
      assert.equal((await provider.consume('realm', 'code', 'k')).outcome, 'consumed')
    },
  )

  add.basic('consume: a late put does not un-use a key', '§6.2', async ({ provider, clock }) => {
    await provider.put('realm', 'code', 'k', token)
    await provider.consume('realm', 'code', 'k')
    assert.equal(await provider.put('realm', 'code', 'k', { ...token, data: { fresh: true } }), 'refused')
    assert.equal(await provider.putIfAbsent('realm', 'code', 'k', token), false)
    assert.equal(await provider.replace('realm', 'code', 'k', { fresh: true }), false)
    assert.equal((await provider.consume('realm', 'code', 'k')).outcome, 'used')
    clock.advance(LIFESPAN_MS)
    assert.equal(await provider.put('realm', 'code', 'k', token), 'stored')
    assert.equal((await provider.consume('realm', 'code', 'k')).outcome, 'consumed')
  })

  add.basic('consume: looking never consumes', 'peers: mail scanners', async ({ provider }) => {
    await provider.put('realm', 'action', 'k', token)
    for (let n = 0; n < 3; n++) await provider.get('realm', 'action', 'k', { includeExpired: true })
    await provider.has('realm', 'action', 'k')
    assert.equal((await provider.consume('realm', 'action', 'k')).outcome, 'consumed')
  })

  add.basic(
    'consume: the same attempt may be repeated after a lost reply',
    '§19 row 19',
    async ({ provider }) => {
      await provider.put('realm', 'code', 'k', { ...token, data: { n: 1 } })
      assert.equal(
        (await provider.consume('realm', 'code', 'k', { attempt: 'request-1' })).outcome,
        'consumed',
      )
      assert.deepEqual(await provider.consume('realm', 'code', 'k', { attempt: 'request-1' }), {
        outcome: 'consumed',
        data: { n: 1 },
      })
      assert.equal((await provider.consume('realm', 'code', 'k', { attempt: 'request-2' })).outcome, 'used')
      assert.equal((await provider.consume('realm', 'code', 'k')).outcome, 'used')
    },
  )

  add.expiry(
    'consume: within graceMs the same attempt gets the same successor, and nobody else does',
    'issue: rotation grace',
    async ({ provider, clock }) => {
      const rotate = (attempt: string, successor: string) =>
        provider.consume('realm', 'rt', 'k', { attempt, successor, graceMs: GRACE_MS })
      await provider.put('realm', 'rt', 'k', { ...token, data: { n: 1 } })
      assert.deepEqual(await rotate('a', 'next-1'), {
        outcome: 'consumed',
        data: { n: 1 },
        successor: 'next-1',
      })
      assert.deepEqual(await rotate('a', 'next-2'), {
        outcome: 'consumed',
        data: { n: 1 },
        successor: 'next-1',
      })
      const foreign = await rotate('b', 'next-3')
      assert.equal(foreign.outcome, 'used')
      assert.doesNotMatch(JSON.stringify(foreign), /next/)
      clock.advance(GRACE_MS - 1)
      assert.equal((await rotate('a', 'next-4')).outcome, 'consumed')
      clock.advance(1)
      assert.equal((await rotate('a', 'next-5')).outcome, 'used')
    },
  )

  add.concurrency(
    'consume: N parallel repeats of one attempt get one successor',
    'issue: rotation grace',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode()]
      for (let round = 0; round < ROUNDS; round++) {
        await provider.put('realm', 'rt', `k${round}`, token)
        const outcomes = await together(RACERS, (n) =>
          (nodes[n % 2] as ActionTokenProvider).consume('realm', 'rt', `k${round}`, {
            attempt: 'same',
            successor: `next-${n}`,
          }),
        )
        const successors = new Set(
          outcomes.map((item) => (item.outcome === 'consumed' ? item.successor : item.outcome)),
        )
        assert.equal(successors.size, 1)
        assert.match([...successors].join(), /^next-\d$/)
      }
    },
  )

  add.basic(
    'consume: no odd attempt or successor is taken for another, or for data',
    'contract',
    async ({ provider }) => {
      for (const [n, name] of awkward.entries()) {
        const consume = (attempt: string, successor: string) =>
          provider.consume('realm', 'rt', `k${n}`, { attempt, successor })
        await provider.put('realm', 'rt', `k${n}`, { ...token, data: { n }, family: name, subject: name })
        const consumed = { outcome: 'consumed', data: { n }, successor: `${name}:\n{}` }
        assert.deepEqual(await consume(name, consumed.successor), consumed)
        assert.deepEqual(await consume(name, 'another'), consumed)
        assert.equal((await consume(`:${name}`.slice(0, 512), 'another')).outcome, 'used')
        const { family, subject } = (await provider.get('realm', 'rt', `k${n}`)) ?? {}
        assert.deepEqual([family, subject], [name, name])
      }
    },
  )

  add.basic('consume: no attempt is no attempt in common', '§19 row 19', async ({ provider }) => {
    await provider.put('realm', 'code', 'k', token)
    assert.equal((await provider.consume('realm', 'code', 'k')).outcome, 'consumed')
    assert.equal((await provider.consume('realm', 'code', 'k')).outcome, 'used')
  })

  add.expiry(
    'consume: consumed one millisecond before expiresAt, unknown at it',
    'A9/112',
    async ({ provider, clock }) => {
      await provider.put('realm', 'code', 'early', token)
      await provider.put('realm', 'code', 'late', token)
      clock.advance(LIFESPAN_MS - 1)
      assert.equal((await provider.consume('realm', 'code', 'early')).outcome, 'consumed')
      assert.equal((await provider.consume('realm', 'code', 'early')).outcome, 'used')
      clock.advance(1)
      assert.deepEqual(await provider.consume('realm', 'code', 'late'), { outcome: 'unknown' })
      assert.deepEqual(await provider.consume('realm', 'code', 'early'), { outcome: 'unknown' })
    },
  )

  add.expiry(
    'consume: expired, not unknown, within readGraceMs',
    'contract',
    async ({ withProperties, clock }) => {
      const provider = await withProperties({ readGraceMs: GRACE_MS })
      await provider.put('realm', 'code', 'k', { ...token, data: { n: 1 } })
      const expiresAt = clock.now() + LIFESPAN_MS
      clock.advance(LIFESPAN_MS)
      assert.deepEqual(await provider.consume('realm', 'code', 'k'), { outcome: 'expired' })
      assert.equal(await provider.get('realm', 'code', 'k'), undefined)
      assert.deepEqual(await provider.get('realm', 'code', 'k', { includeExpired: true }), {
        data: { n: 1 },
        expiresAt,
        expired: true,
      })
      clock.advance(GRACE_MS - 1)
      assert.deepEqual(await provider.consume('realm', 'code', 'k'), { outcome: 'expired' })
      clock.advance(1)
      assert.deepEqual(await provider.consume('realm', 'code', 'k'), { outcome: 'unknown' })
      assert.equal(await provider.get('realm', 'code', 'k', { includeExpired: true }), undefined)
    },
  )

  add.concurrency(
    'consume: exactly one of N callers on two nodes redeems',
    'A2/36 (concurrent code reuse)',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode()]
      for (let round = 0; round < ROUNDS; round++) {
        await provider.put('realm', 'code', `k${round}`, token)
        const outcomes = await together(RACERS, (n) =>
          (nodes[n % 2] as ActionTokenProvider).consume('realm', 'code', `k${round}`),
        )
        assert.equal(outcomes.filter(({ outcome }) => outcome === 'consumed').length, 1)
        assert.equal(outcomes.filter(({ outcome }) => outcome === 'used').length, RACERS - 1)
      }
    },
  )

  add.concurrency('remove: exactly one of N callers gets true', '§6.2', async ({ provider, anotherNode }) => {
    const nodes = [provider, await anotherNode()]
    for (let round = 0; round < ROUNDS; round++) {
      await provider.put('realm', 'code', `k${round}`, token)
      const removed = await together(RACERS, (n) =>
        (nodes[n % 2] as ActionTokenProvider).remove('realm', 'code', `k${round}`),
      )
      assert.equal(removed.filter(Boolean).length, 1)
    }
  })

  add.cluster('verbs on one token: one command each', 'D1', async ({ provider, commands }) => {
    if (commands === undefined) return
    await provider.put('warm', 'code', 'k', { ...token, family: 'f', subject: 's' })
    await provider.replace('warm', 'code', 'k', {})
    await provider.consume('warm', 'code', 'k')
    await provider.remove('warm', 'code', 'k')
    await provider.revoke('warm', 't', LIFESPAN_MS)
    const verbs: (() => Promise<unknown>)[] = [
      () => provider.put('realm', 'code', 'k', { ...token, family: 'f', subject: 's' }),
      () => provider.get('realm', 'code', 'k'),
      () => provider.has('realm', 'code', 'k'),
      () => provider.replace('realm', 'code', 'k', { n: 1 }),
      () => provider.consume('realm', 'code', 'k'),
      () => provider.remove('realm', 'code', 'k'),
      () => provider.revoke('realm', 't', LIFESPAN_MS),
      () => provider.isRevoked('realm', 't'),
    ]
    for (const verb of verbs) {
      const before = commands()
      await verb()
      assert.equal(commands() - before, 1, String(verb))
    }
  })
}
