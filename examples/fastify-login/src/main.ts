// npm run example -- fastify-login: in memory, or on the Redis that REDIS_URL names.
import { createAuthState } from 'authstate'
import { createApp } from './app.js'

const {
  REDIS_URL: url,
  PORT = '3000',
  SESSION_SECRET = 'a secret of this example, take your own',
} = process.env
const state = await createAuthState(url === undefined ? {} : { provider: 'redis', redis: { url } })
const app = await createApp(state, SESSION_SECRET)
const address = await app.listen({ port: Number(PORT), host: 'localhost' })
console.log(`${address}/ – sign in as ada, with "open sesame", in two browsers`)
