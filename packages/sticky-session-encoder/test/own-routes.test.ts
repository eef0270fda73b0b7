// A provider as its author would write it who knows the nodes from elsewhere.
import { memoryTarget, runSuite } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import type { ProviderFactory } from '@authstate/spi'
import { describe, expect, test } from 'vitest'
import { stickySessionEncoderSuite } from '../src/conformance.js'
import {
  createRendezvous,
  type StickySessionConfig,
  StickySessions,
  stickySessionConfig,
} from '../src/for-stores.js'
import { type StickySessionEncoderProvider, stickySessionEncoderSpi } from '../src/index.js'

function listedRoutes(
  ...nodes: string[]
): ProviderFactory<StickySessionEncoderProvider, StickySessionConfig> {
  return {
    spi: stickySessionEncoderSpi,
    id: 'listed',
    config: stickySessionConfig,
    create: (context, config) => new StickySessions(context, config, { routeOf: createRendezvous(nodes) }),
  }
}

runSuite(stickySessionEncoderSuite, memoryTarget(stickySessionEncoderSpi, [listedRoutes('n1', 'n2')]), {
  describe,
  test,
})

test('a session belongs to one of the nodes; without a keyring nothing is signed', async () => {
  const registry = createProviderRegistry({ factories: [listedRoutes('n1', 'n2')] })
  await registry.start()
  const sticky = registry.get(stickySessionEncoderSpi)
  const routes = Array.from({ length: 50 }, (_, n) => sticky.route(`session-${n}`))
  expect([...new Set(routes)].sort()).toEqual(['n1', 'n2'])
  expect(() => sticky.sign('id')).toThrow(/keyring/)
  await registry.close()
})
