// What libraries of others make of the messages: in the words of what they check; and, by `npm run test:long`, as they are published.

import { createPublicKey, createVerify } from 'node:crypto'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { RecordingLogger } from '@authstate/conformance'
import { undiciHttpClient } from '@authstate/http-client'
import { createProviderRegistry } from '@authstate/registry'
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { describe, expect, onTestFinished, test } from 'vitest'
import { npmFolder } from '../../../tools/lib/npm-folder.mjs'
import { Browser } from '../../../tools/testing/browser.js'
import { describeWith } from '../../../tools/testing/capabilities.js'
import { startChild } from '../../../tools/testing/child.js'
import {
  type Announcement,
  applicationNodeSpi,
  type ClientTargets,
  memoryApplicationNodes,
} from '../src/index.js'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
const jwk = { ...(await exportJWK(publicKey)), kid: 'op', alg: 'RS256', use: 'sig' }
const keys = { keys: [jwk] }

const sign = (claims: JWTPayload, typ: string) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'op', typ }).sign(privateKey)

type Answer = (request: { url: URL; body: string }) => Promise<[status: number, body?: object]>

async function listen(answer: Answer): Promise<string> {
  const server = createServer(async (incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', 'http://op')
    const [status, body] = await answer({ url, body: await read(incoming) })
    outgoing.writeHead(status, { 'content-type': 'application/json' }).end(body && JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function read(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}

/** Sends for an issuer. @returns announces to a client, and answers what became of it at once */
async function sender(issuer: string, clients: Readonly<Record<string, ClientTargets>>) {
  const registry = createProviderRegistry({
    factories: [
      undiciHttpClient({ env: {} }),
      memoryApplicationNodes({
        clients: (_realmId, clientId) => {
          const open = { allowInsecure: true, allowedHosts: ['127.0.0.1'], egress: ['127.0.0.1'] }
          return clients[clientId] && { ...open, ...clients[clientId] }
        },
        issuer: () => issuer,
        sign: (claims, { typ }) => sign(claims, typ),
      }),
    ],
    logger: new RecordingLogger(),
  })
  await registry.start()
  onTestFinished(() => registry.close())
  const nodes = registry.get(applicationNodeSpi)
  return async (announcement: Announcement, clientId: string) => {
    const { deliveryId } = await nodes.announce('acme', announcement, { clientIds: [clientId] })
    const delivery = await nodes.settled('acme', deliveryId, { waitMs: 10_000 })
    return delivery?.targets.map(({ state, lastStatus }) => `${state} ${lastStatus}`)
  }
}

const ended = (clientId: string, sessionId: string, applicationSessionId?: string): Announcement => ({
  type: 'session-ended',
  userId: 'ada',
  sessionId,
  at: Date.now(),
  clients: [{ clientId, applicationSessionId }],
})

describe('in our own words', () => {
  test('a logout token passes what express-openid-connect looks at', async () => {
    const heard: JWTPayload[] = []
    const origin = await listen(async ({ body }) => {
      const { payload } = await jwtVerify(
        new URLSearchParams(body).get('logout_token') ?? '',
        createLocalJWKSet(keys),
        { issuer: 'https://op.example.com', audience: 'shop', algorithms: ['RS256'] },
      )
      const { events, nonce, sub, sid } = payload as { events: Record<string, object> } & JWTPayload
      heard.push(payload)
      return [events[EVENT] && nonce === undefined && (sub || sid) ? 204 : 400]
    })
    const send = await sender('https://op.example.com', {
      shop: { backchannelLogoutUri: `${origin}/logout` },
    })
    expect(await send(ended('shop', 's-1'), 'shop')).toEqual(['delivered 204'])
    expect(await send({ type: 'all-sessions-ended', userId: 'ada', at: Date.now() }, 'shop')).toEqual([
      'delivered 204',
    ])
    expect(heard.map(({ sub, sid }) => [sub, sid])).toEqual([
      ['ada', 's-1'],
      ['ada', undefined],
    ])
  })

  test('an action passes what keycloak-connect looks at', async () => {
    const heard: unknown[] = []
    const origin = await listen(async ({ url, body }) => {
      const [header = '', content = '', signature = ''] = body.split('.')
      const isSigned = createVerify('RSA-SHA256')
        .update(`${header}.${content}`)
        .verify(createPublicKey({ key: jwk as never, format: 'jwk' }), signature, 'base64url')
      const claims = JSON.parse(Buffer.from(content, 'base64url').toString()) as Record<string, unknown>
      const wanted = { '/app/k_logout': 'LOGOUT', '/app/k_push_not_before': 'PUSH_NOT_BEFORE' }[url.pathname]
      heard.push([claims['action'], claims['adapterSessionIds'], claims['notBefore']])
      return [isSigned && claims['action'] === wanted ? 200 : 400]
    })
    const send = await sender('https://op.example.com', { wiki: { managementUrl: `${origin}/app` } })
    const at = 1_700_000_000_500
    for (const announcement of [
      ended('wiki', 's-1', 'theirs'),
      { type: 'all-sessions-ended', at },
      { type: 'not-before-raised', notBefore: at },
    ] as const)
      expect(await send(announcement, 'wiki')).toEqual(['delivered 200'])
    expect(heard).toEqual([
      ['LOGOUT', ['theirs'], 0],
      ['LOGOUT', null, 1_700_000_000],
      ['PUSH_NOT_BEFORE', undefined, 1_700_000_000],
    ])
  })
})

/** A provider that signs everybody in as ada. */
async function provider(): Promise<string> {
  let origin = ''
  origin = await listen(async ({ url, body }) => {
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return [
          200,
          {
            issuer: origin,
            authorization_endpoint: `${origin}/authorize`,
            token_endpoint: `${origin}/token`,
            jwks_uri: `${origin}/jwks`,
            response_types_supported: ['code'],
            subject_types_supported: ['public'],
            id_token_signing_alg_values_supported: ['RS256'],
            token_endpoint_auth_methods_supported: ['client_secret_basic'],
          },
        ]
      case '/jwks':
      case '/realms/acme/protocol/openid-connect/certs':
        return [200, keys]
      case '/token': {
        // The code is what the ID token has to say.
        const claims = JSON.parse(new URLSearchParams(body).get('code') ?? '{}') as JWTPayload
        const iat = Math.floor(Date.now() / 1_000)
        const id = await sign({ iss: origin, aud: 'shop', iat, exp: iat + 300, ...claims }, 'JWT')
        return [200, { id_token: id, access_token: 'access', token_type: 'Bearer', expires_in: 300 }]
      }
      default:
        return [404]
    }
  })
  return origin
}

const PACKAGES = [
  'express@4.22.1',
  'express-session@1.18.2',
  'express-openid-connect@3.4.0',
  'keycloak-connect@26.1.1',
]

// 178 packages: too many for every run.
if (process.env['DELIVERY_TARGETS'] !== undefined) {
  const folder = await npmFolder('peers-of-delivery', PACKAGES).catch((error: Error) => error)
  const isThere = !(folder instanceof Error)
  const npm = { name: 'npm', available: isThere, reason: isThere ? '' : folder.message.slice(0, 200) }

  describeWith(npm, 'as they are published', () => {
    test('express-openid-connect signs out, keycloak-connect signs out and takes a not-before', {
      timeout: 120_000,
    }, async () => {
      const op = await provider()
      const place = mkdtempSync(join(String(folder), 'program-'))
      onTestFinished(() => rmSync(place, { recursive: true, force: true }))
      const program = join(place, 'app.mjs')
      copyFileSync(new URL('./peers/app.mjs', import.meta.url), program)
      const said = await startChild(program, [], { env: { ...process.env, OP: op } }).said(/^ready /)
      const [, shop = '', wiki = ''] = said.split(' ')
      const send = await sender(op, {
        shop: { backchannelLogoutUri: `${shop}/backchannel-logout` },
        wiki: { managementUrl: `${wiki}/app` },
      })

      /** Signs in at the shop. */
      const signIn = async (sid: string): Promise<Browser> => {
        const browser = new Browser(shop)
        const { location } = await browser.go('/login')
        const { searchParams } = new URL(location)
        const code = JSON.stringify({ sub: 'ada', sid, nonce: searchParams.get('nonce') ?? undefined })
        await browser.go(`/callback?${new URLSearchParams({ code, state: searchParams.get('state') ?? '' })}`)
        expect((await browser.go('/who')).text).toBe('ada')
        return browser
      }
      const first = await signIn('s-1')
      expect(await send(ended('shop', 's-1'), 'shop')).toEqual(['delivered 204'])
      expect((await first.go('/who')).text).toBe('nobody')
      const second = await signIn('s-2')
      const everywhere = { type: 'all-sessions-ended', userId: 'ada', at: Date.now() } as const
      expect(await send(everywhere, 'shop')).toEqual(['delivered 204'])
      expect((await second.go('/who')).text).toBe('nobody')

      const [one, other] = [new Browser(wiki), new Browser(wiki)]
      const [id] = [(await one.go('/enter')).text, await other.go('/enter')]
      const who = async (browser: Browser) =>
        JSON.parse((await browser.go('/who')).text) as { isSignedIn: boolean; notBefore: number }
      expect(await send(ended('wiki', 's-1', id), 'wiki')).toEqual(['delivered 200'])
      await expect.poll(async () => (await who(one)).isSignedIn).toBe(false)
      expect((await who(other)).isSignedIn).toBe(true)
      const notBefore = 1_700_000_000_000
      expect(await send({ type: 'not-before-raised', notBefore }, 'wiki')).toEqual(['delivered 200'])
      expect((await who(other)).notBefore).toBe(notBefore / 1_000)
      expect(await send({ type: 'all-sessions-ended', at: notBefore + 5_000 }, 'wiki')).toEqual([
        'delivered 200',
      ])
      expect((await who(other)).notBefore).toBe(notBefore / 1_000 + 5)
      // It has no such endpoint, and that is told.
      expect(await send({ type: 'probe' }, 'wiki')).toEqual(['failed 404'])
    })
  })
}
