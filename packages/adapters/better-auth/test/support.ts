import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RedisClient } from '@authstate/redis'
import type { RealmSettings } from '@authstate/spi'
import { type AuthState, createAuthState } from 'authstate'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { toNodeHandler } from 'better-auth/node'
import { onTestFinished } from 'vitest'

/** Where a test keeps its state. */
export interface Over {
  /** Left out: in memory. */
  readonly redis?: { readonly client: RedisClient; readonly prefix: string } | undefined
  readonly realm?: RealmSettings
  readonly spi?: Readonly<Record<string, object>>
}

/** A node that keeps its state in memory, or in a Redis under a prefix. */
export async function openState({ redis, realm = {}, spi = {} }: Over = {}): Promise<AuthState> {
  const state = await createAuthState({
    ...(redis && { provider: 'redis', redis }),
    realms: () => realm,
    spi,
  })
  onTestFinished(() => state.close())
  return state
}

type Options = Parameters<typeof betterAuth>[0]

/** The rows of a database that nodes share. */
export type Rows = Record<string, Record<string, unknown>[]>

export const noRows = (): Rows => ({ user: [], session: [], account: [], verification: [] })

/** Serves a better-auth server over HTTP. @returns its origin */
export async function serve(rows: Rows, options: Partial<Options>): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.closeAllConnections())
  onTestFinished(() => void server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const auth = betterAuth({
    baseURL: origin,
    secret: 'a secret of these tests that is long enough',
    database: memoryAdapter(rows),
    logger: { disabled: true },
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
    // Real hashes take a tenth of a second each.
    emailAndPassword: {
      enabled: true,
      password: {
        hash: async (password) => `hash of ${password} ${Math.random()}`,
        verify: async ({ hash, password }) => hash.startsWith(`hash of ${password} `),
      },
    },
    ...options,
  })
  server.on('request', toNodeHandler(auth))
  return origin
}

/** What a request answered. */
export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown> | null
  readonly headers: Headers
}

/** A browser: it holds cookies, and may go to another node with them. */
export class Browser {
  readonly #origin: string
  readonly #cookies: Map<string, string>

  constructor(origin: string, cookies = new Map<string, string>()) {
    this.#origin = origin
    this.#cookies = cookies
  }

  /** The same browser, at another node. */
  at(origin: string): Browser {
    return new Browser(origin, this.#cookies)
  }

  get(path: string): Promise<Answer> {
    return this.#send(path, { method: 'GET' })
  }

  post(path: string, body: object = {}, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#send(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    })
  }

  signUp(name = 'ada'): Promise<Answer> {
    return this.post('/sign-up/email', { email: `${name}@example.com`, name, password: 'right password' })
  }

  signIn(password = 'right password', name = 'ada', headers: Record<string, string> = {}): Promise<Answer> {
    return this.post('/sign-in/email', { email: `${name}@example.com`, password }, headers)
  }

  async isSignedIn(): Promise<boolean> {
    return (await this.get('/get-session')).body !== null
  }

  async #send(path: string, init: RequestInit & { headers?: Record<string, string> }): Promise<Answer> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(`${this.#origin}/api/auth${path}`, {
      ...init,
      headers: { ...init.headers, origin: this.#origin, ...(cookie !== '' && { cookie }) },
    })
    for (const set of response.headers.getSetCookie()) {
      const [pair = ''] = set.split(';')
      const at = pair.indexOf('=')
      this.#cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
    const text = await response.text()
    return {
      status: response.status,
      body: text === '' ? null : (JSON.parse(text) as Record<string, unknown> | null),
      headers: response.headers,
    }
  }
}
