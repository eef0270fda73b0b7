import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { describe, vi } from 'vitest'
import { describeShop } from '../../../tools/testing/shop.js'
import { respond } from '../src/server.js'

describe('the shop on React Router', () => {
  describeShop(async ({ PRICES_URL }) => {
    vi.stubEnv('PRICES_URL', PRICES_URL)
    const server = serve({ fetch: respond, port: 0, hostname: '127.0.0.1' })
    await once(server, 'listening')
    return {
      origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      stop: () => new Promise((resolve) => server.close(resolve)),
    }
  })
})
