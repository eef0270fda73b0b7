import { createHash } from 'node:crypto'
import { FakeClock } from '@authstate/conformance'
import { type AuthState, type AuthStateConfig, createAuthState } from 'authstate'
import type { Hono } from 'hono'
import type { AuthServerOptions, Client, User } from '../src/config.js'
import { hashPassword } from '../src/passwords.js'
import { createAuthServer } from '../src/server.js'

export const ISSUER = 'https://login.example'
export const VERIFIER = 'v'.repeat(43)
export const PASSWORD = 'open sesame'

export const shop: Client = {
  clientId: 'shop',
  name: 'Shop <b>',
  secret: 'shop secret: 100% + more',
  redirectUris: ['https://shop.example/callback?from=login'],
  postLogoutRedirectUris: ['https://shop.example/bye'],
}
export const app: Client = {
  clientId: 'app',
  name: 'App',
  redirectUris: ['https://app.example/callback'],
}

export const users: readonly User[] = await Promise.all(
  ['ada', 'ben'].map(async (username) => ({
    id: `id of ${username}`,
    username,
    name: username,
    email: `${username}@example.org`,
    passwordHash: await hashPassword(PASSWORD),
    isAdmin: username === 'ada',
  })),
)

/** A node of the server with a clock that is moved by hand. */
export class TestServer implements AsyncDisposable {
  private constructor(
    readonly node: Hono,
    readonly state: AuthState,
    readonly clock: FakeClock,
    /** What happens before a verb of the state that the server calls, such as `'userSessions.touch'`. */
    readonly before: Map<string, () => unknown>,
  ) {}

  static async start(
    config: AuthStateConfig = {},
    options: Partial<AuthServerOptions> = {},
  ): Promise<TestServer> {
    const clock = new FakeClock()
    const bruteForce = { enabled: true, failureFactor: 3, quickLoginCheckMs: 0 }
    const state = await createAuthState({ clock, realms: () => ({ bruteForce }), ...config })
    const clients = [shop, app]
    const before = new Map<string, () => unknown>()
    const watched = watch(state, before)
    const node = await createAuthServer({ state: watched, issuer: ISSUER, clients, users, ...options })
    return new TestServer(node, state, clock, before)
  }

  browser(): TestBrowser {
    return new TestBrowser(this)
  }

  /** Asks the token endpoint as a client does. */
  async token(fields: Readonly<Record<string, string>>, client: Client = shop): Promise<TokenAnswer> {
    const response = await this.tokenRaw(fields, client)
    return {
      status: response.status,
      headers: response.headers,
      ...((await response.json()) as object),
    } as TokenAnswer
  }

  /** {@link token} that does not read the answer, which is a page when the store is away. */
  async tokenRaw(fields: Readonly<Record<string, string>>, client: Client = shop): Promise<Response> {
    const basic = `${encodeURIComponent(client.clientId)}:${encodeURIComponent(client.secret ?? '')}`
    return this.node.request('/token', {
      method: 'POST',
      body: new URLSearchParams(
        client.secret === undefined ? { ...fields, client_id: client.clientId } : fields,
      ),
      headers: client.secret === undefined ? {} : { authorization: `Basic ${btoa(basic)}` },
    })
  }

  redeem(
    code: string,
    changes: Readonly<Record<string, string>> = {},
    client: Client = shop,
  ): Promise<TokenAnswer> {
    const fields = {
      grant_type: 'authorization_code',
      code,
      code_verifier: VERIFIER,
      redirect_uri: client.redirectUris[0] as string,
    }
    return this.token({ ...fields, ...changes }, client)
  }

  refresh(token: string, client: Client = shop): Promise<TokenAnswer> {
    return this.token({ grant_type: 'refresh_token', refresh_token: token }, client)
  }

  /** The status of userinfo. */
  async userinfo(accessToken: string): Promise<number> {
    const headers = { authorization: `Bearer ${accessToken}` }
    return (await this.node.request('/userinfo', { headers })).status
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.state.close()
  }
}

/** The same state, which tells of each verb before it is called. */
function watch(state: AuthState, before: ReadonlyMap<string, () => unknown>): AuthState {
  const service = (name: string, provider: object): object =>
    new Proxy(
      {},
      {
        get(_, verb) {
          const member: unknown = Reflect.get(provider, verb, provider)
          if (typeof member !== 'function') return member
          return (...args: unknown[]): unknown => {
            const happens = before.get(`${name}.${String(verb)}`)
            const call = (): unknown => member.apply(provider, args)
            return happens === undefined ? call() : Promise.resolve().then(happens).then(call)
          }
        },
      },
    )
  return new Proxy({} as AuthState, {
    get(_, name) {
      const member: unknown = Reflect.get(state, name, state)
      if (typeof member === 'function') return member.bind(state)
      return typeof member === 'object' && member !== null ? service(String(name), member) : member
    },
  })
}

export interface TokenAnswer {
  readonly status: number
  readonly headers: Headers
  readonly error?: string
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
}

/** Keeps cookies; follows nothing by itself. */
export class TestBrowser {
  readonly cookies = new Map<string, string>()

  constructor(readonly server: TestServer) {}

  get(path: string): Promise<Response> {
    return this.#send(path, {})
  }

  post(path: string, fields: Readonly<Record<string, string>>): Promise<Response> {
    return this.#send(path, { method: 'POST', body: new URLSearchParams(fields) })
  }

  /** Goes to the login page of a client: the hidden fields of its form, or where the browser was sent instead. */
  async begin(client: Client = shop, changes: Readonly<Record<string, string>> = {}): Promise<Begun> {
    const response = await this.get(authorizePath(client, changes))
    const location = response.headers.get('location') ?? ''
    if (!location.startsWith('/login')) return { fields: {}, location }
    const html = await (await this.get(location)).text()
    const fields = [...html.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ])
    return { fields: Object.fromEntries(fields) as Record<string, string>, location }
  }

  /** Signs in and answers the code. */
  async signIn(client: Client = shop, username = 'ada'): Promise<string> {
    const { fields } = await this.begin(client)
    const response = await this.post('/login', { ...fields, username, password: PASSWORD })
    return codeOf(response.headers.get('location'))
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await this.server.node.request(path, { ...init, headers: { cookie } })
    for (const header of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(header) ?? []
      if (/max-age=0/i.test(header)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return response
  }
}

export interface Begun {
  readonly fields: Record<string, string>
  readonly location: string
}

export function authorizePath(client: Client, changes: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: client.clientId,
    redirect_uri: client.redirectUris[0] as string,
    scope: 'openid email',
    state: 'a state',
    nonce: 'a nonce',
    code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
    code_challenge_method: 'S256',
    ...changes,
  })
  return `/authorize?${query}`
}

/** The code in an address to which a browser was sent. */
export const codeOf = (location: string | null): string =>
  new URL(location ?? '', ISSUER).searchParams.get('code') ?? ''
