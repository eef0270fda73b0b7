import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type RedisClient, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { type Clock, StoreUnavailableError, systemClock } from '@authstate/spi'
import { memoryWebSessions, type WebSessionProvider, webSessionSpi } from '@authstate/web-session'
import { redisWebSessions } from '@authstate/web-session/redis'
import express, { type NextFunction, type Request, type Response } from 'express'
import session, { type Store } from 'express-session'
import { onTestFinished } from 'vitest'
import { createStore, type SessionState, type SessionStore, type StoreOptions } from '../src/index.js'

declare module 'express-session' {
  interface SessionData {
    [name: string]: unknown
  }
}

/** A node that keeps sessions in memory, or in a Redis under a prefix. */
export async function openState(
  over?: { readonly client: RedisClient; readonly prefix: string },
  clock: Clock = systemClock,
): Promise<SessionState> {
  const registry = createProviderRegistry({
    factories: over ? [redisWebSessions(), redisConnection()] : [memoryWebSessions()],
    config: { ...(over && { redis: over }), spi: { 'web-session': { provider: over ? 'redis' : 'memory' } } },
    ...(over === undefined && { clock }),
  })
  await registry.start()
  onTestFinished(() => registry.close())
  return { webSessions: registry.get(webSessionSpi) }
}

export const open = (state: SessionState, options: StoreOptions = {}): Store & SessionStore =>
  createStore(session, state, { userId: ({ user }) => user as string | undefined, ...options })

/** A state that can be away: a verb that is named does not answer, until it is taken out again. */
export function awayAt({ webSessions }: SessionState): { state: SessionState; away: Set<string> } {
  const away = new Set<string>()
  const provider = new Proxy({} as WebSessionProvider, {
    get: (_, verb) => {
      const value: unknown = Reflect.get(webSessions, verb)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]) => {
        if (away.has(String(verb))) throw new StoreUnavailableError('Redis is away', { applied: 'unknown' })
        return value.apply(webSessions, args)
      }
    },
  })
  return { state: { webSessions: provider }, away }
}

/** What a request waits for, where a test says so. */
export class Gate {
  readonly #waits = new Map<string, () => void>()
  readonly #arrivals = new Map<string, () => void>()

  /** Waits until `open` is called with the name. */
  async pass(name: string): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waits.set(name, resolve)
      this.#arrivals.get(name)?.()
    })
  }

  /** Resolves when somebody waits there. */
  async reached(name: string): Promise<void> {
    if (this.#waits.has(name)) return
    await new Promise<void>((resolve) => this.#arrivals.set(name, resolve))
  }

  open(name: string): void {
    this.#waits.get(name)?.()
    this.#waits.delete(name)
    this.#arrivals.delete(name)
  }
}

/** What a request answered. */
export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
}

/** A browser: it holds one cookie. */
export class Browser {
  readonly #origin: string
  cookie = ''

  constructor(origin: string, cookie = '') {
    this.#origin = origin
    this.cookie = cookie
  }

  async get(path: string): Promise<Answer> {
    const response = await fetch(this.#origin + path, {
      headers: this.cookie === '' ? {} : { cookie: this.cookie },
    })
    const [set] = response.headers.getSetCookie()
    if (set !== undefined) this.cookie = set.split(';')[0] ?? ''
    const text = await response.text()
    return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : { text } }
  }
}

/** An application over a store: `/set?name=value`, `/login?user=`, `/logout`, `/see`; `&at=name` waits at a gate before it ends. */
export async function serve(store: Store & SessionStore, gate = new Gate()): Promise<string> {
  const app = express()
  const secret = 'a secret of these tests'
  app.use(session({ secret, resave: false, saveUninitialized: false, store }))
  const route = (path: string, step: (request: Request) => unknown) =>
    app.get(path, async (request: Request, response: Response, next: NextFunction) => {
      try {
        const answered = await step(request)
        const { at } = request.query
        if (typeof at === 'string') await gate.pass(at)
        response.json({ ...(answered as object) })
      } catch (error) {
        next(error)
      }
    })
  route('/set', ({ session: own, query }) => {
    const { at: _, ...names } = query
    Object.assign(own, names)
  })
  route('/unset', ({ session: own, query }) => void delete own[String(query['name'])])
  route('/login', async (request) => {
    const { user, slow } = request.query
    if (typeof slow === 'string') await gate.pass(slow)
    await new Promise<void>((resolve, reject) => {
      request.session.regenerate((error) => (error ? reject(error) : resolve()))
    })
    request.session['user'] = user
  })
  route('/twice', async ({ session: own, query }) => {
    own['first'] = 1
    await new Promise<void>((resolve, reject) => {
      own.save((error) => (error ? reject(error) : resolve()))
    })
    await gate.pass(String(query['between']))
    own['second'] = 2
  })
  route('/logout', (request) => new Promise<void>((resolve) => request.session.destroy(() => resolve())))
  route('/others', async (request) => ({ ended: await store.endOthers(request) }))
  route('/see', ({ session: { cookie: _, ...seen }, sessionID }) => ({ ...seen, id: sessionID }))
  app.use((error: Error, _: Request, response: Response, __: NextFunction) => {
    const { statusCode = 500 } = error as { readonly statusCode?: number }
    response.status(statusCode).json({ error: error.name })
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.closeAllConnections())
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
