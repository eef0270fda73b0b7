import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { ApplicationNodeProvider, ClientTargets } from '../contract.js'
import { SESSION_HOST } from '../targets.js'
import {
  delivered,
  deliveryOf,
  freshApplication,
  only,
  registered,
  sessionEnded,
  statesOf,
} from './fixture.js'

/** Where messages may go, and where they do. */
export function targets({ basic }: SuiteBuilder<ApplicationNodeProvider>): void {
  basic('send: a host that is allowed no longer is not sent to', 'nodes 8', async ({ provider, clock }) => {
    const application = freshApplication()
    const open = { managementUrl: 'https://shop.example.com/admin', allowedHosts: ['n1.example.com'] }
    application.clients.set('shop', open)
    await registered(provider, 'shop', 'n1.example.com')
    const { deliveryId } = await provider.announce('r', sessionEnded(clock.now(), ['shop']))
    application.clients.set('shop', { ...open, allowedHosts: ['n2.example.com'] })
    await provider.deliverDue()
    const target = only(await deliveryOf(provider, deliveryId))
    assert.deepEqual(
      [target.state, target.reason, target.host, target.attempts],
      ['refused', 'host-not-allowed', 'n1.example.com', 0],
    )
    // Neither when it is announced.
    assert.deepEqual(statesOf(await delivered(provider, sessionEnded(clock.now(), ['shop']))), [
      'shop refused: host-not-allowed',
    ])
    assert.deepEqual([application.hosts, application.minted], [[], 0])
  })

  basic(
    'checkClient: what cannot be sent to is told by client and property',
    'nodes 9',
    async ({ provider }) => {
      const application = freshApplication()
      const rules = { allowedHosts: ['*.example.com'] }
      const wrong: readonly [property: string, targets: ClientTargets][] = [
        ['managementUrl', { ...rules, managementUrl: `https://a.example.com/${SESSION_HOST}` }],
        ['managementUrl', { ...rules, managementUrl: `https://a.example.com:${SESSION_HOST}/` }],
        ['managementUrl', { ...rules, managementUrl: `https://app-${SESSION_HOST}/` }],
        ['managementUrl', { ...rules, managementUrl: `https://${SESSION_HOST}x.example.com/` }],
        ['managementUrl', { ...rules, managementUrl: `https://${SESSION_HOST}@a.example.com/` }],
        ['managementUrl', { ...rules, managementUrl: `https://${'$'}{other}/` }],
        ['managementUrl', { managementUrl: 'http://a.example.com/' }],
        ['managementUrl', { managementUrl: 'ftp://a.example.com/' }],
        ['managementUrl', { managementUrl: '/admin' }],
        ['managementUrl', { managementUrl: '//a.example.com/admin' }],
        ['managementUrl', { managementUrl: 'https://user:pass@a.example.com/' }],
        ['managementUrl', { managementUrl: 'https://a.example.com/#x' }],
        ['managementUrl', { managementUrl: 'https://a.example.com\\@b.example.com/' }],
        ['managementUrl', { managementUrl: 'https:///admin' }],
        ['managementUrl', { managementUrl: 1 as never }],
        ['backchannelLogoutUri', { backchannelLogoutUri: 'javascript:alert(1)' }],
        ['securityEventUri', { securityEventUri: 'https://a.example.com./' }],
        ['allowedHosts', { backchannelLogoutUri: `https://${SESSION_HOST}/logout` }],
        ['allowedHosts', { backchannelLogoutUri: `https://${SESSION_HOST}/`, allowedHosts: [] }],
        ['allowedHosts', { allowedHosts: ['https://a.example.com'] }],
        ['allowedHosts', { allowedHosts: ['10.0.0.0/33'] }],
        ['allowedHosts', { allowedHosts: ['10.0.*.1'] }],
        ['allowedHosts', { allowedHosts: 'a.example.com' as never }],
        ['nodeTimeoutMs', { nodeTimeoutMs: -1 }],
        ['maxNodes', { maxNodes: 0 }],
        ['egress', { egress: [1] as never }],
        ['alg', { alg: 'none' }],
        ['everyNode', { everyNode: 'yes' as never }],
        ['allowedHost', { allowedHost: [] } as never],
      ]
      for (const [property, given] of wrong) {
        application.clients.set('bad', given)
        const says = (error: Error) => {
          assert.equal(error.name, 'ConfigurationError', property)
          assert.match(error.message, /"bad"/)
          assert.ok(error.message.includes(`"${property}"`), `${error.message} names "${property}"`)
          return true
        }
        await assert.rejects(() => provider.checkClient('r', 'bad'), says)
        await assert.rejects(() => provider.register('r', 'bad', { host: 'n1.example.com' }), says)
      }
      for (const given of [
        {},
        { managementUrl: 'http://127.0.0.1:8080/x?y=1', allowInsecure: true },
        { ...rules, managementUrl: `https://${SESSION_HOST}:8443/admin` },
        { ...rules, backchannelLogoutUri: `https://${SESSION_HOST}.int.example.com/` },
      ]) {
        application.clients.set('good', given)
        await provider.checkClient('r', 'good')
      }
      await provider.checkClient('r', 'nobody')
    },
  )

  basic(
    'session host: the message goes to the node of the session, if that is known and allowed',
    'nodes 9; CVE-2026-4874',
    async ({ provider, clock }) => {
      const application = freshApplication()
      application.clients.set('shop', {
        managementUrl: `https://${SESSION_HOST}:8443/admin`,
        allowedHosts: ['*.example.com', '10.0.0.0/8', 'fd00::/8'],
        egress: ['fd00::/8'],
      })
      await registered(provider, 'shop', 'n1.example.com', 'n2.example.com', 'fd00::1')
      const to = async (nodeHost?: string) => {
        application.received = []
        const fields = nodeHost === undefined ? {} : { nodeHost }
        const delivery = await delivered(provider, sessionEnded(clock.now(), ['shop'], fields))
        return [...statesOf(delivery), ...application.received.map(({ url }) => url)]
      }
      assert.deepEqual(await to('n2.example.com'), [
        'shop delivered',
        'https://n2.example.com:8443/admin/k_logout',
      ])
      assert.deepEqual(await to('FD00:0::1'), ['shop delivered', 'https://[fd00::1]:8443/admin/k_logout'])
      // A node that nobody registered, and what is no host: the request that named it is not believed.
      for (const host of ['n3.example.com', '10.0.0.1', 'n1.example.com:1', 'evil.org', 'a/b'])
        assert.deepEqual(await to(host), ['shop refused: no-host'])
      assert.equal((await to()).filter((item) => item === 'shop delivered').length, 3)
    },
  )

  basic(
    'session host: as the first labels of the host, what comes out is looked at',
    'nodes 9; D1',
    async ({ provider, clock }) => {
      const application = freshApplication()
      application.clients.set('shop', {
        backchannelLogoutUri: `https://${SESSION_HOST}.int.example.com/logout`,
        allowedHosts: ['n1', 'n2', 'n1.int.example.com'],
      })
      await registered(provider, 'shop', 'n1', 'n2')
      const to = async (nodeHost: string) =>
        statesOf(await delivered(provider, sessionEnded(clock.now(), ['shop'], { nodeHost })))
      assert.deepEqual(await to('n1'), ['shop delivered'])
      assert.deepEqual(await to('n2'), ['shop refused: host-not-allowed'])
      assert.deepEqual(application.hosts, ['n1.int.example.com'])
    },
  )

  basic(
    'egress: addresses that are not public are refused unless the client has them',
    'nodes 8; CVE-2026-4874',
    async ({ provider, clock }) => {
      const application = freshApplication()
      application.clients.set('shop', { backchannelLogoutUri: 'https://10.20.0.7/logout' })
      assert.deepEqual(statesOf(await delivered(provider, sessionEnded(clock.now(), ['shop']))), [
        'shop refused: egress',
      ])
      assert.deepEqual(application.hosts, [])
      application.clients.set('shop', {
        backchannelLogoutUri: 'https://10.20.0.7/logout',
        egress: ['10.20.0.0/16'],
      })
      assert.deepEqual(statesOf(await delivered(provider, sessionEnded(clock.now(), ['shop']))), [
        'shop delivered',
      ])
      application.clients.set('shop', {
        backchannelLogoutUri: 'https://10.20.0.7/logout',
        egress: ['everything'],
      })
      assert.deepEqual(statesOf(await delivered(provider, sessionEnded(clock.now(), ['shop']))), [
        'shop refused: configuration',
      ])
    },
  )
}
