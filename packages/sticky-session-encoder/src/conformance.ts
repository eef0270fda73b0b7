import assert from 'node:assert/strict'
import {
  defineSuite,
  hostileNames,
  hostilePairs,
  refusesEndlessNames,
  refusesMisspelling,
  taker,
  type Verbs,
} from '@authstate/conformance'
import { parseSetCookie } from 'cookie'
import {
  type CookieOptions,
  type SignOptions,
  type StickySessionEncoderProvider,
  stickySessionEncoderSpi,
} from './contract.js'

const ID = 'AbCdEfGhIjKlMnOpQrStU00f'
const MEGABYTE = 1024 * 1024

const VERBS: Verbs<StickySessionEncoderProvider> = {
  encode: true,
  decode: true,
  route: true,
  sign: true,
  verify: true,
  cookie: true,
  clearCookie: true,
  readCookie: true,
}

/** What every sticky-session encoder must show, wherever its routes come from. */
export const stickySessionEncoderSuite = defineSuite(
  stickySessionEncoderSpi,
  ({ basic }) => {
    basic(
      'encode: the id, and the route behind a dot',
      'B4, A8/109, A8/110',
      async ({ provider, withProperties }) => {
        assert.equal(provider.encode('abc', { route: 'node1' }), 'abc.node1')
        assert.equal(provider.encode('abc', { route: 'node1.rack2' }), 'abc.node1.rack2')
        const own = provider.route('abc')
        assert.equal(provider.encode('abc'), own === undefined ? 'abc' : `abc.${own}`)
        assert.equal((await withProperties({ shouldAttachRoute: false })).encode('abc'), 'abc')
      },
    )

    basic('encode: misuse names the argument', '§5', async ({ provider }) => {
      const bad: [call: () => unknown, named: RegExp][] = [
        [() => provider.encode(''), /"id"/],
        [() => provider.encode('a.b'), /"id".*"\."/],
        [() => provider.encode(undefined as unknown as string), /"id"/],
        [() => provider.encode('x'.repeat(513)), /"id"/],
        [() => provider.encode('\ud800'), /"id"/],
        [() => provider.sign(''), /"id"/],
        [() => provider.cookie(7 as unknown as string), /"id"/],
        [() => provider.route(''), /"id"/],
        [() => provider.sign(ID, { realmId: '' }), /"realmId"/],
        [() => provider.verify('x', { realmId: '' }), /"realmId"/],
        ...['', 'a b', 'a;b', 'a,b', 'a"b', 'a\nb', 'é', 'x'.repeat(256)].map(
          (route): [() => unknown, RegExp] => [() => provider.encode('abc', { route }), /"route"/],
        ),
      ]
      for (const [call, named] of bad) assert.throws(call, { name: 'TypeError', message: named })
    })

    basic('arguments: a misspelt property is refused by name', 'issue: bad input', async ({ provider }) => {
      const realms = (call: (options: { readonly realmId?: string | undefined }) => unknown) => [
        taker<{ readonly realmId?: string | undefined }>({ realmId: 'r' }, call),
      ]
      await refusesMisspelling<StickySessionEncoderProvider>({
        encode: [
          taker<{ readonly route?: string | undefined }>({ route: 'n' }, (options) =>
            provider.encode('abc', options),
          ),
        ],
        sign: [taker<SignOptions>({ route: 'n', realmId: 'r' }, (options) => provider.sign('abc', options))],
        verify: realms((options) => provider.verify('x', options)),
        cookie: [
          taker<CookieOptions>({ route: 'n', realmId: 'r', path: '/' }, (options) =>
            provider.cookie('abc', options),
          ),
        ],
        clearCookie: [
          taker<{ readonly path?: string | undefined }>({ path: '/' }, (options) =>
            provider.clearCookie(options),
          ),
        ],
        readCookie: realms((options) => provider.readCookie('', options)),
        decode: [],
        route: [],
      })
    })

    basic('decode: at the first dot; a dot at the end belongs to the id', 'B4', async ({ provider }) => {
      assert.deepEqual(provider.decode('abc'), { id: 'abc' })
      assert.deepEqual(provider.decode('abc.node1'), { id: 'abc', route: 'node1' })
      assert.deepEqual(provider.decode('abc.node1.rack2'), { id: 'abc', route: 'node1.rack2' })
      assert.deepEqual(provider.decode('abc.'), { id: 'abc.' })
      assert.deepEqual(provider.decode('abc..'), { id: 'abc', route: '.' })
    })

    basic('decode: nothing where there is no id', 'B4', async ({ provider }) => {
      const malformed = [
        '',
        '.node1',
        '..',
        'x'.repeat(513),
        '\ud800',
        undefined,
        null,
        7,
        {},
        [],
        'a'.repeat(MEGABYTE),
      ]
      for (const value of malformed) assert.equal(provider.decode(value), undefined)
    })

    basic('decode: a route comes off even where none is attached', '§5', async ({ withProperties }) => {
      const provider = await withProperties({ shouldAttachRoute: false })
      assert.equal(provider.shouldAttachRoute, false)
      assert.equal(provider.route(ID), undefined)
      assert.equal(provider.encode(ID, { route: 'node1' }), ID)
      assert.equal(provider.sign(ID, { route: 'node1' }).includes('.'), false)
      assert.deepEqual(provider.decode(`${ID}.appended`), { id: ID, route: 'appended' })
      assert.deepEqual(provider.verify(`${provider.sign(ID)}.appended`), { id: ID, route: 'appended' })
    })

    basic('sign: the documented form, and verify gives the id back', '§5.1', async ({ provider }) => {
      const value = provider.sign(ID, { route: 'node1' })
      const [message = '', route] = value.split('.')
      assert.equal(route, 'node1')
      assert.match(message, /^[\w-]+$/)
      assert.match(Buffer.from(message, 'base64url').toString(), new RegExp(`^${ID}\\.[\\w-]{86}$`))
      assert.deepEqual(provider.verify(value), { id: ID, route: 'node1' })
      assert.deepEqual(provider.verify(message), { id: ID })
      assert.deepEqual(provider.verify(`${message}.other.rack`), { id: ID, route: 'other.rack' })
      const own = provider.route(ID)
      assert.deepEqual(provider.verify(provider.sign(ID)), {
        id: ID,
        ...(own !== undefined && { route: own }),
      })
    })

    basic('verify: the last dot of the text separates the signature', 'B4', async ({ provider }) => {
      for (const id of ['a.b', '.', 'a..b.', '💥 é:{}%', '__proto__']) {
        assert.equal(provider.verify(provider.sign(id))?.id, id)
      }
    })

    basic(
      'names: hostile ones go through every verb, and each keeps to itself',
      'issue',
      async ({ provider }) => {
        for (const [realmId, id] of hostilePairs) {
          const signed = provider.sign(id, { realmId })
          assert.equal(provider.verify(signed, { realmId })?.id, id)
          for (const other of hostileNames.filter((name) => name !== realmId)) {
            assert.equal(provider.verify(signed, { realmId: other }), undefined)
          }
          assert.equal(provider.verify(signed), undefined)
          assert.equal(provider.decode(provider.encode(id))?.id, id)
          assert.equal(typeof provider.cookie(id, { realmId }), 'string')
        }
      },
    )

    basic('names: one of 10 kB is refused', 'issue', async ({ provider }) => {
      await refusesEndlessNames({
        id: (name) => provider.sign(name),
        realmId: (name) => provider.sign(ID, { realmId: name }),
      })
    })

    basic('verify: nothing for everything that was not signed', 'B4', async ({ provider }) => {
      const message = provider.sign(ID, { route: 'node1' }).split('.')[0] as string
      const text = Buffer.from(message, 'base64url').toString()
      const signature = text.slice(text.lastIndexOf('.') + 1)
      const other = provider.sign(`${'Z'.repeat(22)}00`).split('.')[0] as string
      const otherSignature = Buffer.from(other, 'base64url').toString().split('.')[1]
      const encode = (plain: string) => Buffer.from(plain).toString('base64url')
      const forged: Record<string, unknown> = {
        empty: '',
        'a dot': '.',
        'a route alone': '.node1',
        'a word': 'abc',
        'the id itself': ID,
        'the id encoded': encode(ID),
        'no signature': encode(`${ID}.`),
        'no id': encode(`.${signature}`),
        'the signature of another id': encode(`${ID}.${otherSignature}`),
        'another id': encode(`${'Z'.repeat(22)}00.${signature}`),
        'a shorter signature': encode(`${ID}.${signature.slice(1)}`),
        'a longer signature': encode(`${ID}.${signature}A`),
        'a dot at the end': `${message}.`,
        'a space': ` ${message}`,
        padding: `${message}=`,
        'the other alphabet': `${message}+/`,
        'a NUL': `${message}\0`,
        'a NUL within': encode(`${ID}\0.${signature}`),
        'a newline': `${message}\n`,
        'a newline within': encode(`${ID}\n.${signature}`),
        'not UTF-8': Buffer.from([0xff, 0xfe, 0x2e, 0x80]).toString('base64url'),
        'not base64': '§%&/()=',
        'a lone surrogate': '\ud800',
        nothing: undefined,
        null: null,
        number: 7,
        object: { id: ID },
        list: [message],
      }
      for (const [what, value] of Object.entries(forged))
        assert.equal(provider.verify(value), undefined, what)
    })

    basic('verify: one flipped bit anywhere', 'B4', async ({ provider }) => {
      const message = provider.sign(ID).split('.')[0] as string
      for (let at = 0; at < message.length; at++) {
        for (let bit = 0; bit < 7; bit++) {
          const flipped = String.fromCharCode(message.charCodeAt(at) ^ (1 << bit))
          // A dot there begins a route; what is before it is no longer the message either.
          assert.equal(provider.verify(message.slice(0, at) + flipped + message.slice(at + 1)), undefined)
        }
      }
    })

    basic('verify: a megabyte is refused at once', 'B4', async ({ provider }) => {
      const started = performance.now()
      for (const huge of ['a'.repeat(MEGABYTE), '.'.repeat(MEGABYTE), `${'a'.repeat(MEGABYTE)}.node1`]) {
        for (let time = 0; time < 20; time++) {
          assert.equal(provider.verify(huge), undefined)
          assert.equal(provider.decode(huge), undefined)
          assert.equal(provider.readCookie(`AUTH_SESSION_ID=${huge}`), undefined)
        }
      }
      assert.ok(performance.now() - started < 3000, 'sixty megabytes took longer than three seconds')
    })

    basic('verify: a signature belongs to its realm', 'B4, §5.1', async ({ provider }) => {
      const inA = provider.sign(ID, { realmId: 'a' })
      assert.equal(provider.verify(inA, { realmId: 'a' })?.id, ID)
      assert.equal(provider.verify(inA, { realmId: 'b' }), undefined)
      assert.equal(provider.verify(inA), undefined)
      assert.equal(provider.verify(provider.sign(ID), { realmId: 'a' }), undefined)
    })

    basic(
      'cookie: Secure, HttpOnly, SameSite=None, for the browser session',
      '§4.7',
      async ({ provider }) => {
        const { value, ...rest } = parseSetCookie(provider.cookie(ID, { route: 'node1' }))
        const attributes = { path: '/', httpOnly: true, secure: true, sameSite: 'none' }
        assert.deepEqual(rest, { name: 'AUTH_SESSION_ID', ...attributes })
        assert.deepEqual(provider.verify(value), { id: ID, route: 'node1' })
        assert.equal(parseSetCookie(provider.cookie(ID, { path: '/realms/r/' })).path, '/realms/r/')
      },
    )

    basic('cookie: name, path, domain and the rest as configured', '§4.7', async ({ withProperties }) => {
      const provider = await withProperties({
        cookieName: 'SESSION-1',
        path: '/auth',
        domain: 'login.example',
        sameSite: 'lax',
        secure: false,
      })
      const { value, ...rest } = parseSetCookie(provider.cookie(ID))
      const attributes = { path: '/auth', domain: 'login.example', httpOnly: true, sameSite: 'lax' }
      assert.deepEqual(rest, { name: 'SESSION-1', ...attributes })
      assert.equal(provider.readCookie(`a=b; SESSION-1=${value}`)?.id, ID)
      const { expires, ...cleared } = parseSetCookie(provider.clearCookie())
      assert.deepEqual(cleared, { name: 'SESSION-1', value: '', maxAge: 0, ...attributes })
      assert.equal(expires?.getTime(), 0)
    })

    basic('readCookie: the first that verifies, of three', '§5.1', async ({ provider }) => {
      const pair = `AUTH_SESSION_ID=${provider.sign(ID, { route: 'node1' })}`
      const session = { id: ID, route: 'node1' }
      assert.deepEqual(provider.readCookie(pair), session)
      assert.deepEqual(provider.readCookie(`x=y; ${pair}; z`), session)
      assert.deepEqual(provider.readCookie(`AUTH_SESSION_ID=old; AUTH_SESSION_ID=; ${pair}`), session)
      assert.equal(provider.readCookie(`${'AUTH_SESSION_ID=old; '.repeat(3)}${pair}`), undefined)
      assert.equal(provider.readCookie(`X${pair}`), undefined)
      for (const header of [undefined, '', ';;;', 'AUTH_SESSION_ID', 'AUTH_SESSION_ID=%', '=x']) {
        assert.equal(provider.readCookie(header), undefined)
      }
    })

    basic(
      'cookie: a new route changes the route of the value, not its id',
      'A8/111',
      async ({ provider }) => {
        const before = provider.sign(ID, { route: 'node1' })
        const after = provider.sign(provider.verify(before)?.id ?? '', { route: 'node2' })
        assert.deepEqual(provider.verify(after), { id: ID, route: 'node2' })
        assert.equal(before.split('.')[0], after.split('.')[0])
      },
    )
  },
  {},
  VERBS,
)
