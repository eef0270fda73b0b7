import { randomBytes } from 'node:crypto'
import type { SessionRow } from '@authstate/operations'
import { describe, expect, test } from 'vitest'
import { html, named, plain } from '../src/html.js'
import type { ConsoleAction } from '../src/index.js'
import { CHIEF, formOf, HOSTILE, silent, world } from './support.js'

const PAGES = [
  '/',
  '/sessions',
  '/clients',
  '/failures',
  '/cache',
  '/cluster',
  '/sites',
  '/redis',
  '/config',
  '/audit',
]
const DATA = [
  'overview',
  'sessions',
  'clients',
  'failures',
  'cache',
  'cluster',
  'sites',
  'doctor',
  'config',
  'audit',
  'me',
]

interface Rows {
  readonly items: readonly (SessionRow & { readonly userReference?: string })[]
  readonly cursor?: string
}

/** Every page there is: the screens, and those that a link of them leads to. */
async function crawl({ get }: Awaited<ReturnType<typeof world>>): Promise<Map<string, string>> {
  const seen = new Map<string, string>()
  const open = PAGES.flatMap((path) => [path, `${path}?realm=acme`])
  for (const path of open) {
    if (seen.has(path)) continue
    const { status, text } = await get(path)
    expect([path, status]).toEqual([path, 200])
    seen.set(path, text)
    for (const [, link = ''] of text.matchAll(/<a href="([^"#]+)"/g)) {
      const next = link.replaceAll('&amp;', '&')
      // References are sealed anew on every page: one page of each kind is enough per place.
      if (!/said=/.test(next) && open.length < 400 && !isKnown(seen, open, next)) open.push(next)
    }
  }
  return seen
}

const shapeOf = (path: string) => path.replace(/[\w-]+\.[\w-]{40,}/g, '*')
const isKnown = (seen: Map<string, string>, open: readonly string[], path: string) =>
  path.includes('*') || [...seen.keys(), ...open].filter((of) => shapeOf(of) === shapeOf(path)).length > 24

describe('the screens', () => {
  test('each opens for who may read, and is a whole page without script, style or address of elsewhere in it', async () => {
    const { get } = await world()
    for (const path of PAGES) {
      const { status, text, headers } = await get(path)
      expect([path, status]).toEqual([path, 200])
      expect(text).toMatch(/^<!doctype html>\n<html lang="en"[\s\S]*<h1>[\s\S]*<\/html>$/)
      expect(text).not.toMatch(/<script(?! src="\/assets\/)|<style|style=| on[a-z]+=|https?:\/\//)
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(headers.get('content-security-policy')).not.toContain('unsafe')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('same-origin')
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
      expect(headers.get('x-robots-tag')).toContain('noindex')
    }
  })

  test('the overview counts what lives, and draws the last hours', async () => {
    const { data, get, state, clock, console } = await world()
    clock.advance(120_000)
    await state.realm('acme').userSessions.create({ userId: 'eve', loginUsername: 'eve' })
    const { realms, lastHour } = await data<{ realms: unknown; lastHour: { logins: number; locks: number } }>(
      'overview',
    )
    expect(realms).toMatchObject([{ realmId: 'acme', offline: 2, web: 2 }, { realmId: 'other' }])
    expect(lastHour).toEqual({ logins: 1, locks: 0 })
    const { text } = await get('/')
    expect(text.match(/<svg/g)).toHaveLength(4)
    expect(text).toMatch(/aria-label="Logins of this node, the last 6 h: now 1, most 1"/)
    await console.close()
  })

  test('a session shows its time line, its clients, and of its notes the names alone', async () => {
    const { data, get, clock } = await world()
    clock.advance(60_000)
    const { items } = await data<Rows>('sessions?realm=acme&kind=online')
    const { text, status } = await get(`/sessions/acme/${items[0]?.reference}`)
    expect(status).toBe(200)
    for (const part of [
      'Time line',
      'started',
      'signed in to',
      'a-note',
      'client of ada',
      '203.0.113.…',
      'ends, if it is not used',
    ])
      expect(text).toContain(part)
    expect(text).not.toContain('a value that nobody sees')
    expect(text).not.toContain('203.0.113.7')
    expect((await get(`/sessions/other/${items[0]?.reference}`)).status).toBe(404)
    expect((await get('/sessions/acme/a.b')).status).toBe(404)
  })

  test('a user is found by an id that never stands in an address, and shows sessions, tokens and the reason of a lock', async () => {
    const { post, get, token } = await world()
    const found = await post('/api/v1/users/find?realm=acme', { token: await token(), user: 'ada' })
    expect(found.status).toBe(303)
    const location = found.headers.get('location') ?? ''
    expect(location).toMatch(/^\/users\/acme\/[\w.-]+$/)
    expect(location).not.toContain('ada')
    const { text } = await get(location)
    for (const part of ['>online<', '>offline<', '>web<', '>reset<', 'Locked out.', '198.51.100.…'])
      expect(text).toContain(part)
    expect(text).toMatch(/<li>[^<]*lock[^<]*<\/li>/i)
    expect((await get(location.replace('/acme/', '/other/'))).status).toBe(404)
  })

  test('lock-outs come with the sentence that says why', async () => {
    const { get, data } = await world()
    const { items } = await data<{ items: readonly { userId?: string; why: readonly string[] }[] }>(
      'failures?realm=acme',
    )
    expect(items.map(({ userId }) => userId).sort()).toEqual(['ada', 'bob'])
    const { text } = await get('/failures?realm=acme')
    for (const { why } of items) expect(text).toContain(why[0])
  })

  test('lists go on behind a cursor that is sealed for their realm', async () => {
    const { data, get } = await world()
    const first = await data<Rows>('sessions?realm=acme&limit=2')
    expect(first.items).toHaveLength(2)
    const second = await data<Rows>(`sessions?realm=acme&limit=2&cursor=${first.cursor}`)
    expect(second.items).toHaveLength(2)
    expect((await get(`/sessions?realm=other&cursor=${first.cursor}`)).status).toBe(400)
    expect((await get('/sessions?realm=acme&cursor=abc')).status).toBe(400)
    for (const wrong of ['limit=0', 'limit=101', 'limit=x', 'kind=none'])
      expect([wrong, (await get(`/sessions?realm=acme&${wrong}`)).status]).toEqual([wrong, 400])
  })

  test('an empty realm says what would fill it', async () => {
    const { get } = await world({ realms: ['nobody-here'] })
    expect((await get('/sessions')).text).toContain('No living sessions in')
    expect((await get('/failures')).text).toContain('Nobody is locked out in')
    expect((await get('/clients')).text).toContain('No session lives at any client.')
    expect((await get('/audit')).text).toContain('No audit is configured')
    expect((await get('/redis')).text).toContain('This console has no doctor')
  })

  test('services that are switched off leave a sentence and not an error', async () => {
    const { createAuthState } = await import('authstate')
    const { createConsole } = await import('../src/index.js')
    const off = { enabled: false } as const
    const state = await createAuthState({
      spi: {
        'login-failure': off,
        'realm-cache': off,
        cluster: off,
        'action-token': off,
        'web-session': off,
      },
    } as never)
    const console = createConsole({ state, authorize: () => CHIEF, realms: ['acme'], logger: silent })
    const textOf = async (path: string) => (await console(new Request(`http://x${path}`))).text()
    expect(await textOf('/failures')).toContain('are not counted')
    expect(await textOf('/cache')).toContain('Nothing is cached')
    expect(await textOf('/cluster')).toContain('do not know of one another')
    expect(await textOf('/')).toContain('acme')
    expect(await textOf('/sessions')).toContain('No living sessions')
    await console.close()
    await state.close()
  })

  test('a page of 50 sessions takes less than 30 kB on the way, style and script included', async () => {
    const { gzipSync } = await import('node:zlib')
    const { state, get } = await world({}, [])
    for (let n = 0; n < 50; n++)
      await state.realm('acme').userSessions.create({
        userId: `user ${n} ${randomBytes(4).toString('hex')}`,
        loginUsername: `u${n}@example.org`,
        ipAddress: `203.0.113.${n}`,
        client: { clientId: 'portal' },
      })
    const { text } = await get('/sessions?realm=acme')
    expect(text.match(/name="refs"/g)).toHaveLength(50)
    const assets = [...text.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '')
    const texts = [text, ...(await Promise.all(assets.map(async (path) => (await get(path)).text)))]
    expect(texts).toHaveLength(3)
    const sizes = texts.map((part) => gzipSync(part).length)
    expect(sizes.reduce((a, b) => a + b)).toBeLessThan(30_000)
    expect(texts.find((part) => part.startsWith('(()=>'))?.length).toBeLessThan(6_000)
  })
})

describe('what others chose', () => {
  test('names that would harm stand in every page as they are, and do nothing', async () => {
    const all = await world({}, HOSTILE)
    const pages = await crawl(all)
    expect(pages.size).toBeGreaterThan(40)
    const shown = [...pages.values()].join('\n')
    for (const name of HOSTILE) {
      const escaped = named(name).text
      expect([plain(name), shown.includes(escaped)]).toEqual([plain(name), true])
    }
    for (const [path, text] of pages) {
      // What stands in a field is what is sent again, so it is as it was.
      const seen = text.replace(/ value="[^"]*"/g, '')
      for (const harm of ['<script>alert', '<img src=x', "' onfocus", '\u202e', '\u0000'])
        expect([path, harm, seen.includes(harm)]).toEqual([path, harm, false])
      // Every tag is one of ours, and every attribute is in quotes.
      const tags = text.match(/<[a-z!/][^>]*>/gi) ?? []
      expect(
        tags.filter((tag) => !/^<\/?(!doctype html|[a-z0-9]+)(\s[a-z-]+(="[^"<>]*")?)*\/?>$/i.test(tag)),
      ).toEqual([])
      for (const [, link = ''] of text.matchAll(/(?:href|action|src)="([^"]*)"/g))
        expect(link).toMatch(/^(\/(?!\/)|#main$|data:,$)/)
    }
  }, 60_000)

  test('a name goes into a form and comes back as it was, whatever it is', async () => {
    const { data, post, token, state } = await world({}, HOSTILE)
    const form = await token()
    for (const name of HOSTILE) {
      const found = await post('/api/v1/users/find?realm=acme', JSON.stringify({ token: form, user: name }), {
        'content-type': 'application/json',
      })
      const { data: reached } = JSON.parse(found.text) as { data: { reference: string } }
      const { userId } = await data<{ userId: string }>(`users/acme/${reached.reference}`)
      expect(userId).toBe(name)
      await post(`/api/v1/users/acme/${reached.reference}/end`, { token: form })
      expect((await state.realm('acme').userSessions.listByUser(name)).items).toEqual([])
    }
  })

  test('the template escapes what stands in a hole, and only that', () => {
    expect(html`<p title="${'"<&>\''}">${[1, 'a<b', undefined, false, html`<b>${'&'}</b>`]}</p>`.text).toBe(
      '<p title="&quot;&lt;&amp;&gt;&#39;">1a&lt;b<b>&amp;</b></p>',
    )
  })
})

test('no id of a session, no key of a token, no cursor and no note is in a page, in data, in an address or in what is recorded', async () => {
  const actions: ConsoleAction[] = []
  const lines: unknown[] = []
  const log = (fields: object, message: string) => void lines.push([fields, message])
  const all = await world({
    onAction: (action) => void actions.push(action),
    logger: { debug: log, info: log, warn: log, error: log },
  })
  const { ids, get, data, post, token } = all
  const texts = [...(await crawl(all))].flat()
  for (const path of DATA) texts.push((await get(`/api/v1/${path}`)).text)
  const { items } = await data<Rows>('sessions?realm=acme&limit=100')
  for (const { reference } of items) texts.push((await get(`/api/v1/sessions/acme/${reference}`)).text)
  const ended = await post('/api/v1/sessions/end?realm=acme', {
    token: await token(),
    refs: items.map(({ reference = '' }) => reference),
  })
  texts.push(
    ended.text,
    String(ended.headers.get('location')),
    JSON.stringify(actions),
    JSON.stringify(lines),
  )
  texts.push(
    (await post('/api/v1/sessions/end?realm=acme', formOf({ refs: ids }))).text,
    JSON.stringify(lines),
  )
  const corpus = texts.join('\n')
  expect(ids.length).toBeGreaterThan(8)
  for (const id of ids) {
    expect(corpus).not.toContain(id)
    expect(corpus).not.toContain(Buffer.from(id).toString('base64url'))
    expect(corpus).not.toContain(Buffer.from(`0:${id}`).toString('base64url').slice(4, 24))
  }
  expect(corpus).not.toContain('a value that nobody sees')
  expect(corpus).not.toContain('of a client')
})

test('the API says what it has', async () => {
  const { get } = await world({ basePath: '/ops' })
  const { openapi, servers, paths } = JSON.parse((await get('/api/v1/openapi.json')).text)
  expect([openapi, servers]).toEqual(['3.1.0', [{ url: '/ops/api/v1' }]])
  expect(Object.keys(paths)).toEqual([
    '/overview',
    '/sessions',
    '/sessions/{realm}/{reference}',
    '/users/{realm}/{reference}',
    '/clients',
    '/failures',
    '/cache',
    '/cluster',
    '/sites',
    '/doctor',
    '/config',
    '/audit',
    '/sessions/end',
    '/users/{realm}/{reference}/end',
    '/clients/end',
    '/failures/clear',
    '/failures/clear-realm',
    '/cache/clear',
    '/sites/offline',
    '/sites/online',
    '/sites/push',
    '/sites/pushes/control',
  ])
})
