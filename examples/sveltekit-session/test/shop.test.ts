import { describe } from 'vitest'
import { root } from '../../../tools/lib/run.mjs'
import { Child } from '../../../tools/testing/child.js'
import { describeShop } from '../../../tools/testing/shop.js'

describe('the shop on SvelteKit', () => {
  describeShop(
    async ({ PRICES_URL }) => {
      const { NODE_OPTIONS: _, ...env } = process.env
      const child = new Child(`${root}/tools/example.mjs`, ['sveltekit-session'], {
        env: { ...env, PRICES_URL, NO_COLOR: '1' },
      })
      const stop = () => {
        child.signal('SIGTERM')
        return child.ended
      }
      try {
        const line = await child.said(/http:\/\/localhost:\d+/)
        return { origin: /http:\/\/localhost:\d+/.exec(line)?.[0] ?? '', stop }
      } catch (error) {
        await stop()
        throw error
      }
    },
    (form) => `/?/${form}`,
  )
})
