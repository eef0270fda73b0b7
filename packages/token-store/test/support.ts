import { actionTokenSpi, memoryActionTokens } from '@authstate/action-token'
import { redisActionTokens } from '@authstate/action-token/redis'
import { FakeClock, RecordingLogger } from '@authstate/conformance'
import type { RedisClient } from '@authstate/redis'
import { redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import type { Clock } from '@authstate/spi'
import { memoryWebSessions, webSessionSpi } from '@authstate/web-session'
import { redisWebSessions } from '@authstate/web-session/redis'
import { CompactSign, exportJWK, generateKeyPair, type JSONWebKeySet, type JWK } from 'jose'
import { onTestFinished } from 'vitest'
import {
  type CookieStoreOptions,
  createCookieTokenStore,
  createReceivers,
  createSessionTokenStore,
  type NewSession,
  type ReceiverOptions,
  type Receivers,
  type RefreshedTokens,
  type SessionStoreOptions,
  type StoredTokens,
  type TokenStore,
  type TokenStoreState,
} from '../src/index.js'

export const ISSUER = 'https://op.example.com'
export const CLIENT = 'shop'
export const KEYRING = { current: 'k1', keys: { k1: 'a secret of the tests that has 32 bytes' } }
export const START = Date.UTC(2026, 10, 1)

/** A node's providers, in memory or in a Redis under a prefix. */
export async function openState(
  clock?: Clock,
  redis?: { readonly client: RedisClient; readonly prefix: string },
): Promise<TokenStoreState & { close(): Promise<void> }> {
  const service = { provider: redis ? 'redis' : 'memory' }
  const registry = createProviderRegistry({
    factories: redis
      ? [redisWebSessions(), redisActionTokens(), redisConnection()]
      : [memoryWebSessions(), memoryActionTokens()],
    config: { ...(redis && { redis }), spi: { 'web-session': service, 'action-token': service } },
    ...(clock !== undefined && { clock }),
  })
  await registry.start()
  return {
    webSessions: registry.get(webSessionSpi),
    actionTokens: registry.get(actionTokenSpi),
    close: () => registry.close(),
  }
}

/** Holds whoever asks for it, until it is opened. */
export class Gate {
  #open = () => {}
  #arrive = () => {}
  readonly passage = new Promise<void>((resolve) => {
    this.#open = resolve
  })
  readonly arrival = new Promise<void>((resolve) => {
    this.#arrive = resolve
  })

  async pass(): Promise<void> {
    this.#arrive()
    await this.passage
  }

  open(): void {
    this.#open()
  }
}

const keyPair = generateKeyPair('ES256', { extractable: true })
const publicKey: Promise<JWK> = keyPair.then(async ({ publicKey: key }) => ({
  ...(await exportJWK(key)),
  kid: 'op-1',
  alg: 'ES256',
}))

/** An OpenID provider that does what a test says. */
export class ScriptedProvider {
  readonly #clock: { now(): number }
  /** Refresh tokens that were asked with, in their order. */
  readonly asked: string[] = []
  readonly revoked: string[] = []
  /** Holds answers of the token endpoint. */
  gate: Gate | undefined
  /** What the token endpoint fails with. */
  fault: unknown
  rotates = true
  /** Whether a refresh token that was used before still gets its answer. */
  hasGrace = false
  accessMs = 60_000
  extra: Partial<RefreshedTokens> = {}
  #count = 0
  #messages = 0
  readonly #answers = new Map<string, RefreshedTokens>()

  constructor(clock: { now(): number }) {
    this.#clock = clock
  }

  /** Tokens of a new grant. */
  issue(more: Partial<RefreshedTokens> = {}): RefreshedTokens {
    this.#count += 1
    return {
      accessToken: `access-${this.#count}`,
      accessExpiresAt: this.#clock.now() + this.accessMs,
      issuedAt: this.#clock.now(),
      refreshToken: `refresh-${this.#count}`,
      ...more,
    }
  }

  readonly refresh = async ({ refreshToken = '' }: StoredTokens): Promise<RefreshedTokens> => {
    this.asked.push(refreshToken)
    await this.gate?.pass()
    if (this.fault !== undefined) throw this.fault
    const before = this.#answers.get(refreshToken)
    if (before !== undefined && this.hasGrace) return before
    if (this.revoked.includes(refreshToken) || before !== undefined)
      throw Object.assign(new Error('invalid_grant'), { error: 'invalid_grant', status: 400 })
    const answer = this.issue({ ...(!this.rotates && { refreshToken }), ...this.extra })
    if (this.rotates) this.#answers.set(refreshToken, answer)
    return answer
  }

  readonly revoke = async (refreshToken: string): Promise<void> => {
    this.revoked.push(refreshToken)
  }

  /** The keys that it publishes. */
  static async keys(): Promise<JSONWebKeySet> {
    return { keys: [await publicKey] }
  }

  /** A JWS of it. */
  async sign(claims: object, header: object = {}): Promise<string> {
    const { privateKey } = await keyPair
    return new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg: 'ES256', kid: 'op-1', typ: 'logout+jwt', ...header })
      .sign(privateKey)
  }

  /** The claims of a logout token. */
  logoutClaims(more: object): Record<string, unknown> {
    const iat = Math.floor(this.#clock.now() / 1_000)
    this.#messages += 1
    return {
      iss: ISSUER,
      aud: CLIENT,
      iat,
      exp: iat + 120,
      jti: `jti-${this.#messages}`,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      ...more,
    }
  }
}

/** A provider some of whose verbs are others. */
export const replaced = <P extends object>(provider: P, verbs: Partial<P>): P =>
  new Proxy({} as P, {
    get: (_, name) => (name in verbs ? verbs[name as keyof P] : Reflect.get(provider, name)),
  })

export type Kind = 'session' | 'cookie'

/** One process of an application. */
export interface AppNode {
  readonly store: TokenStore
  readonly receivers: Receivers
}

export interface AppOptions {
  readonly kind: Kind
  readonly redis?: { readonly client: RedisClient; readonly prefix: string } | undefined
  readonly options?: Partial<SessionStoreOptions & CookieStoreOptions>
  readonly receivers?: Partial<ReceiverOptions>
  /** Puts something between the stores and their state. */
  readonly over?: (state: TokenStoreState) => TokenStoreState
}

/** An application of two nodes on one state, with its provider. */
export class Application {
  readonly clock = new FakeClock(START)
  readonly op = new ScriptedProvider(this.clock)
  readonly logger = new RecordingLogger()
  readonly #options: AppOptions
  readonly #nodes: AppNode[] = []
  readonly #opened: { close(): Promise<void> }[] = []
  #state: TokenStoreState | undefined

  private constructor(options: AppOptions) {
    this.#options = options
  }

  static async open(options: AppOptions): Promise<Application> {
    const app = new Application(options)
    onTestFinished(() => app.close())
    await app.restart()
    return app
  }

  get nodes(): readonly [AppNode, AppNode] {
    return this.#nodes as unknown as readonly [AppNode, AppNode]
  }

  get state(): TokenStoreState {
    return this.#state as TokenStoreState
  }

  /** Both processes anew, on the same state. */
  async restart(): Promise<void> {
    const { redis, over = (state) => state } = this.#options
    const states: TokenStoreState[] = []
    for (let node = 0; node < 2; node++) {
      if (redis === undefined && this.#state !== undefined) {
        states.push(this.#state)
        continue
      }
      const state = await openState(this.clock, redis)
      this.#opened.push(state)
      this.#state = over(state)
      states.push(this.#state)
    }
    this.#nodes.splice(0, 2, ...states.map((state) => this.#nodeOn(state)))
  }

  /** Closes what it opened. Safe to repeat. */
  async close(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((state) => state.close()))
  }

  #nodeOn(state: TokenStoreState): AppNode {
    const { kind, options = {}, receivers = {} } = this.#options
    const common = {
      issuer: ISSUER,
      refresh: this.op.refresh,
      revoke: this.op.revoke,
      logger: this.logger,
    }
    const store =
      kind === 'session'
        ? createSessionTokenStore(state, { ...common, ...options })
        : createCookieTokenStore({ ...common, keyring: KEYRING, ...options }, state)
    return {
      store,
      receivers: createReceivers(store, state, {
        clientId: CLIENT,
        keys: () => ScriptedProvider.keys(),
        algorithms: ['ES256'],
        ...receivers,
      }),
    }
  }

  /** A login at a node: the browser that has its cookies. */
  async login(node = 0, more: Partial<NewSession> = {}): Promise<Browser> {
    const browser = new Browser()
    const outcome = await this.#nodes[node]?.store.create({
      subject: 'u-1',
      sid: 's-1',
      tokens: this.op.issue(),
      ...more,
    })
    if (outcome?.outcome !== 'created') throw new Error(`the login came to ${outcome?.outcome}`)
    browser.take(outcome.cookies)
    return browser
  }

  async logout(claims: object, node = 0, header: object = {}): Promise<Response> {
    return this.post(await this.op.sign(this.op.logoutClaims(claims), header), node)
  }

  async post(token: string, node = 0): Promise<Response> {
    return this.nodes[node as 0 | 1].receivers.backChannelLogout(
      logoutRequest(new URLSearchParams({ logout_token: token })),
    )
  }

  /** Whom a node takes a browser for; else why nobody. */
  async who(browser: Browser, node = 0): Promise<string> {
    const read = await this.nodes[node as 0 | 1].store.read(browser.header)
    return read.session?.subject ?? (read.absent as string)
  }

  /** A token for a request of a browser, which keeps what cookies come. */
  async token(browser: Browser, node = 0, ask: Parameters<TokenStore['accessToken']>[1] = {}) {
    const { store } = this.nodes[node as 0 | 1]
    const { session } = await store.read(browser.header)
    if (session === undefined) return { outcome: 'absent' as const }
    const outcome = await store.accessToken(session, ask)
    if ('cookies' in outcome) browser.take(outcome.cookies)
    return outcome
  }
}

export const logoutRequest = (body: BodyInit, init: RequestInit = {}): Request =>
  new Request('https://shop.example.com/logout', { method: 'POST', body, ...init })

/** Holds cookies. */
export class Browser {
  readonly cookies = new Map<string, string>()

  get header(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  copy(): Browser {
    const copy = new Browser()
    for (const [name, value] of this.cookies) copy.cookies.set(name, value)
    return copy
  }

  take(cookies: readonly string[]): void {
    for (const cookie of cookies) {
      const [pair = ''] = cookie.split(';')
      const at = pair.indexOf('=')
      if (cookie.includes('Max-Age=0')) this.cookies.delete(pair.slice(0, at))
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
  }
}
