import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { createAuthState } from 'authstate'
import { describe, vi } from 'vitest'
import { describeShop } from '../../../tools/testing/shop.js'
import { createShop } from '../src/app.js'

describe('the shop on Hono', () => {
  describeShop(async ({ PRICES_URL }) => {
    vi.stubEnv('PRICES_URL', PRICES_URL)
    const state = await createAuthState()
    const shop = createShop(state, 'a secret of the tests that is long enough')
    const server = serve({ fetch: shop.fetch, port: 0, hostname: '127.0.0.1' })
    await once(server, 'listening')
    return {
      origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      stop: () => new Promise((resolve) => server.close(() => resolve(state.close()))),
    }
  })
})
