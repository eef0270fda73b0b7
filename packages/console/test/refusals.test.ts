import { auditSpi, memoryAudit } from '@authstate/audit'
import type { SessionRow } from '@authstate/operations'
import { ConfigurationError } from '@authstate/spi'
import { describe, expect, test } from 'vitest'
import { type ConsoleAction, createConsole, type Operator } from '../src/index.js'
import { CHIEF, FORM, formOf, keyring, ORIGIN, silent, world } from './support.js'

interface Rows {
  readonly items: readonly SessionRow[]
}
type World = Awaited<ReturnType<typeof world>>

const JSON_TYPE = { 'content-type': 'application/json' }

async function referencesIn({ data }: World, realm = 'acme'): Promise<string[]> {
  const { items } = await data<Rows>(`sessions?realm=${realm}&limit=100`)
  return items.map(({ reference = '' }) => reference)
}

const livingIn = async ({ state }: World, realmId = 'acme') =>
  (await state.realm(realmId).userSessions.list()).items.length

describe('options', () => {
  test('a console without authorize is not made, and says what is missing', () => {
    const make = () => createConsole({} as never)
    expect(make).toThrow(ConfigurationError)
    expect(make).toThrow(/^authorize: /)
  })

  test('what cannot be is refused by name', async () => {
    const { state } = await world()
    const right = { state, authorize: () => CHIEF, realms: ['acme'] }
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ readonly: false }, /readOnly/],
      [{ state: undefined }, /options\.state/],
      [{ realms: undefined }, /options\.realms/],
      [{ realms: [''] }, /options\.realms/],
      [{ readOnly: 'no' }, /options\.readOnly/],
      [{ basePath: 'ops' }, /options\.basePath/],
      [{ basePath: '/ops/' }, /options\.basePath/],
      [{ basePath: '//evil.example' }, /options\.basePath/],
      [{ origin: 'https://ops.example.org/x' }, /options\.origin/],
      [{ doctor: true }, /options\.doctor/],
      [{ onAction: 1 }, /options\.onAction/],
      [{ maxStreams: 0 }, /options\.maxStreams/],
      [{ keyring: { current: 'a', keys: { a: 'short' } } }, /keyring/],
    ]
    for (const [options, message] of wrong)
      expect(() => createConsole({ ...right, ...options } as never)).toThrow(message)
  })
})

describe('who looks', () => {
  test('nobody is answered 401, by page and by problem, on every path', async () => {
    const { get, become, post } = await world()
    become(undefined)
    for (const path of [
      '/',
      '/sessions',
      '/nothing',
      '/api/v1/overview',
      '/api/v1/events',
      '/assets/x.css',
    ]) {
      const { status, text } = await get(path)
      expect([path, status]).toEqual([path, 401])
      expect(text).not.toContain('acme')
    }
    expect((await get('/api/v1/overview')).headers.get('content-type')).toBe('application/problem+json')
    expect((await post('/api/v1/sessions/end', {})).status).toBe(401)
  })

  test('a redirect of the application is sent as it is', async () => {
    const { get, become } = await world()
    become(new Response(null, { status: 302, headers: { location: '/login' } }))
    const { status, headers } = await get('/')
    expect([status, headers.get('location')]).toEqual([302, '/login'])
  })

  test('what authorize throws, or answers in another form, shows nothing', async () => {
    for (const authorize of [
      () => {
        throw new Error('the directory is down')
      },
      () => ({ id: 'x' }),
      () => ({ id: 'x', can: { read: 'yes' } }),
      () => ({ id: '', can: { read: true } }),
      () => ({ id: 'x', can: { raed: true } }),
      () => true,
    ]) {
      const lines: unknown[] = []
      const logger = { ...silent, error: (fields: object) => void lines.push(fields) }
      const { get } = await world({ authorize: authorize as never, logger })
      const { status, text } = await get('/')
      expect(status).toBe(500)
      expect(text).not.toContain('acme')
      expect(text).not.toContain('directory')
      expect(lines).toHaveLength(1)
    }
  })

  test('a realm outside of one’s rights is as if it were not there', async () => {
    const all = await world()
    const { get, become } = all
    const [foreign = ''] = await referencesIn(all, 'other')
    become({ ...CHIEF, realms: ['acme'] })
    const nothing = await get('/no-such-page')
    for (const path of [
      '/sessions?realm=other',
      '/sessions?realm=no-such-realm',
      `/sessions/other/${foreign}`,
      '/failures?realm=other',
      '/audit?realm=other',
      '/cache',
      '/cluster',
      '/redis',
      '/config',
    ]) {
      const { status, text } = await get(path)
      expect([path, status, text]).toEqual([path, nothing.status, nothing.text])
    }
    expect(nothing.status).toBe(404)
    for (const path of [
      '/',
      '/sessions',
      '/clients',
      '/failures',
      '/audit',
      '/api/v1/overview',
      '/api/v1/me',
    ])
      expect([path, (await get(path)).text.includes('other')]).toEqual([path, false])
  })

  test('a right that is missing is named, realm by realm', async () => {
    const { get, become } = await world()
    become({ id: 'x', can: { read: ['other'] } })
    const { status, text } = await get('/sessions?realm=acme')
    expect([status, text.includes('The right &quot;read&quot; is missing.')]).toEqual([403, true])
    expect((await get('/sessions?realm=other')).status).toBe(200)
    expect((await get('/sessions')).text).toContain('other')
    expect((await get('/config')).status).toBe(403)
    become({ id: 'x', can: {} })
    for (const path of ['/', '/sessions', '/config', '/audit', '/api/v1/events'])
      expect([path, (await get(path)).status]).toEqual([path, 403])
  })
})

describe('a request that changes something', () => {
  /** Sends what would end every session of the realm, if it were let. */
  async function send(all: World, headers: Record<string, string | undefined>, fields: object = {}) {
    const refs = await referencesIn(all)
    return all.post('/api/v1/sessions/end?realm=acme', { token: await all.token(), refs, ...fields }, headers)
  }

  test('is done when it comes from a page of ours, and leads back with what came of it', async () => {
    const all = await world()
    const { status, headers } = await send(all, {}, { back: '/sessions?realm=acme' })
    const location = headers.get('location') ?? ''
    expect([status, await livingIn(all)]).toEqual([303, 0])
    expect(location).toMatch(/^\/sessions\?realm=acme&said=[\w.%-]+$/)
    expect((await all.get(location)).text).toMatch(/role="status"[^>]*>6 sessions ended\.</)
    expect((await all.get('/sessions?said=6+sessions+ended')).text).not.toContain('role="status"')
  })

  test.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a sister site', { 'sec-fetch-site': 'same-site' }],
    ['an address that was typed', { 'sec-fetch-site': 'none' }],
    ['another origin', { 'sec-fetch-site': undefined, origin: 'https://evil.example' }],
    ['another origin under a false flag', { origin: 'https://evil.example' }],
    ['another port', { origin: `${ORIGIN}:8443` }],
    ['no origin', { origin: 'null', 'sec-fetch-site': undefined }],
    ['nowhere', { origin: undefined, 'sec-fetch-site': undefined }],
  ])('from %s is refused', async (_, headers) => {
    const all = await world()
    const before = await livingIn(all)
    expect((await send(all, headers)).status).toBe(403)
    expect(await livingIn(all)).toBe(before)
  })

  test('an old browser that names its origin is let in, and one behind a proxy that the option names', async () => {
    const old = await world()
    expect((await send(old, { 'sec-fetch-site': undefined })).status).toBe(303)
    const behind = await world({ origin: 'https://admin.example.org' })
    expect((await send(behind, {})).status).toBe(403)
    expect((await send(behind, { origin: 'https://admin.example.org' })).status).toBe(303)
  })

  test('with a token that is missing, made up, of another operator or old is refused', async () => {
    const all = await world()
    const mine = await all.token()
    for (const token of ['', 'a.b', `${mine}x`, `x${mine}`, mine.slice(0, -2)])
      expect([token, (await send(all, {}, { token })).status]).toEqual([token, 403])
    all.become({ ...CHIEF, id: 'another' })
    expect((await send(all, {}, { token: mine })).status).toBe(403)
    all.become(CHIEF)
    expect(await livingIn(all)).toBe(2)
    all.clock.advance(12 * 3_600_000)
    expect((await send(all, {}, { token: mine })).status).toBe(403)
  })

  test('is refused alike, whether it is forged, cross-site, unknown, too large or of a realm that is not one’s own', async () => {
    const all = await world()
    const { post, become } = all
    const token = await all.token()
    const refs = await referencesIn(all, 'other')
    become({ ...CHIEF, realms: ['acme'] })
    const answers = [
      await post('/api/v1/sessions/end?realm=acme', { token: 'forged', refs }),
      await post('/api/v1/sessions/end?realm=acme', { token, refs }, { 'sec-fetch-site': 'cross-site' }),
      await post('/api/v1/sessions/destroy?realm=acme', { token, refs }),
      await post('/sessions', { token, refs }),
      await post('/api/v1/sessions/end?realm=acme', { token, refs, more: 'x'.repeat(65_536) }),
      await post('/api/v1/sessions/end?realm=acme', '{"token":', { 'content-type': 'text/plain' }),
      await post('/api/v1/sessions/end?realm=other', { token, refs }),
      await post('/api/v1/sessions/end?realm=no-such-realm', { token, refs }),
      await post('/api/v1/sessions/end', { token, refs }),
      await post('/api/v1/users/find?realm=other', { token, user: 'zoe-of-other' }),
      await post('/api/v1/cache/clear', { token }),
    ]
    for (const { status, text } of answers) expect([status, text]).toEqual([403, answers[0]?.text])
    expect(await livingIn(all, 'other')).toBe(1)
  })

  test('a body without an end is not read to its end', async () => {
    const { console } = await world()
    let chunks = 0
    const body = new ReadableStream({
      pull: (controller) => {
        chunks += 1
        // So that who reads on fails, and does not hang.
        if (chunks > 100) return controller.close()
        controller.enqueue(new Uint8Array(16_384))
      },
    })
    const headers = { origin: ORIGIN, 'content-type': FORM }
    const request = new Request(`${ORIGIN}/api/v1/sessions/end`, {
      method: 'POST',
      body,
      headers,
      duplex: 'half',
    } as RequestInit)
    expect((await console(request)).status).toBe(403)
    expect(chunks).toBeLessThan(10)
  })

  test('while reading only, everything is refused and nothing is offered', async () => {
    const all = await world({ readOnly: undefined })
    const { get, post } = all
    const token = await all.token()
    const refs = await referencesIn(all)
    for (const path of [
      'sessions/end',
      'clients/end',
      'failures/clear',
      'failures/clear-realm',
      'cache/clear',
      'sites/push',
      'users/acme/x/end',
    ])
      expect([path, (await post(`/api/v1/${path}?realm=acme`, { token, refs })).status]).toEqual([path, 403])
    for (const path of ['/sessions', '/clients', '/failures', '/cache'])
      expect((await get(path)).text).not.toContain('data-does')
    expect(await livingIn(all)).toBeGreaterThan(0)
  })

  test.each<[string, string, keyof Operator['can']]>([
    ['sessions', 'sessions/end', 'endSessions'],
    ['failures', 'failures/clear', 'clearFailures'],
    ['cache', 'cache/clear', 'clearCache'],
    ['sites', 'sites/offline', 'manageSites'],
  ])('without its right on %s it is refused, by name', async (_, path, right) => {
    const { become, post, token, get } = await world()
    become({ ...CHIEF, can: { ...CHIEF.can, [right]: false } })
    const { status, text } = await post(`/api/v1/${path}?realm=acme`, { token: await token() })
    expect([status, text.includes(right)]).toEqual([403, true])
    expect((await get(`/${path.split('/')[0]}?realm=acme`)).text).not.toContain(`action="/api/v1/${path}`)
  })

  test('a right of some realms holds there alone', async () => {
    const all = await world()
    all.become({ id: 'x', can: { read: true, endSessions: ['other'] } })
    const token = await all.token()
    const end = async (realm: string) =>
      (await all.post(`/api/v1/sessions/end?realm=${realm}`, { token, refs: await referencesIn(all, realm) }))
        .status
    expect([await end('acme'), await end('other')]).toEqual([403, 303])
    expect([await livingIn(all), await livingIn(all, 'other')]).toEqual([2, 0])
  })

  test('a reference of one realm ends nothing in another', async () => {
    const all = await world()
    const refs = await referencesIn(all, 'other')
    const { text } = await all.post(
      '/api/v1/sessions/end?realm=acme',
      JSON.stringify({ token: await all.token(), refs }),
      JSON_TYPE,
    )
    expect(JSON.parse(text).data).toEqual({ ended: 0, unknown: refs.length })
    expect(await livingIn(all, 'other')).toBe(1)
  })

  test('what must be typed must be typed', async () => {
    const all = await world()
    const { post, state } = all
    const token = await all.token()
    const { items } = await all.data<{ items: readonly { reference: string }[] }>('clients?realm=acme')
    const client = items[0]?.reference ?? ''
    for (const typed of ['', 'client', 'client of bob'])
      expect((await post('/api/v1/clients/end?realm=acme', { token, client, typed })).status).toBe(400)
    expect((await post('/api/v1/failures/clear-realm?realm=acme', { token, typed: 'acm' })).status).toBe(400)
    expect(await livingIn(all)).toBe(2)
    const done = await post('/api/v1/clients/end?realm=acme', { token, client, typed: ' client of ada ' })
    expect(done.status).toBe(303)
    expect(
      (await state.realm('acme').userSessions.list()).items.map(({ clients }) => clients.size).sort(),
    ).toEqual([0, 1])
    expect((await post('/api/v1/failures/clear-realm?realm=acme', { token, typed: 'acme' })).status).toBe(303)
    expect((await state.realm('acme').loginFailures.listLocked()).items).toEqual([])
  })

  test('all of a user but one session end, and a lock is cleared, by what the pages of the user say', async () => {
    const all = await world()
    const { post, get, state } = all
    const found = await post('/api/v1/users/find?realm=acme', { token: await all.token(), user: 'ada' })
    const path = found.headers.get('location') ?? ''
    const page = (await get(path)).text
    const [, except = ''] = /<option value="([^"]+)">web/.exec(page) ?? []
    const [, user = ''] = /name="user" value="([^"]+)"/.exec(page) ?? []
    const token = await all.token()
    expect((await post(`/api/v1${path}/end`, { token, except, back: path })).status).toBe(303)
    expect((await get(path)).text).toContain('>web<')
    expect((await get(path)).text).not.toContain('>online<')
    await post('/api/v1/failures/clear?realm=acme', { token, user })
    expect((await get(path)).text).toContain('Not locked out.')
    await post(`/api/v1${path}/end`, { token })
    expect((await get(path)).text).toContain('This user has no living session.')
    expect((await state.realm('acme').actionTokens.listBySubject('ada')).items).toEqual([])
  })

  test('more than 60 a minute are refused until the minute is over', async () => {
    const all = await world()
    const token = await all.token()
    const act = async () =>
      (await all.post('/api/v1/failures/clear-realm?realm=acme', { token, typed: 'acme' })).status
    const statuses = []
    for (let n = 0; n < 61; n++) statuses.push(await act())
    expect([statuses.filter((status) => status === 303).length, statuses.at(-1)]).toEqual([60, 429])
    all.become({ ...CHIEF, id: 'another' })
    expect(
      (await all.post('/api/v1/failures/clear-realm?realm=acme', { token: await all.token(), typed: 'acme' }))
        .status,
    ).toBe(303)
    all.become(CHIEF)
    all.clock.advance(60_000)
    expect(await act()).toBe(303)
  })

  test.each([
    '//evil.example/',
    'https://evil.example/',
    '/\\evil.example',
    'javascript:alert(1)',
    '/ops/../../x y',
  ])('does not lead to %s', async (back) => {
    const all = await world()
    const { headers } = await send(all, {}, { back })
    expect(headers.get('location')).toMatch(/^\/(\?|ops\/)?[^/\\]/)
    expect(new URL(headers.get('location') ?? '', ORIGIN).origin).toBe(ORIGIN)
  })

  test('other methods are none', async () => {
    const { console } = await world()
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status, headers } = await console(new Request(`${ORIGIN}/sessions`, { method }))
      expect([method, status, headers.get('allow')]).toEqual([method, 405, 'GET, HEAD, POST'])
    }
    const head = await console(new Request(`${ORIGIN}/sessions`, { method: 'HEAD' }))
    expect([head.status, await head.text()]).toEqual([200, ''])
  })
})

describe('what is recorded', () => {
  test('an action is told before it is done, and what came of it', async () => {
    const told: ConsoleAction[] = []
    let living = -1
    const all: World = await world({
      onAction: async (action) => {
        told.push(action)
        if (action.outcome === 'begun') living = await livingIn(all)
      },
    })
    const refs = await referencesIn(all)
    await all.post('/api/v1/sessions/end?realm=acme', { token: await all.token(), refs })
    expect(living).toBe(2)
    expect(told).toMatchObject([
      { operatorId: 'chief', action: 'sessions.end', realmId: 'acme', outcome: 'begun' },
      { operatorId: 'chief', action: 'sessions.end', realmId: 'acme', outcome: 'done', count: 6 },
    ])
  })

  test('what cannot be recorded is not done', async () => {
    const all = await world({
      onAction: () => {
        throw new Error('disk full')
      },
    })
    const refs = await referencesIn(all)
    const { status, text } = await all.post('/api/v1/sessions/end?realm=acme', {
      token: await all.token(),
      refs,
    })
    expect([
      status,
      text.includes('could not be recorded, so nothing was done'),
      await livingIn(all),
    ]).toEqual([503, true, 2])
  })

  test('the audit of the state has each action under the name of its operator, each refusal, and its page', async () => {
    const all = await world({}, ['ada', 'bob'], [memoryAudit()])
    const { get, post, become, state } = all
    const token = await all.token()
    const refs = await referencesIn(all)
    await post('/api/v1/sessions/end?realm=acme', { token, refs })
    become({ ...CHIEF, id: '<i>night</i>' })
    await post('/api/v1/sessions/end?realm=acme', { token, refs })
    await post('/api/v1/failures/clear-realm?realm=other', { token: await all.token(), typed: 'other' })
    const { items } = await state.get(auditSpi).read({ first: 'oldest' })
    expect(
      items.map(({ event, actor, outcome, realm, count }) => [
        event,
        actor?.name,
        actor?.via,
        outcome,
        realm,
        count,
      ]),
    ).toEqual([
      ['sessions.end', 'chief', 'console', 'begun', 'acme', undefined],
      ['sessions.end', 'chief', 'console', 'done', 'acme', 6],
      ['sessions.end', '<i>night</i>', 'console', 'refused', undefined, undefined],
      ['failures.clear', '<i>night</i>', 'console', 'begun', 'other', undefined],
      ['failures.clear', '<i>night</i>', 'console', 'done', 'other', 1],
    ])
    become(CHIEF)
    const { text } = await get('/audit')
    expect(text).toContain('&lt;i&gt;night')
    expect(text).toContain('<bdi>other</bdi>')
    expect((await get('/audit?limit=2')).text).toContain('Older lines')
    become({ ...CHIEF, realms: ['acme'] })
    const ofRealm = (await get('/audit')).text
    expect([ofRealm.includes('<bdi>acme</bdi>'), ofRealm.includes('other')]).toEqual([true, false])
  })
})

test('a console without a keyring works by itself, and refuses what another one sealed', async () => {
  const here = await world({ keyring: undefined })
  const there = await world({ keyring })
  const refs = await referencesIn(here)
  expect(refs.every((reference) => reference !== '')).toBe(true)
  const foreign = await there.token()
  expect((await here.post('/api/v1/sessions/end?realm=acme', { token: foreign, refs })).status).toBe(403)
  expect(
    (await here.post('/api/v1/sessions/end?realm=acme', formOf({ token: await here.token(), refs }))).status,
  ).toBe(303)
})
