import assert from 'node:assert/strict'
import { type Stage, type SuiteBuilder, together } from '@authstate/conformance'
import type { ClientTokenRotation, RotationOutcome, UserSessionProvider } from '../contract.js'
import { clientIds, createdSession, createS3, DAY, login, plain, SECOND, sessionOf } from './fixture.js'

/** Presents a token of family `f` at client `app`, issued now unless said otherwise. */
type Present = (
  presented: string,
  next: string,
  more?: Partial<ClientTokenRotation>,
) => Promise<RotationOutcome['outcome']>

interface Begun {
  readonly id: string
  readonly present: Present
}

async function begin({ provider, clock }: Stage<UserSessionProvider>): Promise<Begun> {
  const { id } = await provider
    .create('test', login('user1', { client: { clientId: 'app' } }))
    .then(createdSession)
  return {
    id,
    present: async (presented, next, more = {}) => {
      const rotation = { clientId: 'app', family: 'f', issuedAt: clock.now(), maxReuse: 0, ...more }
      const rotated = await provider.rotateRefreshToken('test', id, { ...rotation, presented, next })
      if (rotated.outcome === 'rotated') assert.equal(rotated.successor, next)
      return rotated.outcome
    },
  }
}

/** Refresh tokens that change hands once. */
export function tokens(add: SuiteBuilder<UserSessionProvider>): void {
  add.basic(
    'rotateRefreshToken: one after the other, across the life of a session',
    'A10/117',
    async (stage) => {
      const { id, present } = await begin(stage)
      for (let n = 1; n <= 10; n++) {
        assert.equal(await present(`T${n}`, `T${n + 1}`), 'rotated')
        stage.clock.advance(SECOND)
        await stage.provider.refresh('test', id, { clientId: 'app' })
      }
    },
  )

  add.basic(
    'rotateRefreshToken: a replay ends the client session, and with it the successor',
    'A10/117, A10/122, §7',
    async (stage) => {
      const { provider, clock } = stage
      const { id, present } = await begin(stage)
      await provider.putClientSession('test', id, { clientId: 'other' }).then(sessionOf)
      const issuedAt = clock.now()
      assert.equal(await present('T1', 'T2', { issuedAt }), 'rotated')
      clock.advance(SECOND)
      assert.equal(await present('T1', 'T3', { issuedAt }), 'reused')
      assert.deepEqual(clientIds(await provider.get('test', id)), ['other'])
      assert.equal(await provider.get('test', id, { clientId: 'app' }), undefined)
      assert.equal(await provider.countByClient('test', 'app'), 0)
      assert.equal(await present('T2', 'T4'), 'gone')

      clock.advance(2 * SECOND)
      const again = await provider.putClientSession('test', id, { clientId: 'app' }).then(sessionOf)
      assert.equal(await present('T2', 'T4', { issuedAt }), 'stale')
      assert.equal(await present('T1', 'T4', { issuedAt }), 'stale')
      assert.deepEqual(plain(await provider.get('test', id)), plain(again))
      assert.equal(await present('N1', 'N2', { family: 'new' }), 'rotated')
    },
  )

  add.basic(
    'rotateRefreshToken: a replay within one millisecond, or after the client session began again in it',
    '§19 rows 12, 13',
    async (stage) => {
      const { provider, clock } = stage
      const { id, present } = await begin(stage)
      assert.equal(await present('T1', 'T2'), 'rotated')
      assert.equal(await present('T2', 'T3'), 'rotated')
      assert.equal(await present('T1', 'T4'), 'stale')
      assert.equal(await provider.get('test', id, { clientId: 'app' }), undefined)
      await provider.putClientSession('test', id, { clientId: 'app' }).then(sessionOf)
      for (const token of ['T1', 'T2', 'T3']) assert.equal(await present(token, 'X'), 'stale')
      assert.equal(await present('N1', 'N2', { family: 'new' }), 'rotated')

      await provider.removeClientSession('test', id, 'app')
      await provider.putClientSession('test', id, { clientId: 'app' }).then(sessionOf)
      assert.equal(await present('N2', 'N3', { family: 'new' }), 'stale')
      await provider.restart('test', id, login('user1', { client: { clientId: 'app' } })).then(sessionOf)
      assert.equal(await present('N2', 'N3', { family: 'new' }), 'stale')
      assert.equal(await present('M1', 'M2', { family: 'newest', issuedAt: clock.now() }), 'rotated')
    },
  )

  add.basic(
    'rotateRefreshToken: an iat in whole seconds is enough',
    '§7 (c), RFC 7519 §4.1.6',
    async (stage) => {
      const { clock } = stage
      clock.set(1_700_000_000_700)
      const { present } = await begin(stage)
      const iat = () => Math.floor(clock.now() / 1000) * 1000
      const first = iat()
      assert.equal(await present('T1', 'T2', { issuedAt: first }), 'rotated')
      clock.advance(200)
      const second = iat()
      assert.equal(await present('T2', 'T3', { issuedAt: second }), 'rotated')
      clock.advance(SECOND)
      assert.equal(await present('T3', 'T4', { issuedAt: second }), 'rotated')
      assert.equal(await present('T2', 'T5', { issuedAt: second }), 'stale')
    },
  )

  add.expiry(
    'rotateRefreshToken: the client session that came after one that was over knows its own tokens only',
    '§7, §3.4',
    async (stage) => {
      const { provider, clock, setRealm } = stage
      setRealm('test', { clientSessionIdleTimeoutMs: 10 * SECOND })
      const { id, present } = await begin(stage)
      assert.equal(await present('T1', 'T2'), 'rotated')
      const issuedAt = clock.now()
      clock.advance(10 * SECOND)
      assert.equal(await present('T2', 'T3', { issuedAt }), 'gone')
      await provider.putClientSession('test', id, { clientId: 'app' }).then(sessionOf)
      assert.equal(await present('T2', 'T3', { issuedAt }), 'stale')
      assert.equal(await present('U1', 'U2', { issuedAt, family: 'never rotated' }), 'stale')
      assert.equal(await present('N1', 'N2', { family: 'new' }), 'rotated')
      assert.ok(await provider.get('test', id, { clientId: 'app' }))
    },
  )

  add.basic(
    'rotateRefreshToken: two tabs of one client do not disturb each other',
    'A10/118',
    async (stage) => {
      const { provider, clock } = stage
      const { id, present } = await begin(stage)
      clock.advance(2 * SECOND)
      await provider.putClientSession('test', id, { clientId: 'app' }).then(sessionOf)
      assert.equal(await present('A1', 'A2', { family: 'a' }), 'rotated')
      clock.advance(10 * SECOND)
      assert.equal(await present('A2', 'A3', { family: 'a' }), 'rotated')
      assert.equal(await present('B1', 'B2', { family: 'b' }), 'rotated')
      assert.equal(await present('A3', 'A4', { family: 'a' }), 'rotated')
      assert.equal(await present('B1', 'B3', { family: 'b' }), 'reused')
      assert.equal(await present('A4', 'A5', { family: 'a' }), 'gone')
    },
  )

  add.basic('rotateRefreshToken: maxReuse 1', 'A10/119', async (stage) => {
    const { clock } = stage
    const { present } = await begin(stage)
    const reuse = { maxReuse: 1, issuedAt: clock.now() }
    assert.equal(await present('T1', 'T2', reuse), 'rotated')
    clock.advance(SECOND)
    assert.equal(await present('T1', 'T3', reuse), 'rotated')
    assert.equal(await present('T1', 'T4', reuse), 'reused')
    assert.equal(await present('T2', 'T5', { maxReuse: 1 }), 'gone')
    assert.equal(await present('T3', 'T6', { maxReuse: 1 }), 'gone')
  })

  add.basic(
    'rotateRefreshToken: what was used before it was switched on does not count',
    'A10/120, A10/121',
    async (stage) => {
      const { clock } = stage
      const { present } = await begin(stage)
      const reuse = { maxReuse: 1, issuedAt: clock.now() }
      clock.advance(5 * SECOND)
      assert.equal(await present('T1', 'T2', reuse), 'rotated')
      assert.equal(await present('T1', 'T3', reuse), 'rotated')
      assert.equal(await present('T1', 'T4', reuse), 'reused')
      assert.equal(await present('T1', 'T5', reuse), 'gone')
    },
  )

  add.basic(
    'rotateRefreshToken: a token issued aside, later than the last rotation, is accepted',
    '§7 2',
    async (stage) => {
      const { clock } = stage
      const { present } = await begin(stage)
      assert.equal(await present('T1', 'T2'), 'rotated')
      clock.advance(SECOND)
      assert.equal(await present('aside', 'T3'), 'rotated')
      assert.equal(await present('T3', 'T4'), 'rotated')
    },
  )

  add.basic(
    'rotateRefreshToken: a token that was used never rotates again, by whatever clocks its kind were issued',
    'issue: one clock, RFC 9700 §4.14.2',
    async (stage) => {
      const { provider, clock, random } = stage
      const within = (span: number) => Math.floor(random() * span)
      // What an issuer's clock may be off: nothing, less than a second, a minute; in whole seconds or not.
      const issued = () => {
        const off = (within(2) === 0 ? -1 : 1) * within([1, SECOND, 60 * SECOND][within(3)] ?? 1)
        const at = clock.now() + off
        return within(2) === 0 ? at : at - (at % SECOND)
      }
      for (let round = 0; round < 60; round++) {
        clock.advance(SECOND)
        const isTransient = round % 2 === 1
        const { id, present } = await begin(stage)
        const family = `f${round}`
        const rotate = async (presented: string, next: string, issuedAt: number) => {
          if (!isTransient) return present(presented, next, { family, issuedAt })
          const presentation = { family, presented, next, issuedAt, maxReuse: 0, lifespanMs: DAY }
          return (await provider.rotateTransientToken('test', presentation)).outcome
        }
        const tokens: { readonly name: string; readonly issuedAt: number }[] = []
        const length = 2 + within(4)
        for (let n = 0; n < length; n++) {
          const token = { name: `T${n}`, issuedAt: n === 0 ? clock.now() + within(60 * SECOND) : issued() }
          assert.equal(await rotate(token.name, `T${n + 1}`, token.issuedAt), 'rotated')
          tokens.push(token)
          // Nodes whose clocks are apart take turns.
          clock.advance(within(3) === 0 ? -within(SECOND) : within(2 * SECOND))
        }
        const replayed = tokens[within(length)] as (typeof tokens)[number]
        const expected = replayed === tokens.at(-1) ? 'reused' : 'stale'
        assert.equal(await rotate(replayed.name, 'X', replayed.issuedAt), expected)
        if (!isTransient) assert.equal(await provider.get('test', id, { clientId: 'app' }), undefined)
        assert.notEqual(await rotate(`T${length}`, 'Y', clock.now()), 'rotated')
      }
    },
  )

  add.basic(
    'rotateRefreshToken: a token that was issued ahead shortens no life and lengthens no grace',
    'issue: one clock',
    async (stage) => {
      const { clock } = stage
      const { present } = await begin(stage)
      const ahead = { issuedAt: clock.now() + 60 * SECOND, attempt: 'request 1', graceMs: 5 * SECOND }
      assert.equal(await present('T1', 'T2', ahead), 'rotated')
      clock.advance(5 * SECOND)
      assert.equal(await present('T1', 'T2', ahead), 'rotated')
      assert.equal(await present('T2', 'T3', { attempt: 'request 2', graceMs: SECOND }), 'rotated')
      clock.advance(SECOND)
      assert.equal(await present('T2', 'T3', { attempt: 'request 2', graceMs: SECOND }), 'rotated')
      clock.advance(1)
      assert.equal(await present('T2', 'T4', { attempt: 'request 2', graceMs: SECOND }), 'reused')
    },
  )

  add.basic(
    'rotateRefreshToken: a family that ended is not taken for a new one when its tokens were issued ahead',
    'issue: one clock, §7',
    async (stage) => {
      const { provider, clock } = stage
      const { id, present } = await begin(stage)
      const issuedAt = clock.now() + 60 * SECOND
      assert.equal(await present('T1', 'T2', { issuedAt, family: 'ended' }), 'rotated')
      assert.equal(await present('T1', 'T3', { issuedAt, family: 'ended' }), 'reused')
      for (const _ of [1, 2]) {
        clock.advance(SECOND)
        await provider.putClientSession('test', id, { clientId: 'app' }).then(sessionOf)
        await provider.removeClientSession('test', id, 'app')
      }
      await provider.putClientSession('test', id, { clientId: 'app' }).then(sessionOf)
      for (let n = 0; n <= 100; n++) {
        await present(`N${n}`, `M${n}`, { family: `f${n}`, issuedAt: issuedAt + 1 + n })
      }
      assert.equal(await present('T1', 'T4', { issuedAt, family: 'ended' }), 'stale')
    },
  )

  add.basic(
    'rotateRefreshToken: the same attempt gets the same successor within its grace',
    'peers 5, issue',
    async (stage) => {
      const { provider, clock } = stage
      const { id } = await begin(stage)
      const present = (next: string, attempt: string | undefined) =>
        provider.rotateRefreshToken('test', id, {
          clientId: 'app',
          family: 'f',
          presented: 'T1',
          next,
          issuedAt: clock.now(),
          maxReuse: 0,
          attempt,
          graceMs: 5 * SECOND,
        })
      assert.deepEqual(await present('T2', 'request 1'), { outcome: 'rotated', successor: 'T2' })
      assert.deepEqual(await present('T3', 'request 1'), { outcome: 'rotated', successor: 'T2' })
      clock.advance(5 * SECOND)
      assert.deepEqual(await present('T4', 'request 1'), { outcome: 'rotated', successor: 'T2' })
      clock.advance(1)
      assert.deepEqual(await present('T5', 'request 1'), { outcome: 'reused' })
      const other = await begin(stage)
      assert.equal(await other.present('T1', 'T2', { attempt: 'request 1', graceMs: SECOND }), 'rotated')
      assert.equal(await other.present('T1', 'T3', { attempt: 'request 2', graceMs: SECOND }), 'reused')
      const unnamed = await begin(stage)
      assert.equal(await unnamed.present('T1', 'T2', { graceMs: SECOND }), 'rotated')
      assert.equal(await unnamed.present('T1', 'T3', { graceMs: SECOND }), 'reused')
    },
  )

  add.basic('rotateRefreshToken: gone without session or client session', '§7', async (stage) => {
    const { provider } = stage
    const { id, present } = await begin(stage)
    assert.equal(await present('T1', 'T2', { clientId: 'other' }), 'gone')
    assert.equal(await present('T1', 'T2', { offline: true }), 'gone')
    await provider.createOffline('test', id).then(sessionOf)
    assert.equal(await present('T1', 'T2', { offline: true }), 'rotated')
    assert.equal(await present('T1', 'T2'), 'rotated')
    assert.equal(await present('T1', 'T3', { offline: true }), 'reused')
    assert.equal(await provider.get('test', id, { offline: true, clientId: 'app' }), undefined)
    assert.ok(await provider.get('test', id, { clientId: 'app' }))
    await provider.remove('test', id)
    assert.equal(await present('T2', 'T3'), 'gone')
    const rotation = { clientId: 'app', family: 'f', presented: 'a', next: 'b', issuedAt: 0, maxReuse: 0 }
    assert.deepEqual(await provider.rotateRefreshToken('other', id, rotation), { outcome: 'gone' })
  })

  add.basic(
    'rotateRefreshToken: beyond a hundred families the oldest is refused, not trusted',
    '§7, issue',
    async (stage) => {
      const { provider, clock } = stage
      const { id, present } = await begin(stage)
      for (let n = 0; n < 100; n++) {
        assert.equal(await present(`T${n}`, `U${n}`, { family: `f:${n}` }), 'rotated')
        clock.advance(1)
      }
      const issuedAt = clock.now() - 100
      assert.equal(await present('new', 'newer', { family: 'f:100' }), 'rotated')
      assert.equal(await present('U0', 'V0', { family: 'f:0', issuedAt }), 'stale')
      assert.ok(await provider.get('test', id, { clientId: 'app' }))
      assert.equal(await present('U1', 'V1', { family: 'f:1', issuedAt }), 'rotated')
      assert.equal(await present('T99', 'V99', { family: 'f:99', issuedAt }), 'reused')
    },
  )

  add.basic('rotateRefreshToken: awkward ids come through', '§19 row 16', async (stage) => {
    const { provider, clock } = stage
    const { id } = await provider
      .create('test', login('user1', { client: { clientId: 'a:b%{}' } }))
      .then(createdSession)
    const rotate = (presented: string, next: string) =>
      provider.rotateRefreshToken('test', id, {
        clientId: 'a:b%{}',
        family: 'f:{}%3a \n',
        presented,
        next,
        issuedAt: clock.now(),
        maxReuse: 0,
      })
    assert.deepEqual(await rotate('1:2 %3a', '🔑: {x}'), { outcome: 'rotated', successor: '🔑: {x}' })
    assert.deepEqual(await rotate('🔑: {x}', '\n:'), { outcome: 'rotated', successor: '\n:' })
    assert.deepEqual(await rotate('🔑: {x}', 'x'), { outcome: 'reused' })
  })

  add.concurrency(
    'rotateRefreshToken: of five at once exactly one, with max reuse 2 exactly three',
    'A10/123, A10/124, §19 row 11',
    async (stage) => {
      const nodes = [stage.provider, await stage.anotherNode()]
      for (const maxReuse of [0, 2]) {
        for (let round = 0; round < 50; round++) {
          const { id } = await stage.provider
            .create('test', login('user1', { client: { clientId: 'app' } }))
            .then(createdSession)
          const issuedAt = stage.clock.now()
          const outcomes = await together(5, (n) =>
            (nodes[n % 2] ?? stage.provider).rotateRefreshToken('test', id, {
              clientId: 'app',
              family: 'f',
              presented: 'T1',
              next: `T2-${n}`,
              issuedAt,
              maxReuse,
            }),
          )
          const heard = outcomes.map(({ outcome }) => outcome)
          assert.equal(heard.filter((outcome) => outcome === 'rotated').length, 1 + maxReuse)
          assert.equal(heard.filter((outcome) => outcome === 'reused').length, 1)
          assert.equal(heard.filter((outcome) => outcome === 'gone').length, 3 - maxReuse)
          assert.equal(await stage.provider.get('test', id, { clientId: 'app' }), undefined)
        }
      }
    },
  )

  add.concurrency('rotateRefreshToken: at once with logout, nothing is left', '§19 row 14', async (stage) => {
    const { provider } = stage
    for (let round = 0; round < 30; round++) {
      const { id, present } = await begin(stage)
      const [, removed] = await Promise.all([
        present('T1', 'T2'),
        round % 2 === 0 ? provider.remove('test', id) : provider.removeClientSession('test', id, 'app'),
        present('T2', 'T3'),
      ])
      assert.equal(removed, true)
      assert.equal(await provider.get('test', id, { clientId: 'app' }), undefined)
      assert.equal(await present('T3', 'T4'), 'gone')
    }
    assert.equal(await provider.countByClient('test', 'app'), 0)
  })

  add.basic(
    'rotateTransientToken: the same without a session',
    '§7 (e), §19 row 15',
    async ({ provider, clock }) => {
      const rotate = (presented: string, next: string, more: object = {}) =>
        provider.rotateTransientToken('test', {
          family: 'f',
          presented,
          next,
          issuedAt: clock.now(),
          maxReuse: 0,
          lifespanMs: 60 * SECOND,
          ...more,
        })
      assert.deepEqual(await rotate('T1', 'T2'), { outcome: 'rotated', successor: 'T2' })
      assert.deepEqual(await rotate('T2', 'T3'), { outcome: 'rotated', successor: 'T3' })
      assert.deepEqual(await rotate('T1', 'T4', { family: 'other' }), { outcome: 'rotated', successor: 'T4' })
      assert.deepEqual(await rotate('T2', 'T4'), { outcome: 'reused' })
      for (const token of ['T1', 'T2', 'T3', 'T4'])
        assert.deepEqual(await rotate(token, 'X'), { outcome: 'stale' })
      assert.deepEqual(
        await provider.rotateTransientToken('realm2', {
          family: 'f',
          presented: 'T1',
          next: 'T2',
          issuedAt: 0,
          maxReuse: 0,
          lifespanMs: SECOND,
        }),
        { outcome: 'rotated', successor: 'T2' },
      )
      const outcomes = await together(5, (n) => rotate('R1', `R2-${n}`, { family: 'race', maxReuse: 2 }))
      assert.equal(outcomes.filter(({ outcome }) => outcome === 'rotated').length, 3)
    },
  )

  add.expiry(
    'rotateTransientToken: kept as long as the longest of its tokens',
    '§7 (e)',
    async ({ provider, clock }) => {
      const rotate = (presented: string, next: string, lifespanMs: number) =>
        provider.rotateTransientToken('test', {
          family: 'f',
          presented,
          next,
          issuedAt: clock.now(),
          maxReuse: 0,
          lifespanMs,
        })
      await rotate('T1', 'T2', 60 * SECOND)
      await rotate('T2', 'T3', SECOND)
      clock.advance(60 * SECOND - 1)
      assert.equal((await rotate('T2', 'X', SECOND)).outcome, 'reused')
      clock.advance(SECOND - 1)
      assert.equal((await rotate('T1', 'X', 1)).outcome, 'stale')
      clock.advance(1)
      assert.equal((await rotate('T1', 'T2', SECOND)).outcome, 'rotated')
    },
  )

  add.basic('rotation: not asked for, tokens are not counted', 'A10/116', async ({ provider }) => {
    const [s0] = await createS3(provider)
    for (let n = 0; n < 3; n++) assert.ok(await provider.refresh('test', s0.id, { clientId: 'test-app' }))
  })
}
