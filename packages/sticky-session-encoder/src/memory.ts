import { randomBytes } from 'node:crypto'
import { describedSchema, type ProviderFactory } from '@authstate/spi'
import { assertNoProperties } from '@authstate/spi/internal'
import { type MemoryStickySessionConfig, memoryStickySessionConfig } from './config.js'
import { type StickySessionEncoderProvider, stickySessionEncoderSpi } from './contract.js'
import { ownRoute } from './rules.js'
import { StickySessions } from './sticky-sessions.js'

/**
 * Every session belongs to this node, if the load balancer has a name for it; else there are no routes. Without a keyring
 * values are signed with a key that is lost with the process, as the sessions are.
 */
export function memoryStickySessions(): ProviderFactory<
  StickySessionEncoderProvider,
  MemoryStickySessionConfig
>
export function memoryStickySessions(
  ...given: unknown[]
): ProviderFactory<StickySessionEncoderProvider, MemoryStickySessionConfig> {
  assertNoProperties(given, 'memoryStickySessions', stickySessionEncoderSpi, 'memory')
  return {
    spi: stickySessionEncoderSpi,
    id: 'memory',
    config: describedSchema(memoryStickySessionConfig),
    create: (context, config) => {
      const { keyring, node } = context
      const route =
        config.route ?? (config.shouldAttachRoute && node.route !== undefined ? ownRoute(node) : undefined)
      const ofProcess = { current: 'process', keys: { process: randomBytes(64) } }
      return new StickySessions(context, config, { routeOf: () => route }, keyring ?? ofProcess)
    },
  }
}
