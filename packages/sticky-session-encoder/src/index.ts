export {
  type MemoryStickySessionConfig,
  memoryStickySessionConfig,
  type StickySessionConfig,
} from './config.js'
export {
  type CookieOptions,
  type DecodedSession,
  type SignOptions,
  type StickySessionEncoderProvider,
  stickySessionEncoderSpi,
} from './contract.js'
export { memoryStickySessions } from './memory.js'
export { createRendezvous, type Rendezvous } from './rendezvous.js'
export { stickySessionEncoderService } from './service.js'
