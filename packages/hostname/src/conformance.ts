/**
 * What every provider of URLs must show, wherever its URLs come from: no request changes what is configured.
 *
 * @module
 */
import assert from 'node:assert/strict'
import {
  defineSuite,
  hostileNames,
  refusesEndlessNames,
  refusesMisspelling,
  taker,
  type Verbs,
} from '@authstate/conformance'
import { ProviderClosedError } from '@authstate/spi'
import {
  type HostnameProvider,
  hostnameSpi,
  type RealmOption,
  type RequestBase,
  type ResolveOptions,
} from './contract.js'

const VERBS: Verbs<HostnameProvider> = {
  url: true,
  issuer: true,
  clientAddress: true,
  resolveRelative: true,
  stats: true,
}

const PROPERTIES = { frontendUrl: 'https://login.example.com/auth' }

const request = (parts: Partial<RequestBase> = {}): RequestBase => ({
  scheme: 'https',
  host: 'login.example.com',
  remoteAddress: '203.0.113.7',
  headers: {},
  ...parts,
})

/** What a client can say of itself to be taken for somebody else. */
const FORGED: readonly RequestBase[] = [
  request({ host: 'evil.example' }),
  request({ host: 'login.example.com:8443', scheme: 'http' }),
  request({ host: 'login.example.com.evil.example' }),
  request({ host: 'login.example.com@evil.example' }),
  request({ host: 'evil.example/login.example.com' }),
  request({ host: 'login.example.com\r\nX: y' }),
  request({ host: undefined }),
  request({ host: '' }),
  request({
    headers: {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      'x-forwarded-for': '1.2.3.4',
    },
  }),
  request({ headers: { forwarded: 'for=1.2.3.4;host=evil.example;proto=http' } }),
  request({
    headers: { 'x-forwarded-host': ['evil.example', 'evil.example'], 'x-original-host': 'evil.example' },
  }),
  request({ host: 'evil.example', remoteAddress: '127.0.0.1', headers: { 'x-forwarded-for': '127.0.0.1' } }),
]

/** As they stand in a root URL. */
const PLACEHOLDER = { base: `$${'{authBaseUrl}'}`, console: `$${'{authAdminUrl}'}/console` }

/** URIs that would lead away from the server, or are none. */
const AWAY = [
  '',
  'evil.example',
  'app',
  './app',
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/a\\b',
  '/a\r\nb',
  '/a\tb',
  '/\t/evil.example',
  '/\n/evil.example',
  '/a b',
  '/a\0b',
  '/a\u0085b',
  '/a\ud800',
  ' /app',
  'javascript:alert(1)',
  'JavaScript:alert(1)',
  'data:text/html,a',
  'file:///etc/passwd',
  'ftp://evil.example/',
  'https:evil.example',
  'https:/evil.example',
  'https:///evil.example',
  'https:\\\\evil.example',
  'https://',
  'https://user@evil.example/',
  'https://login.example.com@evil.example/',
  'https://a b/',
  'https://a..b/',
  '?a=b',
  '#a',
  `/${'a'.repeat(10_000)}`,
]

/** The suite for every provider of URLs. */
export const hostnameSuite = defineSuite<HostnameProvider>(
  hostnameSpi,
  ({ basic }) => {
    basic('url: no request changes the frontend URL', 'contract, nodes 37', async ({ provider }) => {
      assert.equal((await provider.url('frontend'))?.href, 'https://login.example.com/auth')
      for (const forged of [undefined, request(), ...FORGED]) {
        for (const type of ['frontend', 'admin', 'backend'] as const) {
          const { href } = (await provider.url(type, forged)) ?? {}
          assert.equal(href, 'https://login.example.com/auth', `${type} ${JSON.stringify(forged)}`)
        }
      }
    })

    basic(
      'issuer: no request changes it, and it has no slash at its end',
      'contract, nodes 37',
      async ({ provider }) => {
        for (const forged of [undefined, request(), ...FORGED])
          assert.equal(await provider.issuer('acme', forged), 'https://login.example.com/auth/realms/acme')
      },
    )

    basic('issuer: two realms never have one issuer', 'house rules', async ({ provider }) => {
      const issuers = new Set<string>()
      for (const realmId of [...hostileNames, 'a/b', 'a?b', 'a#b', 'a%2Fb', '$&', 'ä']) {
        const issuer = (await provider.issuer(realmId)) ?? ''
        assert.ok(issuer.startsWith('https://login.example.com/auth/realms/'), realmId)
        assert.equal(
          new URL(issuer).href,
          issuer,
          `the issuer of ${JSON.stringify(realmId)} is a URL as it stands`,
        )
        issuers.add(issuer)
      }
      assert.equal(issuers.size, hostileNames.length + 6)
      for (const realmId of ['.', '..'])
        await assert.rejects(provider.issuer(realmId), /TypeError: "realmId"/)
      await refusesEndlessNames({ realmId: (realmId) => provider.issuer(realmId) })
    })

    basic('issuer: its path is configured', 'contract', async ({ withProperties }) => {
      const plain = await withProperties({ frontendUrl: 'login.example.com', issuerPath: '' })
      assert.equal(await plain.issuer('acme'), 'https://login.example.com')
      const other = await withProperties({
        frontendUrl: 'https://login.example.com/',
        issuerPath: '/{realmId}/v2.0',
      })
      assert.equal(await other.issuer('acme'), 'https://login.example.com/acme/v2.0')
    })

    basic(
      'clientAddress: nobody is believed who is not trusted',
      'contract, nodes 37',
      async ({ provider }) => {
        for (const forged of FORGED) {
          const address = provider.clientAddress(forged)
          assert.deepEqual([address.ip, address.trusted], [forged.remoteAddress, false])
          assert.equal(address.scheme, forged.scheme)
        }
        const { ip } = provider.clientAddress(request({ remoteAddress: '::ffff:203.0.113.7' }))
        assert.equal(ip, '203.0.113.7')
        assert.equal(provider.clientAddress(request({ remoteAddress: undefined })).ip, undefined)
        assert.equal(
          provider.clientAddress(request({ host: 'LOGIN.example.com:443' })).host,
          'login.example.com',
        )
        assert.equal(
          provider.clientAddress(request({ host: 'login.example.com:8443' })).host,
          'login.example.com:8443',
        )
      },
    )

    basic(
      'resolveRelative: a path is at the origin of the frontend, or below the root',
      'contract, nodes 38',
      async ({ provider }) => {
        const resolve = async (value: string, rootUrl?: string) =>
          (await provider.resolveRelative(value, { rootUrl, realmId: 'acme' })).href
        assert.equal(await resolve('/myapp'), 'https://login.example.com/myapp')
        assert.equal(await resolve('/'), 'https://login.example.com/')
        assert.equal(await resolve('/a/../b?c=/d#e'), 'https://login.example.com/b?c=/d#e')
        assert.equal(await resolve('/..//evil.example'), 'https://login.example.com//evil.example')
        assert.equal(await resolve('/@evil.example'), 'https://login.example.com/@evil.example')
        assert.equal(await resolve('/:80'), 'https://login.example.com/:80')
        assert.equal(await resolve('/cb', 'https://app.example.com/x/'), 'https://app.example.com/x/cb')
        assert.equal(await resolve('/a/../cb', 'https://app.example.com/x'), 'https://app.example.com/x/cb')
        assert.equal(await resolve('/..a', 'https://app.example.com/x'), 'https://app.example.com/x/..a')
        assert.equal(await resolve('/cb', PLACEHOLDER.base), 'https://login.example.com/auth/cb')
        assert.equal(await resolve('/cb', PLACEHOLDER.console), 'https://login.example.com/auth/console/cb')
        assert.equal(await resolve('https://app.example.com/cb'), 'https://app.example.com/cb')
      },
    )

    basic('resolveRelative: what leads away is refused', 'contract, nodes 38', async ({ provider }) => {
      for (const value of AWAY) {
        await assert.rejects(
          provider.resolveRelative(value),
          (error: Error) => error instanceof TypeError && error.message.startsWith('"value"'),
          JSON.stringify(value),
        )
      }
      for (const rootUrl of [
        'app',
        '/app',
        'javascript:a',
        'https://u@a/',
        'https://a/?b',
        'https://a/#b',
        '//a',
      ]) {
        await assert.rejects(
          provider.resolveRelative('/x', { rootUrl }),
          /TypeError: "options.rootUrl"/,
          rootUrl,
        )
      }
    })

    basic('resolveRelative: nothing leads out of the root', 'contract, nodes 38', async ({ provider }) => {
      const up = ['/..', '/../admin', '/a/../../admin', '/%2e%2e/admin', '/.%2E/x2', '/../xy']
      for (const rootUrl of ['https://app.example.com/x', PLACEHOLDER.base, PLACEHOLDER.console])
        for (const value of up)
          await assert.rejects(
            provider.resolveRelative(value, { rootUrl }),
            (error: Error) => error instanceof TypeError && error.message.startsWith('"value"'),
            `${rootUrl} ${value}`,
          )
      const rootUrl = `${PLACEHOLDER.base}/../admin`
      await assert.rejects(provider.resolveRelative('/x', { rootUrl }), /TypeError: "options.rootUrl"/)
    })

    basic('url: what is handed out is the own of whoever asked', 'house rules', async ({ provider }) => {
      const url = await provider.url('frontend')
      if (url !== undefined) url.hostname = 'evil.example'
      assert.equal((await provider.url('frontend'))?.hostname, 'login.example.com')
    })

    basic('every verb: arguments that are wrong are told by name', 'contract', async ({ provider }) => {
      const wrong: [call: () => unknown, name: RegExp][] = [
        [() => provider.url('public' as never), /"type"/],
        [() => provider.url('backend', 'a' as never), /"request"/],
        [() => provider.url('backend', request({ scheme: 'ftp' as never })), /"request.scheme"/],
        [() => provider.url('backend', request({ port: 0 })), /"request.port"/],
        [() => provider.url('backend', request({ localPort: 70_000 })), /"request.localPort"/],
        [() => provider.url('backend', request({ headers: undefined as never })), /"request.headers"/],
        [() => provider.url('backend', request(), { realmId: '' }), /"options.realmId"/],
        [() => provider.issuer(''), /"realmId"/],
        [() => provider.clientAddress(request({ remoteAddress: 7 as never })), /"request.remoteAddress"/],
        [() => provider.resolveRelative(7 as never), /"value"/],
        [() => provider.resolveRelative('/x', { rootUrl: 7 as never }), /"options.rootUrl"/],
      ]
      for (const [call, name] of wrong)
        await assert.rejects(
          async () => call(),
          (error: Error) => /^(Type|Range)Error$/.test(error.name) && name.test(error.message),
        )
    })

    basic('every verb: a misspelt option is refused', 'house rules', async ({ provider }) => {
      const whole = { ...request(), port: 443, localPort: 8443, host: 'a', remoteAddress: '203.0.113.7' }
      await refusesMisspelling<HostnameProvider>({
        url: [
          taker<RequestBase>(whole, (given) => provider.url('backend', given)),
          taker<RealmOption>({ realmId: 'acme' }, (given) => provider.url('backend', undefined, given)),
        ],
        issuer: [taker<RequestBase>(whole, (given) => provider.issuer('acme', given))],
        clientAddress: [taker<RequestBase>(whole, (given) => provider.clientAddress(given))],
        resolveRelative: [
          taker<ResolveOptions>({ rootUrl: 'https://a.example', realmId: 'acme' }, (given) =>
            provider.resolveRelative('/x', given),
          ),
        ],
        stats: [],
      })
    })

    basic('close: nothing is told afterwards', 'contract', async ({ withProperties }) => {
      const provider = await withProperties({ ...PROPERTIES, issuerPath: '' })
      await provider.close?.()
      await provider.close?.()
      await assert.rejects(provider.url('frontend'), ProviderClosedError)
      await assert.rejects(provider.issuer('acme'), ProviderClosedError)
      await assert.rejects(provider.resolveRelative('/x'), ProviderClosedError)
      assert.throws(() => provider.clientAddress(request()), ProviderClosedError)
    })
  },
  PROPERTIES,
  VERBS,
)
