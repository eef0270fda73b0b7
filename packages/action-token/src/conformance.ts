import assert from 'node:assert/strict'
import {
  defineSuite,
  type KeySpaceRules,
  type Runner,
  runSuite,
  type SuiteBuilder,
  type Target,
  together,
} from '@authstate/conformance'
import { type ActionTokenProvider, actionTokenSpi } from './contract.js'

const LIFESPAN_MS = 60_000
const CEILING_MS = 3_600_000
const GRACE_MS = 5_000
const RACERS = 10
const ROUNDS = 50

const token = { lifespanMs: LIFESPAN_MS } as const

/** Names that would collide, or break a key, if they were put together carelessly. */
const awkward = [
  'a:b',
  'a',
  'b:c',
  '{a}',
  '%3a',
  ':',
  'a b',
  '🔑',
  '__proto__',
  'constructor',
  'x'.repeat(512),
]

/** The behaviour every action-token provider must show. */
export const actionTokenSuite = defineSuite<ActionTokenProvider>(
  actionTokenSpi,
  (add) => {
    life(add)
    consuming(add)
    families(add)
    subjectsAndRealms(add)
    revocation(add)
    signedTokens(add)
    misuse(add)
  },
  { maxLifespanMs: CEILING_MS, maxDataBytes: 4_096 },
)

/** What keys of this SPI must satisfy; for `redisTarget`. */
export const actionTokenKeySpace: KeySpaceRules = {
  records: ['at', 'ax', 'av'],
  indexes: {
    ar: (tail, head) => `${head}:${tail}`,
    af: (tail, head) => `${head}:${tail}`,
    as: (tail, head) => `${head}:${tail}`,
  },
}

/** Registers the suite for one implementation. */
export function describeActionTokens(target: Target<ActionTokenProvider>, runner: Runner): void {
  runSuite(actionTokenSuite, target, runner)
}

function life(add: SuiteBuilder<ActionTokenProvider>): void {
  add.basic('put: what was stored can be read until it is removed', 'A9/112', async ({ provider, clock }) => {
    const expiresAt = clock.now() + LIFESPAN_MS
    assert.equal(await provider.put('realm', 'code', 'k', { ...token, data: { foo: 'bar' } }), 'stored')
    assert.deepEqual(await provider.get('realm', 'code', 'k'), { data: { foo: 'bar' }, expiresAt })
    assert.equal(await provider.has('realm', 'code', 'k'), true)
    assert.equal(await provider.remove('realm', 'code', 'k'), true)
    assert.equal(await provider.remove('realm', 'code', 'k'), false)
    assert.equal(await provider.get('realm', 'code', 'k'), undefined)
    assert.equal(await provider.put('realm', 'code', 'k', token), 'stored')
  })

  add.basic('put: a token without data has an empty object, not nothing', 'A9/113', async ({ provider }) => {
    assert.equal(await provider.putIfAbsent('realm', 'code', 'k', token), true)
    assert.deepEqual((await provider.get('realm', 'code', 'k'))?.data, {})
  })

  add.basic('put: replaces what was not consumed, with a new life', '§6.2', async ({ provider, clock }) => {
    await provider.put('realm', 'code', 'k', { ...token, data: { n: 1 } })
    clock.advance(1_000)
    assert.equal(await provider.put('realm', 'code', 'k', { ...token, data: { n: 2 } }), 'stored')
    assert.deepEqual(await provider.get('realm', 'code', 'k'), {
      data: { n: 2 },
      expiresAt: clock.now() + LIFESPAN_MS,
    })
  })

  add.basic('put: data keeps every JSON value, and a copy of it', '§6.2', async ({ provider }) => {
    const data = {
      text: 'é🔑\u0000"\\/',
      n: -1.5,
      big: 1_700_000_000_000,
      yes: true,
      none: null,
      list: [],
      deep: { empty: {} },
    }
    const given = structuredClone(data)
    await provider.put('realm', 'code', 'k', { ...token, data: given })
    given.deep = { empty: { changed: true } } as never
    assert.deepEqual((await provider.get('realm', 'code', 'k'))?.data, data)
    assert.deepEqual(await provider.consume('realm', 'code', 'k'), { outcome: 'consumed', data })
  })

  add.basic(
    'replace: changes data, keeps the remaining life, never creates',
    'A9/113, §19 row 38',
    async ({ provider, clock }) => {
      assert.equal(await provider.replace('realm', 'code', 'k', { n: 1 }), false)
      assert.equal(await provider.get('realm', 'code', 'k'), undefined)
      const expiresAt = clock.now() + LIFESPAN_MS
      await provider.put('realm', 'code', 'k', { ...token, data: { n: 1 } })
      clock.advance(10_000)
      assert.equal(await provider.replace('realm', 'code', 'k', { n: 2 }), true)
      assert.deepEqual(await provider.get('realm', 'code', 'k'), { data: { n: 2 }, expiresAt })
      clock.advance(LIFESPAN_MS - 10_000)
      assert.equal(await provider.replace('realm', 'code', 'k', { n: 3 }), false)
    },
  )

  add.basic('putIfAbsent: false while the key is taken', 'A9/113', async ({ provider }) => {
    await provider.put('realm', 'code', 'k', { ...token, data: { n: 1 } })
    assert.equal(await provider.putIfAbsent('realm', 'code', 'k', token), false)
    await provider.remove('realm', 'code', 'k')
    assert.equal(await provider.putIfAbsent('realm', 'code', 'k', token), true)
  })

  add.expiry(
    'get: there one millisecond before expiresAt, gone at it',
    'A9/112',
    async ({ provider, clock }) => {
      await provider.put('realm', 'code', 'k', token)
      clock.advance(LIFESPAN_MS - 1)
      assert.equal(await provider.has('realm', 'code', 'k'), true)
      assert.notEqual(await provider.get('realm', 'code', 'k'), undefined)
      clock.advance(1)
      assert.equal(await provider.has('realm', 'code', 'k'), false)
      assert.equal(await provider.get('realm', 'code', 'k'), undefined)
      assert.equal(await provider.get('realm', 'code', 'k', { includeExpired: true }), undefined)
      assert.equal(await provider.remove('realm', 'code', 'k'), false)
      assert.equal(await provider.putIfAbsent('realm', 'code', 'k', token), true)
    },
  )

  add.expiry(
    'put: a lifespan above the ceiling is cut',
    '§19 row 20, CVE-2025-2559',
    async ({ provider, clock }) => {
      await provider.put('realm', 'jti', 'k', { lifespanMs: Number.MAX_SAFE_INTEGER })
      assert.equal((await provider.get('realm', 'jti', 'k'))?.expiresAt, clock.now() + CEILING_MS)
    },
  )

  add.concurrency(
    'putIfAbsent: exactly one of N callers stores',
    '§6.2',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode()]
      for (let round = 0; round < ROUNDS; round++) {
        const won = await together(RACERS, (n) =>
          (nodes[n % 2] as ActionTokenProvider).putIfAbsent('realm', 'jti', `k${round}`, token),
        )
        assert.equal(won.filter(Boolean).length, 1)
      }
    },
  )

  add.cluster('put: every node sees it, and sees it go', 'A9/115', async ({ provider, anotherNode }) => {
    const other = await anotherNode()
    await provider.put('realm', 'code', 'one', token)
    await provider.put('realm', 'code', 'two', token)
    assert.equal(await other.has('realm', 'code', 'one'), true)
    assert.equal(await other.remove('realm', 'code', 'one'), true)
    assert.equal(await provider.has('realm', 'code', 'one'), false)
    assert.equal(await provider.has('realm', 'code', 'two'), true)
  })

  add.basic(
    'names: no separator, brace or odd name makes two keys one',
    '§19 row 16',
    async ({ provider }) => {
      const triples = awkward.flatMap((a) => awkward.map((b) => [a, b, `${a}|${b}`.slice(0, 200)] as const))
      for (const [realmId, kind, key] of triples) {
        assert.equal(
          await provider.putIfAbsent(realmId, kind, key, { ...token, data: { realmId, kind, key } }),
          true,
        )
      }
      for (const [realmId, kind, key] of triples) {
        assert.deepEqual((await provider.get(realmId, kind, key))?.data, { realmId, kind, key })
      }
    },
  )
}

function consuming(add: SuiteBuilder<ActionTokenProvider>): void {
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

function families(add: SuiteBuilder<ActionTokenProvider>): void {
  add.basic(
    'revokeFamily: withdraws every kind, and refuses what joins later',
    'RFC 6749 §10.5',
    async ({ provider }) => {
      await provider.put('realm', 'code', 'c', { ...token, family: 'grant' })
      await provider.put('realm', 'rt', 'r', { ...token, family: 'grant' })
      await provider.put('realm', 'rt', 'other', { ...token, family: 'grant-2' })
      await provider.put('realm', 'rt', 'none', token)
      await provider.put('realm-2', 'rt', 'r', { ...token, family: 'grant' })
      assert.equal(await provider.revokeFamily('realm', 'grant'), 2)
      assert.equal(await provider.revokeFamily('realm', 'grant'), 0)
      assert.deepEqual(await provider.consume('realm', 'code', 'c'), { outcome: 'unknown' })
      assert.deepEqual(await provider.consume('realm', 'rt', 'r'), { outcome: 'unknown' })
      assert.equal(await provider.put('realm', 'rt', 'late', { ...token, family: 'grant' }), 'refused')
      assert.equal(await provider.putIfAbsent('realm', 'at', 'late', { ...token, family: 'grant' }), false)
      assert.equal(await provider.get('realm', 'rt', 'late'), undefined)
      assert.equal((await provider.get('realm', 'rt', 'other'))?.family, 'grant-2')
      assert.equal((await provider.consume('realm', 'rt', 'none')).outcome, 'consumed')
      assert.equal((await provider.consume('realm-2', 'rt', 'r')).outcome, 'consumed')
      assert.equal(await provider.put('realm-2', 'rt', 'late', { ...token, family: 'grant' }), 'stored')
    },
  )

  add.basic('revokeFamily: what was consumed stays used', '§6.2', async ({ provider }) => {
    await provider.put('realm', 'code', 'c', { ...token, family: 'grant', data: { n: 1 } })
    await provider.consume('realm', 'code', 'c')
    await provider.put('realm', 'rt', 'r', { ...token, family: 'grant' })
    assert.equal(await provider.revokeFamily('realm', 'grant'), 1)
    assert.equal((await provider.consume('realm', 'code', 'c')).outcome, 'used')
  })

  add.basic(
    'revokeFamily: a token that moved to another family is not withdrawn',
    'contract',
    async ({ provider }) => {
      await provider.put('realm', 'rt', 'k', { ...token, family: 'one' })
      await provider.put('realm', 'rt', 'k', { ...token, family: 'two' })
      assert.equal(await provider.revokeFamily('realm', 'one'), 0)
      assert.equal((await provider.get('realm', 'rt', 'k'))?.family, 'two')
      assert.equal(await provider.revokeFamily('realm', 'two'), 1)
    },
  )

  add.expiry(
    'revokeFamily: an expired member does not count; the refusal ends with the ceiling',
    'contract',
    async ({ provider, clock }) => {
      await provider.put('realm', 'rt', 'k', { ...token, family: 'grant' })
      clock.advance(LIFESPAN_MS)
      assert.equal(await provider.revokeFamily('realm', 'grant'), 0)
      clock.advance(CEILING_MS - 1)
      assert.equal(await provider.put('realm', 'rt', 'k2', { ...token, family: 'grant' }), 'refused')
      clock.advance(1)
      assert.equal(await provider.put('realm', 'rt', 'k2', { ...token, family: 'grant' }), 'stored')
    },
  )

  add.basic('revokeFamily: also a large one, consumed members among it', 'contract', async ({ provider }) => {
    const count = 2_500
    await together(count, (n) => provider.put('realm', 'rt', `k${n}`, { ...token, family: 'grant' }))
    await together(count / 5, (n) => provider.consume('realm', 'rt', `k${n * 5}`))
    assert.equal(await provider.revokeFamily('realm', 'grant'), (count * 4) / 5)
    assert.equal((await provider.consume('realm', 'rt', 'k1')).outcome, 'unknown')
    assert.equal((await provider.consume('realm', 'rt', 'k5')).outcome, 'used')
  })

  add.concurrency(
    'revokeFamily: whatever joins meanwhile is withdrawn or refused',
    'contract',
    async ({ provider, anotherNode }) => {
      const other = await anotherNode()
      for (let round = 0; round < ROUNDS; round++) {
        const family = `grant-${round}`
        await together<unknown>(RACERS + 1, (n) =>
          n === RACERS / 2
            ? other.revokeFamily('realm', family)
            : provider.put('realm', 'rt', `${family}-${n}`, { ...token, family }),
        )
        for (let n = 0; n <= RACERS; n++) {
          assert.deepEqual(await provider.consume('realm', 'rt', `${family}-${n}`), { outcome: 'unknown' })
        }
      }
    },
  )
}

function subjectsAndRealms(add: SuiteBuilder<ActionTokenProvider>): void {
  add.basic('removeBySubject: what is about one user, and nothing else', 'contract', async ({ provider }) => {
    await provider.put('realm', 'action', 'a', { ...token, subject: 'alice' })
    await provider.put('realm', 'code', 'b', { ...token, subject: 'alice' })
    await provider.put('realm', 'action', 'c', { ...token, subject: 'alice2' })
    await provider.put('realm-2', 'action', 'a', { ...token, subject: 'alice' })
    assert.equal(await provider.removeBySubject('realm', 'alice'), 2)
    assert.equal(await provider.get('realm', 'action', 'a'), undefined)
    assert.equal((await provider.get('realm', 'action', 'c'))?.subject, 'alice2')
    assert.notEqual(await provider.get('realm-2', 'action', 'a'), undefined)
    assert.equal(await provider.put('realm', 'action', 'a', { ...token, subject: 'alice' }), 'stored')
  })

  add.basic(
    'removeByRealm: everything of one realm, and nothing of its neighbours',
    'A1/12, A7/88',
    async ({ provider }) => {
      const realms = ['a', 'ab', 'a:b']
      for (const realmId of realms) {
        await together(250, (n) =>
          provider.put(realmId, 'code', `k${n}`, { ...token, family: `f${n % 3}`, subject: 's' }),
        )
        await provider.consume(realmId, 'code', 'k0')
        await provider.revoke(realmId, 'token', LIFESPAN_MS)
        await provider.revokeFamily(realmId, 'gone')
      }
      assert.equal(await provider.removeByRealm('a'), 249)
      assert.equal(await provider.removeByRealm('a'), 0)
      assert.deepEqual(await provider.consume('a', 'code', 'k0'), { outcome: 'unknown' })
      assert.equal(await provider.isRevoked('a', 'token'), false)
      assert.equal(await provider.put('a', 'code', 'new', { ...token, family: 'gone' }), 'stored')
      for (const realmId of ['ab', 'a:b']) {
        assert.equal((await provider.consume(realmId, 'code', 'k1')).outcome, 'consumed')
        assert.equal(await provider.isRevoked(realmId, 'token'), true)
        assert.equal(await provider.put(realmId, 'code', 'new', { ...token, family: 'gone' }), 'refused')
      }
    },
  )
}

function revocation(add: SuiteBuilder<ActionTokenProvider>): void {
  add.expiry('revoke: until its lifespan ends, in its realm only', 'A9/114', async ({ provider, clock }) => {
    assert.equal(await provider.isRevoked('realm', 'jti'), false)
    await provider.revoke('realm', 'jti', LIFESPAN_MS)
    assert.equal(await provider.isRevoked('realm', 'jti'), true)
    assert.equal(await provider.isRevoked('other', 'jti'), false)
    assert.equal(await provider.isRevoked('realm', 'jti2'), false)
    clock.advance(LIFESPAN_MS - 1)
    assert.equal(await provider.isRevoked('realm', 'jti'), true)
    clock.advance(1)
    assert.equal(await provider.isRevoked('realm', 'jti'), false)
  })

  add.expiry('revoke: again is no error and never shortens', 'A9/114', async ({ provider, clock }) => {
    await provider.revoke('realm', 'jti', LIFESPAN_MS)
    await provider.revoke('realm', 'jti', 1)
    clock.advance(LIFESPAN_MS - 1)
    assert.equal(await provider.isRevoked('realm', 'jti'), true)
  })

  add.basic(
    'revoke: no token of whatever kind is the mark, and the mark is no token',
    '§19 row 16',
    async ({ provider }) => {
      await provider.revoke('realm', 'jti', LIFESPAN_MS)
      for (const kind of ['av', 'revoked', '.revoked']) {
        assert.equal(await provider.get('realm', kind, 'jti'), undefined)
        assert.equal(await provider.remove('realm', kind, 'jti'), false)
      }
      assert.equal(await provider.isRevoked('realm', 'jti'), true)
    },
  )
}

function signedTokens(add: SuiteBuilder<ActionTokenProvider>): void {
  const wanted = {
    userId: 'user:1',
    actionId: 'verify.email',
    lifespanMs: LIFESPAN_MS,
    data: { email: 'a@example.org' },
  } as const

  add.basic('consumeActionToken: valid once, with what was issued', '§6.1', async ({ provider, clock }) => {
    const signed = await provider.issueActionToken('realm', wanted)
    assert.match(signed, /^[\w.-]+$/)
    const looked = await provider.verifyActionToken('realm', signed, 'verify.email')
    assert.equal(looked.outcome, 'valid')
    const consumed = await provider.consumeActionToken('realm', signed, 'verify.email')
    assert.deepEqual(consumed, looked)
    assert.ok(consumed.outcome === 'valid')
    const { nonce, ...rest } = consumed.token
    assert.ok(nonce.length > 20)
    assert.deepEqual(rest, {
      userId: 'user:1',
      actionId: 'verify.email',
      expiresAt: clock.now() + LIFESPAN_MS,
      data: wanted.data,
    })
    assert.equal((await provider.consumeActionToken('realm', signed, 'verify.email')).outcome, 'used')
    assert.equal((await provider.verifyActionToken('realm', signed, 'verify.email')).outcome, 'used')
  })

  add.basic(
    'verifyActionToken: foreign, forged and malformed are invalid, never an exception',
    '§19 rows 16, 18',
    async ({ provider }) => {
      const signed = await provider.issueActionToken('realm', wanted)
      const [head = '', body = '', signature = ''] = signed.split('.')
      const flipped = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
      const none = Buffer.from('{"alg":"none"}').toString('base64url')
      const malformed = [
        '',
        '.',
        '..',
        'x',
        head,
        `${head}.${body}`,
        `${head}.${body}.${flipped}`,
        `${none}.${body}.`,
        `${signed}.x`,
        '\u0000',
        'a'.repeat(1_000_000),
        `${head}.${Buffer.from('{}').toString('base64url')}.${signature}`,
      ]
      for (const text of malformed) {
        assert.deepEqual(await provider.verifyActionToken('realm', text, 'verify.email'), {
          outcome: 'invalid',
        })
        assert.deepEqual(await provider.consumeActionToken('realm', text, 'verify.email'), {
          outcome: 'invalid',
        })
      }
      assert.deepEqual(await provider.consumeActionToken('other', signed, 'verify.email'), {
        outcome: 'invalid',
      })
      assert.deepEqual(await provider.consumeActionToken('realm', signed, 'reset-credentials'), {
        outcome: 'invalid',
      })
      assert.equal((await provider.consumeActionToken('realm', signed, 'verify.email')).outcome, 'valid')
    },
  )

  add.basic(
    'consumeActionToken: withdrawn with everything about the user',
    'contract',
    async ({ provider }) => {
      const signed = await provider.issueActionToken('realm', wanted)
      assert.equal(await provider.removeBySubject('realm', wanted.userId), 1)
      assert.deepEqual(await provider.consumeActionToken('realm', signed, 'verify.email'), {
        outcome: 'invalid',
      })
    },
  )

  add.expiry(
    'consumeActionToken: expired at expiresAt, to the millisecond',
    '§6.1',
    async ({ provider, clock }) => {
      const signed = await provider.issueActionToken('realm', { ...wanted, lifespanMs: 1_234 })
      clock.advance(1_233)
      assert.equal((await provider.verifyActionToken('realm', signed, 'verify.email')).outcome, 'valid')
      clock.advance(1)
      assert.deepEqual(await provider.verifyActionToken('realm', signed, 'verify.email'), {
        outcome: 'expired',
      })
      assert.deepEqual(await provider.consumeActionToken('realm', signed, 'verify.email'), {
        outcome: 'expired',
      })
    },
  )

  add.concurrency(
    'consumeActionToken: exactly one of N callers',
    '§6.1',
    async ({ provider, anotherNode }) => {
      const other = await anotherNode()
      for (let round = 0; round < 10; round++) {
        const signed = await provider.issueActionToken('realm', wanted)
        const outcomes = await together(RACERS, (n) =>
          (n % 2 ? provider : other).consumeActionToken('realm', signed, 'verify.email'),
        )
        assert.equal(outcomes.filter(({ outcome }) => outcome === 'valid').length, 1)
      }
    },
  )
}

function misuse(add: SuiteBuilder<ActionTokenProvider>): void {
  const rejects = async (
    call: () => Promise<unknown>,
    type: typeof TypeError | typeof RangeError,
    names: string,
  ) => {
    await assert.rejects(call, (error: Error) => {
      assert.ok(error instanceof type, `${error.name} for ${names}: ${error.message}`)
      assert.match(error.message, new RegExp(`"${names}`))
      return true
    })
  }

  add.basic(
    'arguments: wrong ones are refused by name, and nothing is written',
    'issue: bad input',
    async ({ provider }) => {
      const lone = 'a\ud800'
      for (const bad of ['', 1, null, undefined, {}, lone, 'x'.repeat(513), '🔑'.repeat(129)] as string[]) {
        await rejects(() => provider.put(bad, 'code', 'k', token), TypeError, 'realmId')
        await rejects(() => provider.put('realm', bad, 'k', token), TypeError, 'kind')
        await rejects(() => provider.put('realm', 'code', bad, token), TypeError, 'key')
        await rejects(() => provider.get('realm', 'code', bad), TypeError, 'key')
        await rejects(() => provider.has('realm', 'code', bad), TypeError, 'key')
        await rejects(() => provider.consume('realm', 'code', bad), TypeError, 'key')
        await rejects(() => provider.remove('realm', 'code', bad), TypeError, 'key')
        await rejects(() => provider.replace('realm', 'code', bad, {}), TypeError, 'key')
        await rejects(() => provider.revokeFamily('realm', bad), TypeError, 'family')
        await rejects(() => provider.removeBySubject('realm', bad), TypeError, 'subject')
        await rejects(() => provider.removeByRealm(bad), TypeError, 'realmId')
        await rejects(() => provider.revoke('realm', bad, 1), TypeError, 'tokenId')
        await rejects(() => provider.isRevoked('realm', bad), TypeError, 'tokenId')
        if (bad === undefined) continue
        await rejects(
          () => provider.put('realm', 'code', 'k', { ...token, family: bad }),
          TypeError,
          'family',
        )
        await rejects(
          () => provider.put('realm', 'code', 'k', { ...token, subject: bad }),
          TypeError,
          'subject',
        )
        await rejects(() => provider.consume('realm', 'code', 'k', { attempt: bad }), TypeError, 'attempt')
      }
      await rejects(() => provider.put('realm', 'code', 'k', undefined as never), TypeError, 'token')
      for (const bad of ['60000', Number.NaN, undefined, null] as unknown as number[]) {
        await rejects(() => provider.put('realm', 'code', 'k', { lifespanMs: bad }), TypeError, 'lifespanMs')
      }
      for (const bad of [0, -1, Number.POSITIVE_INFINITY, 1.5]) {
        await rejects(() => provider.put('realm', 'code', 'k', { lifespanMs: bad }), RangeError, 'lifespanMs')
        await rejects(() => provider.revoke('realm', 'k', bad), RangeError, 'lifespanMs')
      }
      assert.equal(await provider.get('realm', 'code', 'k'), undefined)
      assert.equal(await provider.removeByRealm('realm'), 0)
    },
  )

  add.basic(
    'data: what JSON can not hold is refused, and nothing is written',
    'issue: bad input',
    async ({ provider }) => {
      const cycle: Record<string, unknown> = {}
      cycle['self'] = cycle
      const bad = [
        [],
        'text',
        null,
        { f: () => 1 },
        { u: undefined },
        { n: Number.NaN },
        { i: Number.POSITIVE_INFINITY },
        { b: 1n },
        { d: new Date(0) },
        { m: new Map() },
        { t: 'a\udc00' },
        { 'n\ud800': 1 },
        cycle,
        JSON.parse('{"__proto__": 1}'),
      ]
      for (const data of bad) {
        await rejects(
          () => provider.put('realm', 'code', 'k', { ...token, data: data as never }),
          TypeError,
          'data',
        )
      }
      await rejects(
        () => provider.put('realm', 'code', 'k', { ...token, data: { big: 'x'.repeat(1_000_000) } }),
        RangeError,
        'data',
      )
      assert.equal(await provider.get('realm', 'code', 'k'), undefined)
      await provider.put('realm', 'code', 'k', { ...token, data: { n: 1 } })
      await rejects(
        () => provider.replace('realm', 'code', 'k', { big: 'x'.repeat(1_000_000) }),
        RangeError,
        'data',
      )
      assert.deepEqual((await provider.get('realm', 'code', 'k'))?.data, { n: 1 })
    },
  )

  add.basic(
    'close: later calls fail with ERR_PROVIDER_CLOSED, and closing again does nothing',
    'contract',
    async ({ provider }) => {
      await provider.put('realm', 'code', 'k', token)
      await provider.close?.()
      await provider.close?.()
      await assert.rejects(provider.get('realm', 'code', 'k'), { code: 'ERR_PROVIDER_CLOSED' })
      await assert.rejects(provider.consume('realm', 'code', 'k'), { code: 'ERR_PROVIDER_CLOSED' })
    },
  )
}
