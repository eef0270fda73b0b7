// npm run example hono-session: the shop, in memory or on the Redis that REDIS_URL names.
import { serve } from '@hono/node-server'
import { createAuthState } from 'authstate'
import { createShop } from './app.js'

const {
  REDIS_URL: url,
  PORT = '3000',
  SESSION_SECRET = 'a secret of this example, take your own',
} = process.env
const state = await createAuthState(url === undefined ? {} : { provider: 'redis', redis: { url } })
const server = serve(
  { fetch: createShop(state, SESSION_SECRET).fetch, port: Number(PORT), hostname: 'localhost' },
  ({ port }) => console.log(`http://localhost:${port}/`),
)
process.once('SIGINT', () => server.close(() => state.close()))
