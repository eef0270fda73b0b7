// What @authstate/application-node sends is what the receivers take.
import { type Announcement, applicationNodeSpi, memoryApplicationNodes } from '@authstate/application-node'
import { memoryHttpClient } from '@authstate/http-client'
import { createProviderRegistry } from '@authstate/registry'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Application, CLIENT, ISSUER } from './support.js'

const ORIGIN = 'https://shop.example.com'

/** An application, and a server that tells it in one way. */
async function open(target: object) {
  const app = await Application.open({
    kind: 'cookie',
    receivers: {
      keycloak: {
        logout: '/app/k_logout',
        pushNotBefore: '/app/k_push_not_before',
        testAvailable: '/app/k_test_available',
      },
    },
  })
  const registry = createProviderRegistry({
    factories: [
      memoryHttpClient(async ({ url, method, headers, body }) => {
        const { backChannelLogout, keycloakAdmin, securityEvent } = app.nodes[0].receivers
        const request = new Request(url, { method, headers, body: String(body) })
        const isEvent = url.endsWith('/events')
        const receive = url.endsWith('/backchannel')
          ? backChannelLogout
          : isEvent
            ? securityEvent
            : keycloakAdmin
        const { status } = await receive(request)
        return { status }
      }),
      memoryApplicationNodes({
        clients: () => target,
        issuer: () => ISSUER,
        sign: (claims, { typ }) => app.op.sign(claims, { typ }),
      }),
    ],
    config: { spi: { 'http-client': { provider: 'memory' } } },
    clock: app.clock,
  })
  await registry.start()
  onTestFinished(() => registry.close())
  const nodes = registry.get(applicationNodeSpi)
  /** @returns what became of each message */
  const announce = async (announcement: Announcement) => {
    const { deliveryId } = await nodes.announce('shop', announcement, { clientIds: [CLIENT] })
    const delivery = await nodes.settled('shop', deliveryId, { waitMs: 5_000 })
    return delivery?.targets.map(({ state, reason }) => reason ?? state)
  }
  return { app, announce }
}

describe.each([
  ['logout tokens', { backchannelLogoutUri: `${ORIGIN}/backchannel` }],
  ['actions of Keycloak', { managementUrl: `${ORIGIN}/app` }],
  ['security events', { securityEventUri: `${ORIGIN}/events` }],
] as const)('50: %s of application-node', (name, target) => {
  test('end a session, and all of a user', async () => {
    const { app, announce } = await open(target)
    const [first, second] = [await app.login(0, { sid: 's-1' }), await app.login(1, { sid: 's-2' })]
    app.clock.advance(1_500)
    const clients = [{ clientId: CLIENT }]
    const at = app.clock.now()
    expect(await announce({ type: 'session-ended', userId: 'u-1', sessionId: 's-1', at, clients })).toEqual([
      'delivered',
    ])
    expect([await app.who(first, 1), await app.who(second)]).toEqual(['ended', 'u-1'])
    const all = {
      type: 'all-sessions-ended',
      at,
      ...(name !== 'actions of Keycloak' && { userId: 'u-1' }),
    } as const
    expect(await announce(all)).toEqual(['delivered'])
    expect(await app.who(second, 1)).toBe('ended')
    app.clock.advance(1_500)
    expect(await app.who(await app.login(0, { sid: 's-3' }), 1)).toBe('u-1')
  })

  test('ask whether it is there, and raise the not-before', async () => {
    const { app, announce } = await open(target)
    if (name !== 'logout tokens') expect(await announce({ type: 'probe' })).toEqual(['delivered'])
    if (name !== 'actions of Keycloak') return
    const notBefore = app.clock.now()
    expect(await announce({ type: 'not-before-raised', notBefore })).toEqual(['delivered'])
    expect(await app.nodes[1].store.raiseNotBefore(0)).toBe(notBefore)
  })
})
