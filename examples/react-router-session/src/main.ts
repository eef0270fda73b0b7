// npm run example -- react-router-session: the shop, in memory or on the Redis that REDIS_URL names.
import { serve } from '@hono/node-server'
import { respond } from './server.js'

const { PORT = '3000' } = process.env
serve({ fetch: respond, port: Number(PORT), hostname: 'localhost' }, ({ port }) =>
  console.log(`http://localhost:${port}/`),
)
