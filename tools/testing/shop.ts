// What every shop among the examples must do, over HTTP, whatever framework it is written with.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROUNDS = 20

/** A server that compiles its pages takes its time on a machine that others use. */
const START_MS = 180_000

/** A service that tells prices when it is told to: while it waits, a request of the shop is under way. */
class Prices {
  readonly #server = createServer((request, response) => {
    const item = decodeURIComponent(request.url?.slice(1) ?? '')
    if (!item.startsWith('slow')) return void response.end('12')
    this.#waiting.set(item, response)
    this.#arrivals.get(item)?.()
  })
  readonly #waiting = new Map<string, ServerResponse>()
  readonly #arrivals = new Map<string, () => void>()

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  /** Resolves when somebody waits for the price. */
  async asked(item: string): Promise<void> {
    if (this.#waiting.has(item)) return
    await new Promise<void>((resolve) => this.#arrivals.set(item, resolve))
  }

  answer(item: string): void {
    this.#waiting.get(item)?.end('12')
    this.#waiting.delete(item)
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

/** A browser: it holds one cookie, and follows no redirect. */
class Browser {
  readonly #origin: string
  cookie: string

  constructor(origin: string, cookie = '') {
    this.#origin = origin
    this.cookie = cookie
  }

  /** Another window of it, with the cookie that it has now. */
  window(): Browser {
    return new Browser(this.#origin, this.cookie)
  }

  async page(): Promise<string> {
    const response = await this.#fetch('/', {})
    expect(response.status).toBe(200)
    return (await response.text()).replaceAll(/<!--.*?-->/g, '')
  }

  async post(path: string, form: Readonly<Record<string, string>> = {}): Promise<void> {
    const response = await this.#fetch(path, { method: 'POST', body: new URLSearchParams(form) })
    expect([response.status, await response.text()]).toEqual([303, expect.anything()])
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = {
      accept: 'text/html',
      origin: this.#origin,
      ...(this.cookie !== '' && { cookie: this.cookie }),
    }
    const response = await fetch(this.#origin + path, { ...init, headers, redirect: 'manual' })
    for (const set of response.headers.getSetCookie())
      this.cookie = /;\s*Max-Age=0/.test(set) ? '' : (set.split(';')[0] ?? '')
    return response
  }
}

/** A shop that runs. */
export interface RunningShop {
  /** Without a slash at its end. */
  readonly origin: string
  stop(): Promise<unknown>
}

/**
 * @param start Starts it: PRICES_URL is the address of a service for prices.
 * @param pathOf The path of a form, by its name: `login`, `logout`, `others`, `cart`, `language`.
 */
export function describeShop(
  start: (env: { readonly PRICES_URL: string }) => Promise<RunningShop>,
  pathOf: (form: string) => string = (form) => `/${form}`,
): void {
  const prices = new Prices()
  let shop: RunningShop
  beforeAll(async () => {
    shop = await start({ PRICES_URL: await prices.start() })
  }, START_MS)
  afterAll(async () => {
    prices.stop()
    await shop?.stop()
  })
  const signIn = async (browser = new Browser(shop.origin)): Promise<Browser> => {
    await browser.post(pathOf('login'), { name: 'ada' })
    return browser
  }

  test('a visitor fills a cart, signs in under another id, and signs out elsewhere', async () => {
    const browser = new Browser(shop.origin)
    expect(await browser.page()).not.toContain('Signed in')
    expect(browser.cookie, 'nothing to keep').toBe('')
    await browser.post(pathOf('cart'), { item: 'book' })
    const visitor = browser.window()
    await signIn(browser)
    expect(browser.cookie).not.toBe(visitor.cookie)
    expect(await browser.page()).toMatch(/Signed in as ada, in 1 sessions[\s\S]*book: 12/)
    expect(await visitor.page(), 'the id of before opens nothing').not.toContain('book: 12')
    const phone = await signIn()
    expect(await phone.page()).toContain('in 2 sessions')
    await browser.post(pathOf('others'))
    expect(await phone.page()).not.toContain('Signed in')
    expect(await browser.page()).toContain('in 1 sessions')
    const stale = browser.window()
    await browser.post(pathOf('logout'))
    expect(browser.cookie).toBe('')
    expect(await stale.page()).not.toContain('Signed in')
  })

  test('a session that was signed out never comes back, whatever a slow request saves', async () => {
    let alive = 0
    for (let round = 0; round < ROUNDS; round++) {
      const item = `slow out ${round}`
      const browser = await signIn()
      const slow = browser.window().post(pathOf('cart'), { item })
      await prices.asked(item)
      const stale = browser.window()
      await browser.post(pathOf('logout'))
      prices.answer(item)
      await slow
      if (/Signed in|slow/.test(await stale.page())) alive += 1
    }
    expect(`${alive} of ${ROUNDS} alive again`).toBe(`0 of ${ROUNDS} alive again`)
  })

  test('of two requests at once that change different names both last', async () => {
    let lost = 0
    for (let round = 0; round < ROUNDS; round++) {
      const item = `slow both ${round}`
      const browser = await signIn()
      const slow = browser.window().post(pathOf('cart'), { item })
      await prices.asked(item)
      await browser.post(pathOf('language'), { language: 'fr' })
      prices.answer(item)
      await slow
      const page = await browser.page()
      if (!page.includes('Language: fr') || !page.includes(`${item}: 12`)) lost += 1
    }
    expect(`${lost} of ${ROUNDS} lost`).toBe(`0 of ${ROUNDS} lost`)
  })
}
