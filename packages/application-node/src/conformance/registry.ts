import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { ApplicationNodeProvider } from '../contract.js'
import { SESSION_HOST } from '../targets.js'
import { freshApplication, hostsOf, MINUTE_MS, registered } from './fixture.js'

const OPEN = { managementUrl: 'https://shop.example.com/admin', allowedHosts: ['*.example.com'] }

/** Which nodes a client has. */
export function registry({
  basic,
  expiry,
  concurrency,
  cluster,
}: SuiteBuilder<ApplicationNodeProvider>): void {
  basic('register: again is a renewal', 'nodes 1', async ({ provider, clock }) => {
    freshApplication().clients.set('shop', { ...OPEN, nodeTimeoutMs: MINUTE_MS })
    const registeredAt = clock.now()
    const first = await provider.register('r', 'shop', { host: 'n1.example.com', version: '1.2' })
    const node = {
      realmId: 'r',
      clientId: 'shop',
      host: 'n1.example.com',
      source: 'registered',
      registeredAt,
      lastSeenAt: registeredAt,
      expiresAt: registeredAt + MINUTE_MS,
      version: '1.2',
    }
    assert.deepEqual(first, { outcome: 'registered', node })
    clock.advance(10_000)
    const lastSeenAt = clock.now()
    const renewed = { ...node, lastSeenAt, expiresAt: lastSeenAt + MINUTE_MS, version: '1.3' }
    assert.deepEqual(await provider.register('r', 'shop', { host: 'n1.example.com', version: '1.3' }), {
      outcome: 'renewed',
      node: renewed,
    })
    assert.deepEqual(await provider.list('r', 'shop'), [renewed])
  })

  expiry('list: a node is there until its time is over', 'nodes 2', async ({ provider, clock, commands }) => {
    freshApplication().clients.set('shop', { ...OPEN, nodeTimeoutMs: MINUTE_MS })
    await registered(provider, 'shop', 'n1.example.com')
    clock.advance(MINUTE_MS - 1)
    assert.deepEqual(await hostsOf(provider, 'shop'), ['n1.example.com'])
    clock.advance(1)
    const before = commands?.()
    assert.deepEqual(await provider.list('r', 'shop'), [])
    if (before !== undefined && commands) assert.equal(commands() - before, 1)
    assert.equal(await provider.unregister('r', 'shop', 'n1.example.com'), false)
    await registered(provider, 'shop', 'n1.example.com')
  })

  expiry('list: without a time-out a node stays', 'nodes 3', async ({ provider, clock }) => {
    freshApplication().clients.set('shop', OPEN)
    await registered(provider, 'shop', 'n1.example.com')
    const [node] = await provider.list('r', 'shop')
    assert.ok(node !== undefined && !('expiresAt' in node))
    clock.advance(10 * 365 * 24 * 60 * MINUTE_MS)
    assert.deepEqual(await hostsOf(provider, 'shop'), ['n1.example.com'])
  })

  basic('unregister: an entry that an administrator made stays', 'nodes 4', async ({ provider, clock }) => {
    freshApplication().clients.set('shop', { ...OPEN, nodeTimeoutMs: MINUTE_MS })
    await registered(provider, 'shop', 'n1.example.com', 'n2.example.com')
    assert.equal((await provider.addManual('r', 'shop', 'n1.example.com')).outcome, 'renewed')
    assert.equal((await provider.register('r', 'shop', { host: 'n1.example.com' })).outcome, 'renewed')
    assert.equal(await provider.unregister('r', 'shop', 'n1.example.com'), false)
    assert.equal(await provider.unregister('r', 'shop', 'N2.example.com'), true)
    assert.equal(await provider.unregister('r', 'shop', 'n2.example.com'), false)
    assert.equal(await provider.unregister('r', 'nobody', 'n2.example.com'), false)
    clock.advance(100 * MINUTE_MS)
    const [node] = await provider.list('r', 'shop')
    assert.deepEqual([node?.host, node?.source], ['n1.example.com', 'manual'])
    assert.equal(await provider.removeNode('r', 'shop', 'n1.example.com'), true)
    assert.equal(await provider.removeNode('r', 'shop', 'n1.example.com'), false)
    assert.deepEqual(await provider.list('r', 'shop'), [])
  })

  basic('register: what is no host is refused, and nothing is stored', 'nodes 5', async ({ provider }) => {
    freshApplication().clients.set('shop', {
      ...OPEN,
      allowedHosts: ['*.example.com', '*', '127.0.0.0/8', '::/0', '0.0.0.0/0'],
    })
    const label = 'a'.repeat(64)
    const long = `${'a'.repeat(61)}.`.repeat(4)
    for (const host of [
      '',
      ' ',
      'host:8080',
      'a/b',
      'a@b',
      'a%00',
      'a%2eb',
      'a\\b',
      'a b',
      ' n1.example.com',
      'n1.example.com\n',
      'n1.example.com\u0000',
      'n1.example.com.',
      '.example.com',
      'a..example.com',
      '-a.example.com',
      'a-.example.com',
      `${label}.example.com`,
      `${long}example`,
      '127.1',
      '2130706433',
      '0x7f.1',
      '0x7f000001',
      '0177.0.0.1',
      '1.2.3.256',
      '１２７.0.0.1',
      '[::1]',
      '::1%lo',
      'xn--a.example.com',
      'xn--',
      'https://n1.example.com',
      'n1.example.com?x',
      'n1.example.com#x',
      '*',
      '*.example.com',
      `${SESSION_HOST}`,
      'x'.repeat(10_000),
    ]) {
      assert.deepEqual(
        await provider.register('r', 'shop', { host }),
        { outcome: 'refused', reason: 'host' },
        JSON.stringify(host),
      )
      assert.deepEqual(await provider.addManual('r', 'shop', host), { outcome: 'refused', reason: 'host' })
      assert.equal(await provider.unregister('r', 'shop', host), false)
    }
    assert.deepEqual(await provider.list('r', 'shop'), [])
    for (const [given, host] of [
      ['N1.Example.COM', 'n1.example.com'],
      ['bücher.example.com', 'xn--bcher-kva.example.com'],
      ['127.0.0.1', '127.0.0.1'],
      ['2001:DB8:0:0::1', '2001:db8::1'],
      ['n_1.example.com', 'n_1.example.com'],
    ] as const) {
      const outcome = await provider.register('r', 'shop', { host: given })
      assert.equal('node' in outcome ? outcome.node.host : outcome.reason, host)
    }
  })

  basic('register: without rules only the hosts of the URLs', 'nodes 6', async ({ provider }) => {
    const application = freshApplication()
    application.clients.set('shop', {
      managementUrl: 'https://shop.example.com/admin',
      backchannelLogoutUri: 'https://10.0.0.7:8443/logout',
    })
    const register = async (host: string, clientId = 'shop') => {
      const outcome = await provider.register('r', clientId, { host })
      return outcome.outcome === 'refused' ? outcome.reason : outcome.outcome
    }
    assert.equal(await register('internal.example.com'), 'host-not-allowed')
    assert.equal(await register('169.254.169.254'), 'host-not-allowed')
    assert.equal(await register('shop.example.com'), 'registered')
    assert.equal(await register('10.0.0.7'), 'registered')
    assert.equal(await register('shop.example.com', 'nobody'), 'host-not-allowed')
    assert.deepEqual(await provider.addManual('r', 'shop', 'internal.example.com'), {
      outcome: 'refused',
      reason: 'host-not-allowed',
    })
    assert.deepEqual(await hostsOf(provider, 'shop'), ['10.0.0.7', 'shop.example.com'])
  })

  basic(
    'register: patterns match within one label, networks match addresses',
    'nodes 7',
    async ({ provider }) => {
      freshApplication().clients.set('shop', {
        ...OPEN,
        allowedHosts: ['app-*.int.example.com', '10.20.0.0/16', '2001:db8::/32', '192.0.2.1'],
      })
      const allowed = async (host: string) =>
        (await provider.register('r', 'shop', { host })).outcome !== 'refused'
      for (const host of [
        'app-1.int.example.com',
        'APP-2.int.example.com',
        '10.20.255.1',
        '2001:db8:1::1',
        '192.0.2.1',
      ])
        assert.equal(await allowed(host), true, host)
      for (const host of [
        'app-1.x.int.example.com',
        'app-1.int.example.com.evil.org',
        'xapp-1.int.example.com',
        'app-1-int.example.com',
        '10.21.0.1',
        '2001:db9::1',
        '192.0.2.2',
        '::ffff:10.20.0.1',
        '127.0.0.1',
      ])
        assert.equal(await allowed(host), false, host)
    },
  )

  basic('list: another realm and another client have none of them', 'nodes 11', async ({ provider }) => {
    const application = freshApplication()
    application.clients.set('shop', OPEN)
    application.clients.set('mail', OPEN)
    await registered(provider, 'shop', 'n1.example.com')
    assert.deepEqual(await provider.list('r2', 'shop'), [])
    assert.deepEqual(await provider.list('r', 'mail'), [])
    assert.equal(await provider.unregister('r2', 'shop', 'n1.example.com'), false)
    assert.equal(await provider.removeNode('r', 'mail', 'n1.example.com'), false)
    assert.deepEqual(await hostsOf(provider, 'shop'), ['n1.example.com'])
  })

  concurrency(
    'register: of nodes at once no more than the limit',
    'nodes 10',
    async ({ provider, clock }) => {
      freshApplication().clients.set('shop', { ...OPEN, nodeTimeoutMs: MINUTE_MS })
      for (let index = 0; index < 80; index++) await registered(provider, 'shop', `old-${index}.example.com`)
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          provider.register('r', 'shop', { host: `new-${index}.example.com` }),
        ),
      )
      assert.equal(outcomes.filter(({ outcome }) => outcome === 'registered').length, 20)
      const refused = outcomes.filter((outcome) => outcome.outcome === 'refused')
      assert.ok(refused.length === 30 && refused.every(({ reason }) => reason === 'limit'))
      assert.equal((await provider.list('r', 'shop')).length, 100)
      assert.equal((await provider.register('r', 'shop', { host: 'old-1.example.com' })).outcome, 'renewed')
      clock.advance(MINUTE_MS)
      await registered(provider, 'shop', 'another.example.com')
    },
  )

  basic('removeByClient, removeByRealm: nothing of them is left', 'contract', async ({ provider, clock }) => {
    const application = freshApplication()
    application.clients.set('shop', { ...OPEN, nodeTimeoutMs: MINUTE_MS })
    application.clients.set('mail', OPEN)
    await registered(provider, 'shop', 'n1.example.com', 'n2.example.com')
    await registered(provider, 'mail', 'n1.example.com')
    await provider.register('r2', 'mail', { host: 'n1.example.com' })
    assert.equal(await provider.removeByClient('r', 'shop'), 2)
    assert.equal(await provider.removeByClient('r', 'shop'), 0)
    assert.deepEqual(await hostsOf(provider, 'mail'), ['n1.example.com'])
    await registered(provider, 'shop', 'n1.example.com')
    const { deliveryId } = await provider.announce('r', { type: 'probe' }, { clientIds: ['shop'] })
    clock.advance(1)
    assert.equal(await provider.removeByRealm('r'), 2)
    assert.equal(await provider.removeByRealm('r'), 0)
    assert.deepEqual([...(await provider.list('r', 'shop')), ...(await provider.list('r', 'mail'))], [])
    assert.equal(await provider.delivery('r', deliveryId), undefined)
    assert.equal(await provider.deliverDue(), 0)
    assert.deepEqual(application.hosts, [])
    assert.deepEqual(await hostsOf(provider, 'mail', 'r2'), ['n1.example.com'])
  })

  cluster('verbs about a node: one command each', 'D1', async ({ provider, commands }) => {
    if (commands === undefined) return
    freshApplication().clients.set('shop', OPEN)
    const verbs: Readonly<Record<string, () => Promise<unknown>>> = {
      register: () => provider.register('r', 'shop', { host: 'n1.example.com' }),
      list: () => provider.list('r', 'shop'),
      unregister: () => provider.unregister('r', 'shop', 'n1.example.com'),
      removeNode: () => provider.removeNode('r', 'shop', 'n1.example.com'),
      delivery: () => provider.delivery('r', 'none'),
      removeByClient: () => provider.removeByClient('r', 'shop'),
    }
    for (const [verb, call] of Object.entries(verbs)) {
      await call()
      // The first call may have sent the source of its script.
      const before = commands()
      await call()
      assert.equal(commands() - before, 1, verb)
    }
  })
}
