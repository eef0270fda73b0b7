// npm run demo -- --console: a node of the server with the console of operators beside it, and a crowd that comes and goes. It goes on until
// Ctrl-C; with AUTHSTATE_DEMO_ONCE it looks at its own pages, and ends. AUTHSTATE_DEMO_REDIS_URL puts the state into Redis.
import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createConsole } from '@authstate/console'
import { serve } from '@hono/node-server'
import { examine } from 'authstate/redis/doctor'
import { Hono } from 'hono'
import { setCookie } from 'hono/cookie'
import { comeAndGo, gather } from './demo/crowd.js'
import { clearRedis } from './demo/nodes.js'
import { CALENDAR, createState, createWorld, ISSUER, NOTES } from './demo/world.js'
import { sameSecret } from './secrets.js'
import { createAuthServer } from './server.js'

const REALM = 'main'
const SCREENS = [
  '',
  'sessions',
  'clients',
  'failures',
  'cache',
  'cluster',
  'sites',
  'redis',
  'config',
  'audit',
]
const isOnce = process.env['AUTHSTATE_DEMO_ONCE'] !== undefined

const world = await createWorld(process.env['AUTHSTATE_DEMO_REDIS_URL'])
const { users, signingKey, keyring, redis } = world
const state = await createState(world, 'A')
// Whoever has seen the address that is printed below is the operator.
const entrance = randomBytes(24).toString('base64url')
const ops = createConsole({
  state,
  keyring,
  realms: [REALM],
  basePath: '/ops',
  readOnly: false,
  ...(redis && { doctor: () => examine(redis) }),
  authorize: (request) =>
    sameSecret(/(?:^|; )ops=([^;]+)/.exec(request.headers.get('cookie') ?? '')?.[1] ?? '', entrance)
      ? {
          id: 'demo',
          name: 'You',
          can: { read: true, endSessions: true, clearFailures: true, clearCache: true, manageSites: true },
        }
      : undefined,
})

// The console has headers of its own, so it stands beside the server and not in it.
const app = new Hono()
app.get(`/enter/${entrance}`, (c) => {
  setCookie(c, 'ops', entrance, { httpOnly: true, sameSite: 'Lax', path: '/ops' })
  return c.redirect('/ops/')
})
app.all('/ops', (c) => ops(c.req.raw))
app.all('/ops/*', (c) => ops(c.req.raw))
app.route(
  '/',
  await createAuthServer({ state, issuer: ISSUER, clients: [NOTES, CALENDAR], users, signingKey }),
)

await gather(state, REALM)
const goAway = isOnce ? () => {} : comeAndGo(state, REALM)
const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }: AddressInfo) => {
  console.log(`The console of operators: http://127.0.0.1:${port}/enter/${entrance}`)
  console.log(
    `The server itself: http://127.0.0.1:${port}/.well-known/openid-configuration. Ctrl-C ends both.`,
  )
  if (isOnce) void lookAround(`http://127.0.0.1:${port}`).finally(stop)
}) as Server

async function lookAround(origin: string): Promise<void> {
  const entered = await fetch(`${origin}/enter/${entrance}`, { redirect: 'manual' })
  const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? ''
  const answers = await Promise.all(
    SCREENS.map((path) => fetch(`${origin}/ops/${path}`, { headers: { cookie } })),
  )
  const stranger = await fetch(`${origin}/ops/`)
  const isRight = answers.every(({ status }) => status === 200) && stranger.status === 401
  process.exitCode = isRight ? 0 : 1
  console.log(
    `demo: ${isRight ? `${answers.length} screens seen, a stranger sees none` : 'a screen is not there'}`,
  )
}

let isStopping = false
async function stop(): Promise<void> {
  if (isStopping) return
  isStopping = true
  goAway()
  await ops.close()
  server.closeAllConnections()
  server.close()
  await state.close()
  await clearRedis(world)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
