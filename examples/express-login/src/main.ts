// npm run example -- express-login: in memory, or on the Redis that REDIS_URL names.
import type { AddressInfo } from 'node:net'
import { createAuthState } from 'authstate'
import { createApp } from './app.js'

const {
  REDIS_URL: url,
  PORT = '3000',
  SESSION_SECRET = 'a secret of this example, take your own',
} = process.env
const state = await createAuthState(url === undefined ? {} : { provider: 'redis', redis: { url } })
const server = createApp(state, SESSION_SECRET).listen(Number(PORT), 'localhost', () => {
  const { port } = server.address() as AddressInfo
  console.log(`http://localhost:${port}/ – sign in as ada, with "open sesame", in two browsers`)
})
