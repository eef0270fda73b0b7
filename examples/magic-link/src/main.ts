// npm run example -- magic-link: in memory, or on the Redis that REDIS_URL names.
import { serve } from '@hono/node-server'
import { createAuthState } from 'authstate'
import { createApp } from './app.js'

const {
  REDIS_URL: url,
  PORT = '3000',
  SESSION_SECRET = 'a secret of this example, take your own',
  KEYRING_SECRET = 'another secret of this example, take your own',
} = process.env
const state = await createAuthState(
  url === undefined
    ? {}
    : { provider: 'redis', redis: { url }, keyring: { current: 'k1', keys: { k1: KEYRING_SECRET } } },
)
const origin = `http://localhost:${PORT}`
const app = createApp({
  state,
  secret: SESSION_SECRET,
  origin,
  send: async ({ to, link }) => console.log(`To: ${to}\n${link}\n`),
})
const server = serve({ fetch: app.fetch, port: Number(PORT), hostname: 'localhost' }, () =>
  console.log(`${origin}/`),
)
process.once('SIGINT', () => server.close(() => state.close()))
