// What every example with a page of devices must do, over HTTP, whatever framework it is written with.
import { expect, test } from 'vitest'

/** A browser: it holds one cookie, and follows redirects. */
class Browser {
  readonly #origin: string
  readonly #name: string
  cookie: string

  constructor(origin: string, name: string, cookie = '') {
    this.#origin = origin
    this.#name = name
    this.cookie = cookie
  }

  get = (): Promise<string> => this.#fetch('/', {})

  post = (path: string, form: Readonly<Record<string, string>> = {}): Promise<string> =>
    this.#fetch(path, { method: 'POST', body: new URLSearchParams(form) })

  signIn = (): Promise<string> => this.post('/login', { name: 'ada', password: 'open sesame' })

  async #fetch(path: string, init: RequestInit): Promise<string> {
    const headers = { 'user-agent': this.#name, ...(this.cookie !== '' && { cookie: this.cookie }) }
    const response = await fetch(this.#origin + path, { ...init, headers, redirect: 'manual' })
    for (const set of response.headers.getSetCookie()) this.cookie = set.split(';')[0] ?? ''
    const text = await response.text()
    if (response.status === 303) return this.#fetch(response.headers.get('location') ?? '', {})
    expect(response.status, text).toBe(200)
    return text
  }
}

/** The paths of the buttons that sign out one device. */
const endsIn = (page: string): string[] =>
  [...page.matchAll(/action="(\/devices\/[^"]+)"/g)].map(([, path = '']) => path)

/** @param start Starts it. @returns its address, without a slash at the end */
export function describeDevices(start: () => Promise<string>): void {
  test('devices are listed, one is signed out, then all others', async () => {
    const origin = await start()
    const [laptop, phone, tablet] = ['Laptop <1>', 'Phone', 'Tablet'].map(
      (name) => new Browser(origin, name),
    ) as [Browser, Browser, Browser]
    expect(await laptop.get()).toContain('<h1>Sign in</h1>')
    expect(await laptop.post('/login', { name: 'ada', password: 'wrong' })).toContain('That did not work.')
    expect(await laptop.signIn()).toContain('Laptop &lt;1>')
    await phone.signIn()
    const page = await tablet.signIn()
    for (const text of ['Signed in as ada.', 'Laptop', 'Phone', 'Tablet', 'this device'])
      expect(page).toContain(text)
    const ends = endsIn(page)
    expect(ends).toHaveLength(2)
    expect(page, 'no id is in a page').not.toContain(
      decodeURIComponent(tablet.cookie).replace(/^.*?=(s:)?([^.]+).*$/, '$2'),
    )

    await new Browser(origin, 'Nobody').post(ends[0] ?? '')
    expect(endsIn(await tablet.get()), 'nobody ends the sessions of somebody else').toHaveLength(2)
    const rest = await tablet.post(ends[0] ?? '')
    expect(endsIn(rest)).toHaveLength(1)
    const signedIn = await Promise.all(
      [laptop, phone].map(async (browser) => (await browser.get()).includes('Signed in')),
    )
    expect(signedIn.filter(Boolean)).toHaveLength(1)

    await (signedIn[0] ? phone : laptop).signIn()
    expect(endsIn(await tablet.post('/others'))).toEqual([])
    for (const browser of [laptop, phone]) expect(await browser.get()).toContain('<h1>Sign in</h1>')

    const stale = new Browser(origin, 'Tablet', tablet.cookie)
    expect(await tablet.post('/logout')).toContain('<h1>Sign in</h1>')
    expect(await stale.get()).toContain('<h1>Sign in</h1>')
  })

  test('a sign-in takes another id than the visitor had', async () => {
    const browser = new Browser(await start(), 'Laptop')
    await browser.signIn()
    const before = browser.cookie
    await browser.signIn()
    expect(browser.cookie).not.toBe(before)
  })
}
