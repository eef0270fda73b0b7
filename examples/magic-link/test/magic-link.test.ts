import { createTestState } from 'authstate/testing'
import { expect, onTestFinished, test } from 'vitest'
import { createApp } from '../src/app.js'
import type { Mail } from '../src/mail.js'

const ORIGIN = 'http://localhost:3000'
const AT_ONCE = 10

/** A browser, which holds one cookie, and asks the application without a network. */
class Browser {
  readonly #app: ReturnType<typeof createApp>
  cookie = ''

  constructor(app: ReturnType<typeof createApp>) {
    this.#app = app
  }

  async send(method: 'GET' | 'HEAD' | 'POST', path: string, form: Record<string, string> = {}) {
    const response = await this.#app.request(new URL(path, ORIGIN).href, {
      method,
      headers: { origin: ORIGIN, ...(this.cookie !== '' && { cookie: this.cookie }) },
      ...(method === 'POST' && { body: new URLSearchParams(form) }),
    })
    for (const set of response.headers.getSetCookie()) this.cookie = set.split(';')[0] ?? ''
    return { status: response.status, text: await response.text() }
  }

  /** Presses the button of a page that a link has shown. */
  async press(link: string, { text }: { readonly text: string }) {
    const [, attempt = ''] = /name="attempt" value="([^"]+)"/.exec(text) ?? []
    return this.send('POST', link, { attempt })
  }
}

async function open() {
  const { state, clock } = await createTestState()
  onTestFinished(() => state.close())
  const mails: Mail[] = []
  const app = createApp({
    state,
    secret: 'a secret of the tests that is long enough',
    origin: ORIGIN,
    send: async (mail) => void mails.push(mail),
  })
  const linkFor = async (email: string): Promise<string> => {
    await new Browser(app).send('POST', '/link', { email })
    return mails.at(-1)?.link ?? ''
  }
  return { state, clock, mails, linkFor, browser: () => new Browser(app) }
}

test('scanners that open a link do not use it up', async () => {
  const { linkFor, browser } = await open()
  const link = await linkFor('Ada@example.com')
  for (let scanner = 0; scanner < AT_ONCE; scanner++) {
    expect((await browser().send(scanner % 2 === 0 ? 'GET' : 'HEAD', link)).status).toBe(200)
  }
  const reader = browser()
  const shown = await reader.send('GET', link)
  expect(shown.text).toContain('Sign in as ada@example.com')
  expect((await reader.send('GET', '/')).text).not.toContain('ada@example.com')
  expect((await reader.press(link, shown)).status).toBe(303)
  expect((await reader.send('GET', '/')).text).toContain('You are ada@example.com')
  await reader.send('POST', '/sign-out')
  expect((await reader.send('GET', '/')).text).not.toContain('ada@example.com')
})

test('of ten who press the button at once one is signed in, and nobody later', async () => {
  const { linkFor, browser } = await open()
  const link = await linkFor('ada@example.com')
  const readers = await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      const reader = browser()
      return { reader, shown: await reader.send('GET', link) }
    }),
  )
  const pressed = await Promise.all(readers.map(({ reader, shown }) => reader.press(link, shown)))
  expect(pressed.map(({ status }) => status).sort()).toEqual([303, ...Array(AT_ONCE - 1).fill(410)])
  const late = await browser().send('GET', link)
  expect([late.status, late.text]).toEqual([410, expect.stringContaining('was used before')])
})

test('who presses the button twice is signed in', async () => {
  const { linkFor, browser } = await open()
  const link = await linkFor('ada@example.com')
  const reader = browser()
  const shown = await reader.send('GET', link)
  const both = await Promise.all([reader.press(link, shown), reader.press(link, shown)])
  expect(both.map(({ status }) => status)).toEqual([303, 303])
  expect((await reader.send('GET', '/')).text).toContain('You are ada@example.com')
})

test('a link works for a quarter of an hour', async () => {
  const { clock, linkFor, browser } = await open()
  const link = await linkFor('ada@example.com')
  clock.advance(899_999)
  expect((await browser().send('GET', link)).status).toBe(200)
  clock.advance(1)
  expect((await browser().send('GET', link)).status).toBe(410)
  expect((await browser().send('POST', link)).status).toBe(410)
})

test.each(['/link/x', '/link/__proto__', `/link/${'x'.repeat(10_000)}`])('no link: %s', async (path) => {
  const { browser } = await open()
  expect((await browser().send('GET', path)).status).toBe(410)
  expect((await browser().send('POST', path)).status).toBe(410)
})

test('an address gets five mails in an hour, and what is none gets none; all are told the same', async () => {
  const { mails, clock, browser } = await open()
  const ask = async (email: string) => (await browser().send('POST', '/link', { email })).text
  const told = await ask('ada@example.com')
  for (let again = 0; again < 9; again++) expect(await ask('ada@example.com')).toBe(told)
  expect(mails).toHaveLength(5)
  for (const email of ['', 'nobody', 'a b@c', `${'x'.repeat(300)}@example.com`])
    expect(await ask(email)).toBe(told)
  expect(mails).toHaveLength(5)
  clock.advance(3_600_000)
  await ask('ada@example.com')
  expect(mails).toHaveLength(6)
})
