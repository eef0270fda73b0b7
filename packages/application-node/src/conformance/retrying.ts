import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { HttpErrorCode } from '@authstate/http-client'
import type { ApplicationNodeProvider } from '../contract.js'
import {
  answering,
  delivered,
  deliveryOf,
  freshApplication,
  LIFE_MS,
  MINUTE_MS,
  MOST_DEAD,
  MOST_QUEUED,
  only,
  RETRY_MAX_MS,
  sessionEnded,
  statesOf,
  unreachableWith,
} from './fixture.js'

/** When a message is sent again, when it is not, and what is left of it. */
export function retrying({ basic, concurrency }: SuiteBuilder<ApplicationNodeProvider>): void {
  basic(
    'retry: until the receiver has it, each time with a token of its own',
    'nodes 13',
    async ({ provider, clock }) => {
      const application = freshApplication()
      application.receiver = answering(503, 503, 200)
      const { deliveryId } = await provider.announce('r', sessionEnded(clock.now(), ['mail']))
      for (let attempts = 1; attempts <= 3; attempts++) {
        await provider.deliverDue()
        const target = only(await deliveryOf(provider, deliveryId))
        assert.equal(target.attempts, attempts)
        assert.equal(target.state, attempts === 3 ? 'delivered' : 'retrying')
        if (target.nextAt === undefined) break
        assert.deepEqual([target.reason, target.lastStatus], ['status', 503])
        assert.ok(target.nextAt > clock.now() && target.nextAt <= clock.now() + 1_000 * 2 ** (attempts - 1))
        clock.set(target.nextAt - 1)
        assert.equal(await provider.deliverDue(), 0)
        clock.advance(1)
      }
      const tokens = application.received.map(({ claims }) => claims)
      assert.equal(new Set(tokens.map(({ jti }) => jti)).size, 3)
      for (const { iat, exp } of tokens) assert.ok(Number(exp) - Number(iat) <= 120)
      assert.equal(tokens[2]?.['iat'], Math.floor(clock.now() / 1_000))
    },
  )

  basic(
    'retry: not after an answer that stays the same, and no redirect is followed',
    'nodes 14',
    async ({ provider, clock }) => {
      const application = freshApplication()
      for (const status of [301, 302, 307, 400, 401, 403, 404, 410, 201, 206]) {
        const before = application.received.length
        application.receiver = answering({ status, headers: { location: 'https://wiki.example.com/' } })
        const target = only(await delivered(provider, sessionEnded(clock.now(), ['mail'])))
        assert.deepEqual(
          [target.state, target.reason, target.lastStatus, target.attempts],
          ['failed', 'status', status, 1],
        )
        clock.advance(LIFE_MS / 20)
        assert.equal(await provider.deliverDue(), 0)
        assert.equal(application.received.length, before + 1)
      }
      assert.deepEqual(new Set(application.hosts), new Set(['mail.example.com']))
    },
  )

  basic(
    'retry: a receiver that says when is asked then, and no later than the longest pause',
    'nodes 15',
    async ({ provider, clock }) => {
      const application = freshApplication()
      for (const [header, pauseMs] of [
        [() => '7', 7_000],
        [() => '99999', RETRY_MAX_MS],
        [(now: number) => new Date(now + 11_000).toUTCString(), 11_000],
      ] as const) {
        const started = clock.now()
        const headers = { 'retry-after': header(started) }
        application.receiver = answering({ status: 429, headers }, 200)
        const { deliveryId } = await provider.announce('r', sessionEnded(started, ['mail']))
        await provider.deliverDue()
        assert.equal(only(await deliveryOf(provider, deliveryId)).nextAt, started + pauseMs)
        clock.advance(pauseMs - 1)
        assert.equal(await provider.deliverDue(), 0)
        clock.set(started + pauseMs)
        assert.equal(await provider.deliverDue(), 1)
        // A date has no fraction of a second.
        clock.advance(1_000 - (clock.now() % 1_000))
      }
    },
  )

  basic('retry: what may pass, by reason', 'nodes 12; B1', async ({ provider, clock }) => {
    const application = freshApplication()
    const expected: readonly [HttpErrorCode, string][] = [
      ['timeout', 'retrying: timeout'],
      ['connect', 'retrying: connect'],
      ['tls', 'retrying: tls'],
      ['protocol', 'retrying: protocol'],
      ['queue-full', 'retrying: queue-full'],
      ['egress', 'refused: egress'],
      ['too-large', 'failed: protocol'],
    ]
    for (const [index, [code, state]] of expected.entries()) {
      application.receiver = unreachableWith(code)
      const clientId = `c${index}`
      application.clients.set(clientId, { backchannelLogoutUri: `https://c${index}.example.com/` })
      assert.deepEqual(statesOf(await delivered(provider, sessionEnded(clock.now(), [clientId]))), [
        `${clientId} ${state}`,
      ])
    }
    for (const status of [408, 425, 429, 500, 502, 503, 504]) {
      application.receiver = answering(status)
      const clientId = `s${status}`
      application.clients.set(clientId, { backchannelLogoutUri: `https://s${status}.example.com/` })
      assert.deepEqual(statesOf(await delivered(provider, sessionEnded(clock.now(), [clientId]))), [
        `${clientId} retrying: status`,
      ])
    }
  })

  basic(
    'retry: a function of the application that fails is asked again, and its words are told nobody',
    'contract',
    async ({ provider, clock, logger }) => {
      const application = freshApplication()
      const { deliveryId } = await provider.announce('r', sessionEnded(clock.now(), ['mail']))
      application.failure = new Error('canary-3f1')
      await provider.deliverDue()
      const target = only(await deliveryOf(provider, deliveryId))
      assert.deepEqual([target.state, target.reason, target.attempts], ['retrying', 'application', 1])
      application.failure = undefined
      clock.advance(RETRY_MAX_MS)
      await provider.deliverDue()
      assert.equal(only(await deliveryOf(provider, deliveryId)).state, 'delivered')
      assert.doesNotMatch(JSON.stringify(logger.entries), /canary/)
    },
  )

  basic(
    'dead: after all attempts a message is a letter without a token, and can be sent anew',
    'nodes 16',
    async ({ provider, clock }) => {
      const application = freshApplication()
      application.receiver = answering(500)
      const createdAt = clock.now()
      const { deliveryId } = await provider.announce('r', sessionEnded(createdAt, ['mail']))
      for (let attempts = 1; attempts <= 6; attempts++) {
        assert.equal(await provider.deliverDue(), 1, `attempt ${attempts}`)
        clock.advance(RETRY_MAX_MS)
      }
      assert.equal(await provider.deliverDue(), 0)
      assert.equal(application.received.length, 6)
      const target = only(await deliveryOf(provider, deliveryId))
      assert.deepEqual(
        [target.state, target.reason, target.lastStatus, target.attempts],
        ['dead', 'status', 500, 6],
      )
      const { items } = await provider.listDead('r')
      const [letter] = items
      assert.ok(letter !== undefined && items.length === 1)
      const { id, expiresAt, ...rest } = letter
      assert.deepEqual(rest, {
        deliveryId,
        type: 'session-ended',
        clientId: 'mail',
        host: 'mail.example.com',
        message: 'logout-token',
        attempts: 6,
        lastStatus: 500,
        reason: 'status',
        createdAt,
      })
      assert.ok(expiresAt > clock.now() + 6 * 24 * 60 * MINUTE_MS)
      assert.equal(await provider.retryDead('r2', id), false)
      assert.equal(await provider.retryDead('r', `${id.slice(0, -1)}!`), false)
      application.receiver = answering(503, 200)
      assert.equal(await provider.retryDead('r', id), true)
      assert.equal(await provider.retryDead('r', id), false)
      assert.deepEqual((await provider.listDead('r')).items, [])
      await provider.deliverDue()
      const again = only(await deliveryOf(provider, deliveryId))
      assert.deepEqual([again.state, again.attempts], ['retrying', 1])
      clock.advance(RETRY_MAX_MS)
      await provider.deliverDue()
      assert.equal(only(await deliveryOf(provider, deliveryId)).state, 'delivered')
    },
  )

  basic(
    'dead: letters are listed by pages, discarded, and the oldest go',
    'contract',
    async ({ provider, clock }) => {
      const application = freshApplication()
      application.receiver = answering(500)
      for (let index = 0; index < MOST_DEAD + 2; index++) {
        application.clients.set(`c${index}`, { backchannelLogoutUri: `https://c${index}.example.com/` })
        await provider.announce('r', sessionEnded(clock.now(), [`c${index}`]))
        for (let attempts = 1; attempts <= 6; attempts++) {
          await provider.deliverDue()
          clock.advance(RETRY_MAX_MS)
        }
      }
      const all = (await provider.listDead('r', { limit: 100 })).items
      assert.deepEqual(
        all.map(({ clientId }) => clientId),
        Array.from({ length: MOST_DEAD }, (_, index) => `c${index + 2}`),
      )
      const paged: string[] = []
      for (let cursor: string | undefined, more = true; more; ) {
        const page = await provider.listDead('r', { limit: 2, ...(cursor !== undefined && { cursor }) })
        paged.push(...page.items.map(({ id }) => id))
        cursor = page.cursor
        more = cursor !== undefined
      }
      assert.deepEqual(
        paged,
        all.map(({ id }) => id),
      )
      const id = all[0]?.id ?? ''
      assert.equal(await provider.discardDead('r2', id), false)
      assert.equal(await provider.discardDead('r', id), true)
      assert.equal(await provider.discardDead('r', id), false)
      assert.equal(await provider.retryDead('r', id), false)
      assert.equal((await provider.listDead('r')).items.length, MOST_DEAD - 1)
      assert.deepEqual(await provider.listDead('r2'), { items: [] })
      clock.advance(8 * 24 * 60 * MINUTE_MS)
      assert.deepEqual(await provider.listDead('r'), { items: [] })
      assert.equal(await provider.retryDead('r', all[1]?.id ?? ''), false)
    },
  )

  concurrency('dead: of many who send a letter anew one does', 'contract', async ({ provider, clock }) => {
    const application = freshApplication()
    application.receiver = answering(500)
    const { deliveryId } = await provider.announce('r', sessionEnded(clock.now(), ['mail']))
    for (let attempts = 1; attempts <= 6; attempts++) {
      await provider.deliverDue()
      clock.advance(RETRY_MAX_MS)
    }
    application.receiver = answering(200)
    const [letter] = (await provider.listDead('r')).items
    const won = await Promise.all(Array.from({ length: 10 }, () => provider.retryDead('r', letter?.id ?? '')))
    assert.equal(won.filter(Boolean).length, 1)
    assert.equal(await provider.deliverDue(), 1)
    assert.equal(only(await deliveryOf(provider, deliveryId)).state, 'delivered')
  })

  basic('dead: a message whose time is over is sent no more', 'D1', async ({ provider, clock }) => {
    const application = freshApplication()
    const { deliveryId } = await provider.announce('r', sessionEnded(clock.now(), ['mail']))
    clock.advance(LIFE_MS)
    assert.equal(await provider.deliverDue(), 0)
    assert.deepEqual(statesOf(await deliveryOf(provider, deliveryId)), ['mail dead: expired'])
    assert.deepEqual(application.hosts, [])
    assert.equal((await provider.listDead('r')).items.length, 1)
  })

  basic(
    'superseded: of two not-befores the receiver is told the larger one only',
    'nodes 18',
    async ({ provider, clock }) => {
      const application = freshApplication()
      application.receiver = unreachableWith('connect')
      const announce = (notBefore: number) =>
        provider.announce('r', { type: 'not-before-raised', notBefore }, { clientIds: ['shop'] })
      const smaller = await announce(100_000)
      await provider.deliverDue()
      const larger = await announce(200_000)
      const late = await announce(150_000)
      application.received = []
      application.receiver = answering(200)
      clock.advance(RETRY_MAX_MS)
      await provider.deliverDue()
      clock.advance(RETRY_MAX_MS)
      await provider.deliverDue()
      assert.deepEqual(
        application.received.map(({ claims }) => claims['notBefore']),
        [200],
      )
      const states = await Promise.all(
        [smaller, larger, late].map(async ({ deliveryId }) =>
          statesOf(await deliveryOf(provider, deliveryId)),
        ),
      )
      assert.deepEqual(states.flat(), [
        'shop superseded: newer-value',
        'shop delivered',
        'shop superseded: newer-value',
      ])
    },
  )

  basic(
    'superseded: a token without sid is not sent once the user has signed in again',
    'nodes 19',
    async ({ provider, clock }) => {
      const application = freshApplication()
      application.receiver = answering(503)
      const end = { type: 'all-sessions-ended', userId: 'alice', at: clock.now() } as const
      const { deliveryId } = await provider.announce('r', end, { clientIds: ['mail'] })
      await provider.deliverDue()
      application.newerSession = true
      clock.advance(RETRY_MAX_MS)
      await provider.deliverDue()
      const target = only(await deliveryOf(provider, deliveryId))
      assert.deepEqual([target.state, target.reason, target.attempts], ['superseded', 'newer-session', 1])
      assert.equal(application.received.length, 1)
      // A token with a sid ends no other session, and neither does one at a client that looks at the time of the event.
      application.receiver = answering(200)
      assert.deepEqual(statesOf(await delivered(provider, sessionEnded(clock.now(), ['mail']))), [
        'mail delivered',
      ])
      application.clients.set('mail', {
        backchannelLogoutUri: 'https://mail.example.com/',
        honoursEventTime: true,
      })
      assert.deepEqual(statesOf(await delivered(provider, end, ['mail'])), ['mail delivered'])
    },
  )

  basic(
    'refused: nothing is minted or sent for a client that was disabled meanwhile',
    'nodes 22',
    async ({ provider, clock }) => {
      const application = freshApplication()
      const { deliveryId } = await provider.announce('r', sessionEnded(clock.now(), ['mail']))
      application.clients.delete('mail')
      await provider.deliverDue()
      const target = only(await deliveryOf(provider, deliveryId))
      assert.deepEqual([target.state, target.reason, target.attempts], ['refused', 'no-target', 0])
      assert.deepEqual([application.minted, application.hosts], [0, []])
    },
  )

  basic(
    'refused: messages beyond the bound of a realm, and it is told',
    'D1',
    async ({ provider, clock }) => {
      const application = freshApplication()
      const clients = Array.from({ length: MOST_QUEUED + 3 }, (_, index) => `c${index}`)
      for (const id of clients)
        application.clients.set(id, { backchannelLogoutUri: `https://${id}.example.com/` })
      const options = { dedupeKey: 'all' }
      const end = sessionEnded(clock.now(), clients)
      const { deliveryId, targets, refused } = await provider.announce('r', end, options)
      assert.deepEqual([targets, refused], [MOST_QUEUED + 3, { 'queue-full': 3 }])
      const more = await provider.announce('r', sessionEnded(clock.now(), ['mail']))
      assert.deepEqual(more.refused, { 'queue-full': 1 })
      const elsewhere = await provider.announce('r2', sessionEnded(clock.now(), ['mail']))
      assert.deepEqual(elsewhere.refused, {})
      assert.equal(await provider.deliverDue(), MOST_QUEUED + 1)
      const states = statesOf(await deliveryOf(provider, deliveryId))
      assert.equal(states.filter((state) => state.endsWith(' delivered')).length, MOST_QUEUED)
      assert.equal(states.filter((state) => state.endsWith(' refused: queue-full')).length, 3)
      // Who announces it once more loses nothing.
      assert.deepEqual((await provider.announce('r', end, options)).refused, {})
      assert.equal(await provider.deliverDue(), 3)
      assert.ok(
        statesOf(await deliveryOf(provider, deliveryId)).every((state) => state.endsWith(' delivered')),
      )
    },
  )

  basic('delivery: is forgotten when it is over, and not before', 'contract', async ({ provider, clock }) => {
    const application = freshApplication()
    application.receiver = answering(503, 200)
    const { deliveryId } = await provider.announce('r', sessionEnded(clock.now(), ['mail']))
    await provider.deliverDue()
    clock.advance(LIFE_MS - 1)
    assert.equal((await provider.delivery('r', deliveryId))?.settled, false)
    assert.equal(await provider.deliverDue(), 1)
    clock.advance(10 * MINUTE_MS - 1)
    assert.equal((await provider.delivery('r', deliveryId))?.settled, true)
    clock.advance(1)
    assert.equal(await provider.delivery('r', deliveryId), undefined)
  })
}
