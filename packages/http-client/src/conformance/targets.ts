import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { HttpClientProvider } from '../contract.js'
import { failsWith } from './expect.js'
import { withSinks } from './sink.js'

/** Every form of an address of this machine, of its neighbours, or of nothing, with `PORT` in place of a port. */
const PRIVATE = [
  'http://127.0.0.1:PORT/',
  'http://127.1:PORT/',
  'http://2130706433:PORT/',
  'http://0x7f.1:PORT/',
  'http://0177.0.0.1:PORT/',
  'http://127.0.0.1.:PORT/',
  'http://①②⑦.⓪.⓪.①:PORT/',
  'http://[::1]:PORT/',
  'http://[::]:PORT/',
  'http://[::ffff:127.0.0.1]:PORT/',
  'http://[::ffff:7f00:1]:PORT/',
  'http://[::7f00:1]:PORT/',
  'http://[64:ff9b::7f00:1]:PORT/',
  'http://[64:ff9b:1::7f00:1]:PORT/',
  'http://[2002:7f00:1::]:PORT/',
  'http://[2001::1]:PORT/',
  'http://0.0.0.0:PORT/',
  'http://0:PORT/',
  'http://localhost:PORT/',
  'http://LOCALHOST:PORT/',
  'http://10.0.0.1:PORT/',
  'http://172.16.0.1:PORT/',
  'http://192.168.0.1:PORT/',
  'http://169.254.169.254:PORT/',
  'http://168.63.129.16:PORT/',
  'http://[::ffff:168.63.129.16]:PORT/',
  'http://100.64.0.1:PORT/',
  'http://192.0.0.192:PORT/',
  'http://198.18.0.1:PORT/',
  'http://224.0.0.1:PORT/',
  'http://255.255.255.255:PORT/',
  'http://[fc00::1]:PORT/',
  'http://[fd00:ec2::254]:PORT/',
  'http://[fe80::1]:PORT/',
  'http://[ff02::1]:PORT/',
  'http://[2001:db8::1]:PORT/',
  'http://[4000::1]:PORT/',
]

/** Texts that are no target at all. */
const NONE = [
  '',
  '/relative',
  '//127.0.0.1:PORT/',
  'http:/127.0.0.1:PORT/',
  'http:127.0.0.1:PORT/',
  'http:\\\\127.0.0.1:PORT/',
  'http:///127.0.0.1:PORT/',
  ' http://127.0.0.1:PORT/',
  'http://127.0.0.1:PORT/\n',
  'ht\ttp://127.0.0.1:PORT/',
  'http://127.0.0.1:PORT/a b',
  'file:///etc/passwd',
  'ftp://127.0.0.1:PORT/',
  'javascript:alert(1)',
  'data:text/plain,a',
  'http://user@127.0.0.1:PORT/',
  'http://user:password@127.0.0.1:PORT/',
  'http://127.0.0.1:PORT@127.0.0.1:PORT/',
  'http://a%00b:PORT/',
  'http://a%2eb%2f:PORT/',
  'http://a..b:PORT/',
  'http://.a:PORT/',
  'http://example.com.:PORT/',
  'http://-a.example:PORT/',
  'http://a!b.example:PORT/',
  'http://xn--a.example:PORT/',
  `http://${'a'.repeat(64)}.example:PORT/`,
  `http://${'a.'.repeat(127)}example:PORT/`,
  'http://[::1%25lo]:PORT/',
  'http://[::1:PORT/',
  'http://127.0.0.1:99999/',
  'http://1.2.3.4.5:PORT/',
  'http://0x100000000:PORT/',
  `http://127.0.0.1:PORT/${'a'.repeat(70_000)}`,
]

/** Where a request may go. */
export function addTargetCases({ basic }: SuiteBuilder<HttpClientProvider>): void {
  basic('request: what is not public is refused in every form', 'issue, nodes 24', ({ withProperties }) =>
    withSinks(1, async (sink) => {
      const provider = await withProperties({ egress: {} })
      for (const form of PRIVATE) {
        const url = form.replaceAll('PORT', String(sink.port))
        await failsWith(provider.request(url, { purpose: 'token' }), 'egress', 'no', form)
        if (URL.canParse(url))
          await failsWith(provider.request(new URL(url), { purpose: 'token' }), 'egress', 'no', form)
      }
      assert.equal(sink.connections(), 0)
      assert.ok(provider.stats().refused >= PRIVATE.length)
    }),
  )

  basic(
    'request: what is no target is refused, also where its address would be allowed',
    'issue',
    ({ provider }) =>
      withSinks(1, async (sink) => {
        for (const form of NONE) {
          const url = form.replaceAll('PORT', String(sink.port))
          await failsWith(provider.request(url, { purpose: 'token' }), 'egress', 'no', form)
        }
        assert.equal(sink.connections(), 0)
      }),
  )

  basic(
    'request: a rule with a port allows that port and no other',
    'contract, nodes 27',
    ({ withProperties }) =>
      withSinks(2, async (sink, other) => {
        const provider = await withProperties({
          egress: { allow: [`127.0.0.0/8:${sink.port}`], ports: [443] },
        })
        assert.equal((await provider.request(sink.origin, { purpose: 'x' })).status, 200)
        await failsWith(provider.request(other.origin, { purpose: 'x' }), 'egress', 'no')
        assert.equal(other.connections(), 0)
      }),
  )

  basic('request: a port outside of the list is refused', 'contract', ({ withProperties }) =>
    withSinks(1, async (sink) => {
      const egress = { allow: ['127.0.0.0/8'], ports: [80, `${sink.port + 1}-65535`] }
      const provider = await withProperties({ egress })
      await failsWith(provider.request(sink.origin, { purpose: 'x' }), 'egress', 'no')
      await failsWith(provider.request('http://example.com:25/', { purpose: 'x' }), 'egress', 'no')
      assert.equal(sink.connections(), 0)
    }),
  )

  basic(
    'request: a rule of one request is for that one only, on a connection of its own',
    'contract',
    ({ withProperties }) =>
      withSinks(1, async (sink) => {
        const provider = await withProperties({ egress: {} })
        const egress = ['127.0.0.1']
        assert.equal((await provider.request(sink.origin, { purpose: 'x', egress })).status, 200)
        await failsWith(provider.request(sink.origin, { purpose: 'x' }), 'egress', 'no')
        assert.equal((await provider.request(sink.origin, { purpose: 'x', egress })).status, 200)
        const wider = ['127.0.0.0/8']
        assert.equal((await provider.request(sink.origin, { purpose: 'x', egress: wider })).status, 200)
        assert.deepEqual([sink.connections(), sink.received.length], [2, 3])
      }),
  )
}
