// npm run example -- better-auth-devices: in memory, or on the Redis that REDIS_URL names.
import { serve } from '@hono/node-server'
import { createAuthState } from 'authstate'
import { createApp } from './app.js'

const {
  REDIS_URL: url,
  PORT = '3000',
  SESSION_SECRET: secret = 'a secret of this example, take your own',
} = process.env
const state = await createAuthState({
  ...(url !== undefined && { provider: 'redis', redis: { url } }),
  realms: () => ({ bruteForce: { enabled: true, failureFactor: 5 } }),
})
const origin = `http://localhost:${PORT}`
const { fetch } = createApp({ state, secret, origin })
const server = serve({ fetch, port: Number(PORT), hostname: 'localhost' }, () => console.log(`${origin}/`))
process.once('SIGINT', () => server.close(() => state.close()))
