import { defineService } from '@authstate/spi'
import { stickySessionEncoderSpi } from './contract.js'

/** What the rest of the house knows of sticky-session-encoder. */
export const stickySessionEncoderService = defineService({
  name: 'sticky-session-encoder',
  member: 'stickySessions',
  spi: stickySessionEncoderSpi,
  stores: {
    memory: async () => (await import('./memory.js')).memoryStickySessions(),
    redis: async () => (await import('./redis.js')).redisStickySessions(),
  },
})

// What the front door shows of it.
export type { StickySessionEncoderProvider } from './contract.js'
export { stickySessionEncoderSpi } from './contract.js'
