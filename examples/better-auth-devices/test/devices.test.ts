import { createAuthState } from 'authstate'
import { expect, onTestFinished, test } from 'vitest'
import { createApp } from '../src/app.js'

const ORIGIN = 'http://localhost:3000'
const AT_ONCE = 5

/** A browser, which holds cookies, and asks the application without a network. */
class Browser {
  readonly #app: ReturnType<typeof createApp>
  readonly #name: string
  readonly #cookies = new Map<string, string>()

  constructor(app: ReturnType<typeof createApp>, name = 'a browser') {
    this.#app = app
    this.#name = name
  }

  async home(): Promise<string> {
    return (await this.#send('/', {})).text()
  }

  async post(path: string, form: Record<string, string> = {}): Promise<number> {
    return (await this.#send(path, { method: 'POST', body: new URLSearchParams(form) })).status
  }

  signUp = () => this.post('/sign-up', { email: 'ada@example.com', password: 'right password' })
  signIn = (password = 'right password') => this.post('/sign-in', { email: 'ada@example.com', password })

  async #send(path: string, init: RequestInit): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { origin: ORIGIN, 'user-agent': this.#name, ...(cookie !== '' && { cookie }) }
    const response = await this.#app.request(ORIGIN + path, { ...init, headers })
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? []
      this.#cookies.set(name, value)
    }
    return response
  }
}

async function open() {
  const state = await createAuthState({
    realms: () => ({ bruteForce: { enabled: true, failureFactor: 3, quickLoginCheckMs: 0 } }),
  })
  onTestFinished(() => state.close())
  const app = createApp({ state, secret: 'a secret of the tests that is long enough', origin: ORIGIN })
  return (name?: string) => new Browser(app, name)
}

test('devices that sign in at once are all listed; one is ended, then the others', async () => {
  const browser = await open()
  const own = browser('laptop')
  expect(await own.signUp()).toBe(303)
  const others = Array.from({ length: AT_ONCE }, (_, at) => browser(`phone ${at}`))
  expect(await Promise.all(others.map((other) => other.signIn()))).toEqual(Array(AT_ONCE).fill(303))

  const page = await own.home()
  for (let at = 0; at < AT_ONCE; at++) expect(page).toContain(`phone ${at},`)
  expect(page).toMatch(/laptop,[^<]*<strong>this device/)
  const ids = [...page.matchAll(/name="id" value="([^"]+)"/g)].map(([, id = '']) => id)
  expect(ids).toHaveLength(AT_ONCE)

  expect(await own.post('/devices/end', { id: ids[0] as string })).toBe(303)
  const signedIn = async () =>
    (await Promise.all(others.map((other) => other.home()))).filter((text) => text.includes('Your devices'))
  expect(await signedIn()).toHaveLength(AT_ONCE - 1)
  expect(await own.post('/devices/end-others')).toBe(303)
  expect(await signedIn()).toEqual([])
  expect((await own.home()).match(/<li>/g)).toHaveLength(1)
  expect(await own.post('/sign-out')).toBe(303)
  expect(await own.home()).toContain('Sign in')
})

test('a device that nobody has, and a visitor, end nothing', async () => {
  const browser = await open()
  const own = browser()
  await own.signUp()
  for (const id of ['', '__proto__', 'x'.repeat(1_000)])
    expect(await own.post('/devices/end', { id })).toBe(303)
  expect(await browser().post('/devices/end-others')).toBe(303)
  expect(await own.home()).toContain('Your devices')
})

test('an account is locked after wrong passwords, on every device', async () => {
  const browser = await open()
  await browser().signUp()
  for (let wrong = 0; wrong < 3; wrong++) expect(await browser().signIn('wrong password')).toBe(401)
  expect(await browser().signIn()).toBe(429)
})
