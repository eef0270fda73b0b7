// express over HTTP: a slow request beside a fast one of the same browser.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createStore } from '@authstate/express-session'
import { RedisStore } from 'connect-redis'
import express from 'express'
import session, { type Store } from 'express-session'
import { createClient } from 'redis'
import { count, type Outcome, type Race, type Surroundings } from './race.js'

/** Requests that wait in the middle, until they are told to go on. */
class Gate {
  readonly #reached = new Map<string, () => void>()
  readonly #opened = new Map<string, () => void>()

  pass(name: string): Promise<void> {
    return new Promise((resolve) => {
      this.#opened.set(name, resolve)
      this.#reached.get(name)?.()
    })
  }

  reached(name: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.#opened.has(name)) resolve()
      else this.#reached.set(name, resolve)
    })
  }

  open(name: string): void {
    this.#opened.get(name)?.()
  }
}

interface Application {
  readonly gate: Gate
  /** What a request answers, and the cookie that the browser has afterwards. */
  get(
    path: string,
    cookie?: string,
  ): Promise<{ readonly body: Record<string, unknown>; readonly cookie: string }>
}

/** `/set?name=value&at=gate`, `/logout` and `/see`, over a store. */
async function withApplication(store: Store, use: (application: Application) => Outcome): Outcome {
  const gate = new Gate()
  const app = express()
  app.use(session({ secret: 'a secret of this demo', resave: false, saveUninitialized: false, store }))
  app.get('/set', async (request, response) => {
    const { at, ...names } = request.query
    Object.assign(request.session, names)
    if (typeof at === 'string') await gate.pass(at)
    response.json({})
  })
  app.get('/logout', (request, response) => {
    request.session.destroy(() => response.json({}))
  })
  app.get('/see', ({ session: { cookie: _, ...seen } }, response) => {
    response.json(seen)
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    return await use({
      gate,
      async get(path, cookie = '') {
        const response = await fetch(origin + path, { headers: cookie === '' ? {} : { cookie } })
        const [set] = response.headers.getSetCookie()
        return {
          body: (await response.json()) as Record<string, unknown>,
          cookie: set?.split(';')[0] ?? cookie,
        }
      },
    })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const aliveAgain = (store: Store): Outcome =>
  withApplication(store, ({ gate, get }) =>
    count(async (n) => {
      const { cookie } = await get('/set?user=ada')
      const slow = get(`/set?late=1&at=${n}`, cookie)
      await gate.reached(`${n}`)
      await get('/logout', cookie)
      gate.open(`${n}`)
      await slow
      return (await get('/see', cookie)).body['user'] === 'ada'
    }),
  )

const oneIsLost = (store: Store): Outcome =>
  withApplication(store, ({ gate, get }) =>
    count(async (n) => {
      const { cookie } = await get('/set?user=ada')
      const slow = get(`/set?cart=book&at=${n}`, cookie)
      await gate.reached(`${n}`)
      await get('/set?language=fr', cookie)
      gate.open(`${n}`)
      await slow
      const { body } = await get('/see', cookie)
      return body['cart'] === undefined || body['language'] === undefined
    }),
  )

async function onConnectRedis({ url, prefix }: Surroundings, race: (store: Store) => Outcome): Outcome {
  const client = createClient({ url })
  await client.connect()
  try {
    return await race(new RedisStore({ client, prefix: `${prefix}:sess:` }))
  } finally {
    client.destroy()
  }
}

const races = [
  ['a session that was logged out is alive again', aliveAgain],
  ['of two changes at once one is lost', oneIsLost],
] as const

export const expressRaces: readonly Race[] = races.map(([what, race]) => ({
  framework: 'express-session',
  what,
  peer: 'connect-redis 9',
  onPeer: (surroundings) => onConnectRedis(surroundings, race),
  onOurs: ({ state }) => race(createStore(session, state)),
}))
