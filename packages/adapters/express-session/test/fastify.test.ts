import cookie from '@fastify/cookie'
import session from '@fastify/session'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { createFastifyStore, type FastifySessionStore } from '../src/fastify.js'
import { Gate, openState } from './support.js'

interface Query {
  readonly user?: string
  readonly at?: string
}

async function serve(store: FastifySessionStore, gate: Gate) {
  const app = fastify()
  onTestFinished(() => app.close())
  await app.register(cookie)
  await app.register(session, {
    secret: 'a secret of these tests that is long enough',
    cookie: { secure: false },
    saveUninitialized: false,
    store: store as never,
  })
  const route = (path: string, step: (request: FastifyRequest, query: Query) => unknown) =>
    app.get(path, async (request: FastifyRequest, _: FastifyReply) => {
      const query = request.query as Query
      const answered = (await step(request, query)) ?? {}
      if (query.at !== undefined) await gate.pass(query.at)
      return answered
    })
  route('/login', async (request, { user }) => {
    await request.session.regenerate()
    request.session.set('user' as never, user as never)
  })
  route('/set', (request, { at }) => request.session.set('late' as never, at as never))
  route('/logout', (request) => request.session.destroy())
  route('/see', (request) => ({ user: request.session.get('user' as never) ?? null }))
  route('/others', async (request) => ({ ended: await store.endOthers(request as never) }))
  let held = ''
  return async (path: string, of = held) => {
    const response = await app.inject({ url: path, headers: of === '' ? {} : { cookie: of } })
    const set = response.cookies[0]
    if (set !== undefined) held = `${set.name}=${encodeURIComponent(set.value)}`
    return { status: response.statusCode, body: response.json(), cookie: held }
  }
}

test('@fastify/session: a session is kept, listed and ended', async () => {
  const store = createFastifyStore(await openState(), { userId: ({ user }) => user as string | undefined })
  const get = await serve(store, new Gate())
  const first = await get('/login?user=u', '')
  expect(first.status).toBe(200)
  expect((await get('/see')).body).toEqual({ user: 'u' })
  await get('/login?user=u', '')
  expect(await store.sessionsOf('u')).toHaveLength(2)
  expect((await get('/others')).body).toEqual({ ended: 1 })
  expect((await get('/see', first.cookie)).body).toEqual({ user: null })
  expect(await store.endAll('u')).toBe(1)
})

test('@fastify/session: a session that was logged out never comes back', async () => {
  const gate = new Gate()
  const refused: string[] = []
  const store = createFastifyStore(await openState(), {
    userId: ({ user }) => user as string | undefined,
    onRefused: ({ sessionId }) => refused.push(sessionId),
  })
  const get = await serve(store, gate)
  for (let round = 0; round < 20; round++) {
    const { cookie: of } = await get('/login?user=u', '')
    const slow = get(`/set?at=${round}`, of)
    await gate.reached(String(round))
    await get('/logout', of)
    gate.open(String(round))
    expect((await slow).status).toBe(200)
    expect((await get('/see', of)).body).toEqual({ user: null })
    expect(await store.sessionsOf('u')).toEqual([])
  }
  expect(refused).toHaveLength(20)
})

test('@fastify/session: an option of the other framework is refused by name', async () => {
  const state = await openState()
  expect(() => createFastifyStore(state, { merge: 1 } as never)).toThrow(/"merge"/)
})
