import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { ApplicationNodeEvents, ApplicationNodeProvider } from '../contract.js'
import { SESSION_HOST } from '../targets.js'
import {
  answering,
  delivered,
  deliveryOf,
  freshApplication,
  only,
  registered,
  sessionEnded,
  statesOf,
} from './fixture.js'

/** Who is told, in which words, and what is known of it. */
export function delivering({ basic, cluster }: SuiteBuilder<ApplicationNodeProvider>): void {
  basic(
    'announce: a session that ended is told to each of its clients, in the words that it takes',
    'nodes 20',
    async ({ provider, clock }) => {
      const application = freshApplication()
      const at = clock.now() - 1_500
      const delivery = await delivered(provider, sessionEnded(at, ['shop', 'mail', 'wiki']))
      assert.deepEqual(statesOf(delivery), ['mail delivered', 'shop delivered', 'wiki delivered'])
      assert.equal(delivery.settled, true)
      assert.deepEqual(
        delivery.targets.map(({ host, message, attempts, lastStatus }) => [
          host,
          message,
          attempts,
          lastStatus,
        ]),
        [
          ['mail.example.com', 'logout-token', 1, 200],
          ['shop.example.com', 'admin-action', 1, 200],
          ['wiki.example.com', 'security-event', 1, 200],
        ],
      )
      const by = new Map(application.received.map((received) => [received.signed.clientId, received]))
      const iat = Math.floor(clock.now() / 1_000)
      const iss = 'https://login.example.com/realms/r'

      const token = by.get('mail')
      assert.equal(token?.url, 'https://mail.example.com/logout?from=op')
      assert.equal(token.contentType, 'application/x-www-form-urlencoded')
      assert.equal(token.signed.typ, 'logout+jwt')
      const { jti, ...logout } = token.claims
      assert.match(String(jti), /^[0-9a-f-]{36}$/)
      assert.deepEqual(logout, {
        iss,
        aud: 'mail',
        iat,
        exp: iat + 120,
        sub: 'alice',
        sid: 'sid-1',
        toe: at / 1_000,
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      })

      const action = by.get('shop')
      assert.equal(action?.url, 'https://shop.example.com/admin/k_logout')
      assert.equal(action.contentType, 'text/plain')
      const { id, ...logoutAction } = action.claims
      assert.match(String(id), /^[0-9a-f-]{36}$/)
      assert.deepEqual(logoutAction, {
        expiration: iat + 30,
        resource: 'shop',
        action: 'LOGOUT',
        adapterSessionIds: ['app-of-shop'],
        notBefore: 0,
        keycloakSessionIds: ['sid-1'],
      })

      const event = by.get('wiki')
      assert.equal(event?.contentType, 'application/secevent+jwt')
      assert.equal(event.signed.typ, 'secevent+jwt')
      const { jti: eventId, ...set } = event.claims
      assert.match(String(eventId), /^[0-9a-f-]{36}$/)
      assert.deepEqual(set, {
        iss,
        aud: 'wiki',
        iat,
        toe: at / 1_000,
        sub_id: {
          format: 'complex',
          user: { format: 'iss_sub', iss, sub: 'alice' },
          session: { format: 'opaque', id: 'sid-1' },
        },
        events: {
          'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {
            event_timestamp: Math.floor(at / 1_000),
            initiating_entity: 'system',
          },
        },
      })
      assert.ok([token, action, event].every(({ claims }) => !('nonce' in claims)))
    },
  )

  basic(
    'announce: three sessions of a user at one client are three tokens of three sids',
    'nodes 20',
    async ({ provider, clock }) => {
      const application = freshApplication()
      for (const sessionId of ['a', 'b', 'c'])
        await provider.announce('r', sessionEnded(clock.now(), ['mail'], { sessionId }))
      await provider.deliverDue()
      assert.deepEqual(application.received.map(({ claims }) => claims['sid']).sort(), ['a', 'b', 'c'])
    },
  )

  basic(
    'announce: all sessions, a not-before and a probe are told to every node',
    'nodes 50; A15/190',
    async ({ provider, clock }) => {
      const application = freshApplication()
      application.clients.set('shop', {
        managementUrl: 'https://shop.example.com:8443/admin/',
        allowedHosts: ['app-*.example.com'],
      })
      await registered(provider, 'shop', 'app-1.example.com', 'app-2.example.com')
      const at = clock.now()
      const shop = ['shop']
      await delivered(provider, { type: 'all-sessions-ended', at }, shop)
      await delivered(provider, { type: 'not-before-raised', notBefore: at }, shop)
      await delivered(provider, { type: 'probe' }, shop)
      const paths = application.received.map(({ url }) => url.replace('https://', '')).sort()
      assert.deepEqual(paths, [
        'app-1.example.com:8443/admin/k_logout',
        'app-1.example.com:8443/admin/k_push_not_before',
        'app-1.example.com:8443/admin/k_test_available',
        'app-2.example.com:8443/admin/k_logout',
        'app-2.example.com:8443/admin/k_push_not_before',
        'app-2.example.com:8443/admin/k_test_available',
      ])
      const notBefore = Math.floor(at / 1_000)
      const said = (action: string) => {
        const found = application.received.find(({ claims }) => claims['action'] === action)
        const { id: _, expiration: __, ...claims } = found?.claims ?? {}
        return claims
      }
      assert.deepEqual(said('LOGOUT'), {
        resource: 'shop',
        action: 'LOGOUT',
        adapterSessionIds: null,
        notBefore,
        keycloakSessionIds: null,
      })
      assert.deepEqual(said('PUSH_NOT_BEFORE'), { resource: 'shop', action: 'PUSH_NOT_BEFORE', notBefore })
      assert.deepEqual(said('TEST_AVAILABILITY'), { resource: 'shop', action: 'TEST_AVAILABILITY' })
    },
  )

  basic(
    'announce: all sessions of a user are told without a sid, and by nobody who cannot say so',
    'B1; contract',
    async ({ provider, clock }) => {
      const application = freshApplication()
      const delivery = await delivered(provider, {
        type: 'all-sessions-ended',
        userId: 'alice',
        at: clock.now(),
      })
      assert.deepEqual(statesOf(delivery), ['mail delivered', 'shop refused: no-target', 'wiki delivered'])
      const { claims } = application.received.find(({ host }) => host === 'mail.example.com') ?? assert.fail()
      assert.deepEqual([claims['sub'], 'sid' in claims], ['alice', false])
      const everybody = await delivered(provider, { type: 'all-sessions-ended', at: clock.now() })
      assert.deepEqual(statesOf(everybody), [
        'mail refused: no-target',
        'shop delivered',
        'wiki refused: no-target',
      ])
    },
  )

  basic(
    'announce: every node of a client gets a logout token where it asks for that',
    'nodes 50; contract',
    async ({ provider, clock }) => {
      const application = freshApplication()
      const mail = {
        backchannelLogoutUri: 'https://mail.example.com/logout',
        allowedHosts: ['*.example.com'],
      }
      application.clients.set('mail', mail)
      await registered(provider, 'mail', 'm1.example.com', 'm2.example.com')
      await delivered(provider, sessionEnded(clock.now(), ['mail']))
      assert.deepEqual(application.hosts, ['mail.example.com'])
      application.clients.set('mail', { ...mail, everyNode: true })
      await delivered(provider, sessionEnded(clock.now(), ['mail']))
      assert.deepEqual(application.hosts.slice(1).sort(), ['m1.example.com', 'm2.example.com'])
    },
  )

  basic(
    'announce: answers before anything is sent, and tells what became of each message',
    'nodes 12; contract',
    async ({ provider, clock }) => {
      const application = freshApplication()
      const { deliveryId, targets, refused } = await provider.announce(
        'r',
        sessionEnded(clock.now(), ['shop', 'nobody']),
      )
      assert.deepEqual([targets, refused, application.hosts], [2, { 'no-target': 1 }, []])
      const queued = await deliveryOf(provider, deliveryId)
      assert.deepEqual(statesOf(queued), ['nobody refused: no-target', 'shop queued'])
      assert.deepEqual(
        [queued.settled, queued.type, queued.createdAt, queued.realmId, queued.deliveryId],
        [false, 'session-ended', clock.now(), 'r', deliveryId],
      )
      assert.equal(queued.targets[1]?.nextAt, clock.now())
      assert.equal((await provider.settled('r', deliveryId, { waitMs: 0 }))?.settled, false)
      const [waited, sent] = await Promise.all([
        provider.settled('r', deliveryId, { waitMs: 30_000 }),
        provider.deliverDue(),
      ])
      assert.deepEqual([waited?.settled, sent], [true, 1])
      assert.equal(await provider.deliverDue(), 0)
      assert.equal(await provider.delivery('r', 'no-such-delivery'), undefined)
      assert.equal(await provider.settled('r', 'no-such-delivery', { waitMs: 1_000 }), undefined)
    },
  )

  basic(
    'announce: one client that cannot be told hinders no other',
    'contract',
    async ({ provider, clock }) => {
      const application = freshApplication()
      application.clients.set('wrong', { managementUrl: 'ftp://wrong.example.com' })
      application.clients.set('mute', {})
      application.clients.set('lost', {
        managementUrl: `https://${SESSION_HOST}/admin`,
        allowedHosts: ['*.example.com'],
      })
      const delivery = await delivered(provider, sessionEnded(clock.now(), ['wrong', 'mute', 'lost', 'mail']))
      assert.deepEqual(statesOf(delivery), [
        'lost refused: no-host',
        'mail delivered',
        'mute refused: no-target',
        'wrong refused: configuration',
      ])
      assert.deepEqual(application.hosts, ['mail.example.com'])
    },
  )

  basic(
    'announce: with the key of another announcement it is the same delivery, and nothing is sent twice',
    'contract',
    async ({ provider, clock }) => {
      const application = freshApplication()
      const announce = () =>
        provider.announce('r', sessionEnded(clock.now(), ['shop', 'mail']), { dedupeKey: 'note 1' })
      const first = await announce()
      const second = await announce()
      await provider.deliverDue()
      const third = await announce()
      assert.deepEqual([second.deliveryId, third.deliveryId], [first.deliveryId, first.deliveryId])
      assert.equal(await provider.deliverDue(), 0)
      assert.equal(application.hosts.length, 2)
      const other = await provider.announce('r', sessionEnded(clock.now(), ['shop']), { dedupeKey: 'note 2' })
      const elsewhere = await provider.announce('r2', sessionEnded(clock.now(), ['shop']), {
        dedupeKey: 'note 1',
      })
      assert.equal(new Set([first, other, elsewhere].map(({ deliveryId }) => deliveryId)).size, 3)
    },
  )

  basic('announce: to clients that are named, and to no others', 'contract', async ({ provider, clock }) => {
    const application = freshApplication()
    await delivered(provider, sessionEnded(clock.now(), ['shop', 'mail']), ['mail', 'wiki'])
    assert.deepEqual(application.hosts, ['mail.example.com'])
    const nobody = await delivered(provider, sessionEnded(clock.now(), []))
    assert.deepEqual([nobody.targets, nobody.settled], [[], true])
  })

  basic(
    'announce: another realm knows nothing of it, and its nodes are not told',
    'nodes 11',
    async ({ provider, clock }) => {
      const application = freshApplication()
      application.clients.set('shop', {
        managementUrl: 'https://shop.example.com/admin',
        allowedHosts: ['*.example.com'],
      })
      await registered(provider, 'shop', 'n1.example.com')
      const { deliveryId } = await provider.announce(
        'r2',
        { type: 'not-before-raised', notBefore: clock.now() },
        { clientIds: ['shop'] },
      )
      assert.deepEqual(await provider.list('r2', 'shop'), [])
      assert.equal(await provider.delivery('r', deliveryId), undefined)
      await provider.deliverDue()
      assert.deepEqual(application.hosts, ['shop.example.com'])
    },
  )

  basic('events: what this node sent, and what became of it', 'contract', async ({ provider, clock }) => {
    const application = freshApplication()
    const told: ApplicationNodeEvents[keyof ApplicationNodeEvents][] = []
    const stop = provider.on('*', (event) => told.push(event))
    application.receiver = answering(503, 200)
    const { deliveryId } = await provider.announce('r', sessionEnded(clock.now(), ['mail']))
    await provider.deliverDue()
    clock.advance(1_000)
    await provider.deliverDue()
    const about = {
      realmId: 'r',
      deliveryId,
      clientId: 'mail',
      host: 'mail.example.com',
      message: 'logout-token',
    }
    assert.deepEqual(told, [
      { type: 'retrying', ...about, attempts: 1, status: 503, reason: 'status' },
      { type: 'delivered', ...about, attempts: 2, status: 200 },
    ])
    stop()
    await delivered(provider, sessionEnded(clock.now(), ['mail']))
    assert.equal(told.length, 2)
    const { delivered: sent, retrying, attempts, sending } = provider.stats()
    assert.deepEqual([sent, retrying, attempts, sending], [2, 1, 3, 0])
  })

  cluster(
    'announce: messages to one host of one client are sent one at a time, in all processes together',
    'nodes 18; D1',
    async ({ provider, clock, anotherNode }) => {
      const application = freshApplication()
      const other = await anotherNode({ name: 'b' })
      let [under, peak] = [0, 0]
      application.receiver = async () => {
        under += 1
        peak = Math.max(peak, under)
        // As long as the other node needs to look for something to send.
        for (let step = 0; step < 5; step++) await other.list('r', 'mail')
        under -= 1
        return { status: 204 }
      }
      for (let index = 0; index < 12; index++)
        await provider.announce('r', sessionEnded(clock.now(), ['mail'], { sessionId: `s${index}` }))
      await Promise.all([provider.deliverDue(), other.deliverDue(), provider.deliverDue()])
      await provider.deliverDue()
      assert.equal(peak, 1)
      const sids = application.received.map(({ claims }) => claims['sid'])
      assert.deepEqual([sids.length, new Set(sids).size], [12, 12])
    },
  )

  basic(
    'announce: a host that answers nobody keeps no other waiting',
    'nodes 12; nodes 21',
    async ({ provider, clock }) => {
      const application = freshApplication()
      let answer: (() => void) | undefined
      const hangs = new Promise<void>((resolve) => {
        answer = resolve
      })
      application.receiver = async ({ host }) => {
        if (host === 'shop.example.com') await hangs
        return { status: 200 }
      }
      const { deliveryId } = await provider.announce('r', sessionEnded(clock.now(), ['shop', 'mail', 'wiki']))
      for (let index = 0; index < 5; index++)
        await provider.announce('r', sessionEnded(clock.now(), ['shop'], { sessionId: `s${index}` }))
      const sending = provider.deliverDue()
      const others = await provider.settled('r', deliveryId, { waitMs: 300 })
      assert.deepEqual(others && statesOf(others), ['mail delivered', 'shop queued', 'wiki delivered'])
      assert.equal(application.hosts.filter((host) => host === 'shop.example.com').length, 1)
      answer?.()
      await sending
      assert.equal(application.hosts.filter((host) => host === 'shop.example.com').length, 6)
      assert.equal(only(await delivered(provider, sessionEnded(clock.now(), ['shop']))).state, 'delivered')
    },
  )
}
