import assert from 'node:assert/strict'
import {
  hostilePairs,
  refusesEndlessNames,
  refusesMisspelling,
  type SuiteBuilder,
  taker,
} from '@authstate/conformance'
import type {
  AllSessionsEnded,
  Announcement,
  ApplicationNodeProvider,
  NewNode,
  NotBeforeRaised,
  Probe,
  SessionEnded,
} from '../contract.js'
import { freshApplication, hostsOf, sessionEnded, statesOf } from './fixture.js'

const OPEN = { managementUrl: 'https://shop.example.com/admin', allowedHosts: ['*.example.com'] }

/** Wrong arguments, odd names, and use after close. */
export function misuse({ basic, faults }: SuiteBuilder<ApplicationNodeProvider>): void {
  basic(
    'arguments: wrong ones are refused by name, and nothing is written',
    'issue: bad input',
    async ({ provider, clock }) => {
      const application = freshApplication()
      application.clients.set('shop', OPEN)
      const rejects = (call: () => Promise<unknown>, named: string) =>
        assert.rejects(call, (error: Error) => {
          assert.ok(error instanceof TypeError || error instanceof RangeError, `${error.name} for ${named}`)
          assert.ok(error.message.includes(`"${named}"`), `${error.message} does not name "${named}"`)
          return true
        })
      for (const bad of ['', 1, null, undefined, {}, 'a\ud800', 'x'.repeat(513)] as string[]) {
        await rejects(() => provider.register(bad, 'shop', { host: 'a.example.com' }), 'realmId')
        await rejects(() => provider.register('r', bad, { host: 'a.example.com' }), 'clientId')
        await rejects(() => provider.unregister(bad, 'shop', 'a'), 'realmId')
        await rejects(() => provider.addManual('r', bad, 'a'), 'clientId')
        await rejects(() => provider.removeNode('r', bad, 'a'), 'clientId')
        await rejects(() => provider.list('r', bad), 'clientId')
        await rejects(() => provider.removeByClient('r', bad), 'clientId')
        await rejects(() => provider.removeByRealm(bad), 'realmId')
        await rejects(() => provider.checkClient('r', bad), 'clientId')
        await rejects(() => provider.announce(bad, { type: 'probe' }), 'realmId')
        await rejects(() => provider.delivery('r', bad), 'deliveryId')
        await rejects(() => provider.settled('r', bad, { waitMs: 0 }), 'deliveryId')
        await rejects(() => provider.listDead(bad), 'realmId')
        await rejects(() => provider.retryDead('r', bad), 'id')
        await rejects(() => provider.discardDead('r', bad), 'id')
        await rejects(
          () => provider.announce('r', { type: 'probe' }, { clientIds: [bad] }),
          'options.clientIds[0]',
        )
        if (bad === undefined) continue
        await rejects(
          () => provider.announce('r', { type: 'probe' }, { dedupeKey: bad }),
          'options.dedupeKey',
        )
        await rejects(
          () => provider.register('r', 'shop', { host: 'a.example.com', version: bad }),
          'node.version',
        )
      }
      for (const bad of [1, null, undefined, {}] as never[]) {
        await rejects(() => provider.register('r', 'shop', { host: bad }), 'node.host')
        await rejects(() => provider.unregister('r', 'shop', bad), 'host')
        await rejects(() => provider.addManual('r', 'shop', bad), 'host')
      }
      const end = sessionEnded(clock.now(), ['shop']) as SessionEnded
      const wrong: readonly [named: string, announcement: unknown][] = [
        ['announcement', undefined],
        ['announcement.type', {}],
        ['announcement.type', { type: 'login' }],
        ['announcement', { type: 'probe', at: 1 }],
        ['announcement.userId', { ...end, userId: '' }],
        ['announcement.sessionId', { ...end, sessionId: undefined }],
        ['announcement.at', { ...end, at: '1' }],
        ['announcement.at', { type: 'all-sessions-ended', at: -1 }],
        ['announcement.clients', { ...end, clients: 'shop' }],
        ['announcement.clients[0]', { ...end, clients: ['shop'] }],
        ['announcement.clients[0].clientId', { ...end, clients: [{}] }],
        ['announcement.clients[0].nodeHost', { ...end, clients: [{ clientId: 'shop', nodeHost: '' }] }],
        ['announcement.notBefore', { type: 'not-before-raised', notBefore: 1.5 }],
      ]
      for (const [named, announcement] of wrong)
        await rejects(() => provider.announce('r', announcement as Announcement), named)
      await rejects(
        () => provider.announce('r', { type: 'probe' }, { clientIds: 'shop' as never }),
        'options.clientIds',
      )
      for (const waitMs of [-1, 60_001, 1.5, '1' as never])
        await rejects(() => provider.settled('r', 'd', { waitMs }), 'options.waitMs')
      const listen = provider.on.bind(provider) as (event: unknown, listener: unknown) => unknown
      assert.throws(() => listen('no such event', () => {}), { name: 'TypeError', message: /"event"/ })
      assert.throws(() => listen('dead', 'x'), { name: 'TypeError', message: /"listener"/ })
      assert.deepEqual(await provider.list('r', 'shop'), [])
      assert.equal(await provider.deliverDue(), 0)
    },
  )

  basic(
    'arguments: a misspelt property is refused by name',
    'issue: bad input',
    async ({ provider, clock }) => {
      freshApplication().clients.set('shop', OPEN)
      const announce = (given: Announcement) => provider.announce('r', given)
      const client = { clientId: 'shop', nodeHost: 'n', applicationSessionId: 's' }
      const end: SessionEnded = {
        type: 'session-ended',
        userId: 'u',
        sessionId: 's',
        at: clock.now(),
        clients: [],
      }
      await refusesMisspelling<ApplicationNodeProvider>({
        register: [
          taker<NewNode>({ host: 'n1.example.com', version: '1' }, (given) =>
            provider.register('r', 'shop', given),
          ),
        ],
        announce: [
          taker<SessionEnded>(end, announce),
          taker<SessionEnded['clients'][number]>(client, (given) => announce({ ...end, clients: [given] })),
          taker<AllSessionsEnded>({ type: 'all-sessions-ended', userId: 'u', at: clock.now() }, announce),
          taker<NotBeforeRaised>({ type: 'not-before-raised', notBefore: clock.now() }, announce),
          taker<Probe>({ type: 'probe' }, announce),
          taker({ clientIds: ['shop'], dedupeKey: 'k' }, (given) =>
            provider.announce('r', { type: 'probe' }, given),
          ),
        ],
        settled: [
          taker<{ readonly waitMs: number }>({ waitMs: 0 }, (given) => provider.settled('r', 'd', given)),
        ],
        listDead: [taker({ limit: 1, cursor: 'c' }, (given) => provider.listDead('r', given))],
        unregister: [],
        addManual: [],
        removeNode: [],
        list: [],
        removeByClient: [],
        removeByRealm: [],
        checkClient: [],
        delivery: [],
        deliverDue: [],
        retryDead: [],
        discardDead: [],
        on: [],
        stats: [],
      })
      assert.deepEqual(await provider.list('r', 'shop'), [])
      assert.equal(await provider.deliverDue(), 0)
    },
  )

  basic(
    'names: hostile ones go through every verb, and each keeps to itself',
    'issue',
    async ({ provider, clock }) => {
      const application = freshApplication()
      for (const [, name] of hostilePairs) {
        application.clients.set(name, {
          ...OPEN,
          backchannelLogoutUri: 'https://shop.example.com/logout',
        })
      }
      for (const [realm, name] of hostilePairs) {
        assert.equal(
          (await provider.register(realm, name, { host: 'n1.example.com', version: name })).outcome,
          'registered',
        )
        const { deliveryId } = await provider.announce(
          realm,
          {
            type: 'session-ended',
            userId: name,
            sessionId: name,
            at: clock.now(),
            clients: [{ clientId: name, applicationSessionId: name }],
          },
          { dedupeKey: name },
        )
        await provider.deliverDue()
        const delivery = await provider.delivery(realm, deliveryId)
        assert.deepEqual(delivery && statesOf(delivery), [`${name} delivered`])
        const { claims } = application.received.at(-1) ?? assert.fail()
        assert.deepEqual([claims['sub'], claims['sid'], claims['aud']], [name, name, name])
        for (const [, other] of hostilePairs)
          assert.deepEqual(await hostsOf(provider, other, realm), other === name ? ['n1.example.com'] : [])
        assert.equal((await provider.list(realm, name))[0]?.version, name)
      }
      for (const [realm] of hostilePairs) assert.equal(await provider.removeByRealm(realm), 1)
    },
  )

  basic('names: one of 10 kB is refused', 'issue', async ({ provider, clock }) => {
    freshApplication()
    await refusesEndlessNames({
      realmId: (name) => provider.list(name, 'shop'),
      clientId: (name) => provider.list('r', name),
      deliveryId: (name) => provider.delivery('r', name),
      userId: (name) => provider.announce('r', { type: 'all-sessions-ended', userId: name, at: clock.now() }),
      dedupeKey: (name) => provider.announce('r', { type: 'probe' }, { dedupeKey: name }),
      id: (name) => provider.retryDead('r', name),
    })
  })

  basic('messages: never an id, a token or a value', 'house rules', async ({ provider, clock, logger }) => {
    const application = freshApplication()
    const secret = 'canary-7f3a'
    application.receiver = () => ({ status: 500, body: secret })
    const failing = [
      () => provider.list('r', `${secret}${'x'.repeat(512)}`),
      () => provider.announce(secret, { type: secret } as never),
      () => provider.announce(secret, sessionEnded(-1, [secret])),
      () => provider.announce('r', sessionEnded(clock.now(), [secret], { sessionId: '' })),
    ]
    for (const call of failing) {
      await assert.rejects(call, (error: Error) => {
        assert.doesNotMatch(error.message, new RegExp(secret))
        return true
      })
    }
    await provider.announce('r', {
      type: 'session-ended',
      userId: secret,
      sessionId: secret,
      at: clock.now(),
      clients: [{ clientId: 'mail' }],
    })
    await provider.deliverDue()
    assert.equal(application.received.length, 1)
    assert.doesNotMatch(JSON.stringify(logger.entries), new RegExp(secret))
  })

  basic('close: later calls fail, closing again does nothing', 'contract', async ({ provider }) => {
    freshApplication()
    await provider.close?.()
    await provider.close?.()
    const calls: (() => Promise<unknown>)[] = [
      () => provider.register('r', 'shop', { host: 'a.example.com' }),
      () => provider.unregister('r', 'shop', 'a'),
      () => provider.addManual('r', 'shop', 'a'),
      () => provider.removeNode('r', 'shop', 'a'),
      () => provider.list('r', 'shop'),
      () => provider.removeByClient('r', 'shop'),
      () => provider.removeByRealm('r'),
      () => provider.checkClient('r', 'shop'),
      () => provider.announce('r', { type: 'probe' }),
      () => provider.delivery('r', 'd'),
      () => provider.settled('r', 'd', { waitMs: 0 }),
      () => provider.deliverDue(),
      () => provider.listDead('r'),
      () => provider.retryDead('r', 'd'),
      () => provider.discardDead('r', 'd'),
      async () => provider.on('dead', () => {}),
    ]
    for (const call of calls) await assert.rejects(call, { code: 'ERR_PROVIDER_CLOSED' })
  })

  faults(
    'close: what is under way is given back, so that it is sent again',
    'nodes 17; contract',
    async ({ provider, clock, anotherNode }) => {
      const application = freshApplication()
      const other = await anotherNode({ name: 'b' })
      if (other === provider) return
      let arrived: (() => void) | undefined
      const arrival = new Promise<void>((resolve) => {
        arrived = resolve
      })
      application.receiver = () => {
        arrived?.()
        return new Promise(() => {})
      }
      const { deliveryId } = await provider.announce('r', sessionEnded(clock.now(), ['mail']))
      const sending = provider.deliverDue()
      await arrival
      await provider.close?.()
      await sending
      application.receiver = () => ({ status: 200 })
      const sent = await other.deliverDue()
      const delivery = await other.delivery('r', deliveryId)
      // A store of one process is gone with it.
      if (delivery === undefined) return
      assert.deepEqual([sent, statesOf(delivery), delivery.targets[0]?.attempts], [1, ['mail delivered'], 1])
    },
  )
}
