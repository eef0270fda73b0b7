import { Auth, type AuthConfig } from '@auth/core'
import type { Adapter, AdapterAccount, AdapterUser } from '@auth/core/adapters'
import type { EmailConfig } from '@auth/core/providers'
import { actionTokenSpi, memoryActionTokens } from '@authstate/action-token'
import { redisActionTokens } from '@authstate/action-token/redis'
import type { RedisClient } from '@authstate/redis'
import { redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import type { Clock } from '@authstate/spi'
import { memoryWebSessions, webSessionSpi } from '@authstate/web-session'
import { redisWebSessions } from '@authstate/web-session/redis'
import { onTestFinished } from 'vitest'
import { type AuthjsState, withAuthstate } from '../src/index.js'

/** Where a test keeps its state. */
export interface Over {
  /** Left out: in memory. */
  readonly redis?: { readonly client: RedisClient; readonly prefix: string } | undefined
  readonly clock?: Clock
  readonly properties?: Readonly<Record<string, number>>
}

/** A node that keeps its state in memory, or in a Redis under a prefix. */
export async function openState({ redis, clock, properties = {} }: Over = {}): Promise<AuthjsState> {
  const provider = redis ? 'redis' : 'memory'
  const service = { provider, [provider]: properties }
  const registry = createProviderRegistry({
    factories: redis
      ? [redisWebSessions(), redisActionTokens(), redisConnection()]
      : [memoryWebSessions(), memoryActionTokens()],
    config: { ...(redis && { redis }), spi: { 'web-session': service, 'action-token': service } },
    ...(clock !== undefined && { clock }),
  })
  await registry.start()
  onTestFinished(() => registry.close())
  return { webSessions: registry.get(webSessionSpi), actionTokens: registry.get(actionTokenSpi) }
}

/** Users and accounts in memory: an adapter that keeps no sessions. */
export function usersInMemory() {
  const users = new Map<string, AdapterUser>()
  const accounts = new Map<string, AdapterAccount>()
  const nameOf = ({ provider, providerAccountId }: Pick<AdapterAccount, 'provider' | 'providerAccountId'>) =>
    JSON.stringify([provider, providerAccountId])
  return {
    createUser: async (user: AdapterUser) => {
      users.set(user.id, user)
      return user
    },
    getUser: async (id: string) => users.get(id) ?? null,
    getUserByEmail: async (email: string) => [...users.values()].find((user) => user.email === email) ?? null,
    getUserByAccount: async (of: Pick<AdapterAccount, 'provider' | 'providerAccountId'>) =>
      users.get(accounts.get(nameOf(of))?.userId ?? '') ?? null,
    updateUser: async (user: Partial<AdapterUser> & Pick<AdapterUser, 'id'>) => {
      const updated = { ...users.get(user.id), ...user } as AdapterUser
      users.set(user.id, updated)
      return updated
    },
    deleteUser: async (id: string) => {
      users.delete(id)
      for (const [name, { userId }] of accounts) if (userId === id) accounts.delete(name)
    },
    linkAccount: async (account: AdapterAccount) => {
      accounts.set(nameOf(account), account)
      return account
    },
    unlinkAccount: async (of: Pick<AdapterAccount, 'provider' | 'providerAccountId'>) => {
      accounts.delete(nameOf(of))
    },
    getAccount: async (providerAccountId: string, provider: string) =>
      accounts.get(nameOf({ provider, providerAccountId })) ?? null,
  } satisfies Adapter
}

/** An adapter over users in memory. */
export const adapterOver = (state: AuthjsState, users = usersInMemory()) => withAuthstate(users, state)

const ORIGIN = 'http://localhost:3000'

/** An application with links in mails. */
export class Application {
  /** The links that were sent. */
  readonly mails: string[] = []
  readonly errors: Error[] = []
  readonly #config: AuthConfig

  constructor(adapter: Adapter, session: AuthConfig['session'] = {}) {
    const email: EmailConfig = {
      id: 'email',
      type: 'email',
      name: 'Email',
      from: 'no-reply@example.com',
      maxAge: 3_600,
      server: '',
      options: {},
      sendVerificationRequest: ({ url }) => void this.mails.push(url),
    }
    this.#config = {
      adapter,
      providers: [email],
      session: { strategy: 'database', ...session },
      secret: 'a secret of these tests that is long enough',
      basePath: '/auth',
      trustHost: true,
      logger: { error: (error) => void this.errors.push(error), warn: () => {}, debug: () => {} },
    }
  }

  handle(request: Request): Promise<Response> {
    return Auth(request, this.#config) as Promise<Response>
  }
}

/** A browser: it holds cookies. */
export class Browser {
  readonly #application: Application
  readonly #cookies: Map<string, string>

  constructor(application: Application, cookies = new Map<string, string>()) {
    this.#application = application
    this.#cookies = new Map(cookies)
  }

  /** Another that has the same cookies now. */
  copy(application = this.#application): Browser {
    return new Browser(application, this.#cookies)
  }

  get sessionToken(): string | undefined {
    return this.#cookies.get('authjs.session-token')
  }

  async get(url: string): Promise<Response> {
    return this.#send(new Request(new URL(url, ORIGIN), { headers: this.#headers }))
  }

  /** Asks for a link in a mail, and opens it. */
  async signIn(email: string): Promise<void> {
    await this.askForLink(email)
    await this.get(this.#application.mails.at(-1) as string)
  }

  async askForLink(email: string): Promise<void> {
    await this.#post('/auth/signin/email', { email })
  }

  async signOut(): Promise<void> {
    await this.#post('/auth/signout', {})
  }

  /** Whose session it is. */
  async who(): Promise<string | undefined> {
    const session = (await (await this.get('/auth/session')).json()) as { user?: { email?: string } } | null
    return session?.user?.email
  }

  async #post(path: string, fields: Record<string, string>): Promise<Response> {
    const { csrfToken } = (await (await this.get('/auth/csrf')).json()) as { csrfToken: string }
    const body = new URLSearchParams({ ...fields, csrfToken })
    return this.#send(new Request(new URL(path, ORIGIN), { method: 'POST', body, headers: this.#headers }))
  }

  get #headers(): Record<string, string> {
    return { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
  }

  async #send(request: Request): Promise<Response> {
    const response = await this.#application.handle(request)
    for (const set of response.headers.getSetCookie()) {
      const [pair = ''] = set.split(';')
      const at = pair.indexOf('=')
      const value = pair.slice(at + 1)
      if (value === '') this.#cookies.delete(pair.slice(0, at))
      else this.#cookies.set(pair.slice(0, at), value)
    }
    return response
  }
}
