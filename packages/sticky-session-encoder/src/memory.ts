import { randomBytes } from 'node:crypto'
import type { ProviderFactory } from '@authstate/spi'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type StickySessionEncoderProvider, stickySessionEncoderSpi } from './contract.js'
import { StickySessionEncoder } from './encoder.js'
import { type MemoryStickySessionConfig, memoryStickySessionConfig, ownRoute } from './rules.js'
import { SessionSigner } from './signature.js'

/**
 * Every session belongs to this node, if the load balancer has a name for it; else there are no routes. Without a keyring values are signed with a key that is lost with the process,
 * as the sessions are.
 */
export function memoryStickySessions(): ProviderFactory<
  StickySessionEncoderProvider,
  MemoryStickySessionConfig
> {
  return {
    spi: stickySessionEncoderSpi,
    id: 'memory',
    config: toStandardJsonSchema(memoryStickySessionConfig),
    create: ({ keyring, node }, config) => {
      const route =
        config.route ?? (config.shouldAttachRoute && node.route !== undefined ? ownRoute(node) : undefined)
      const signer = new SessionSigner(keyring ?? { current: 'process', keys: { process: randomBytes(64) } })
      return new StickySessionEncoder(config, signer, () => route)
    },
  }
}
