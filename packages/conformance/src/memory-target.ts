import { type AnyProviderFactory, createProviderRegistry, type Provider, type Spi } from '@authstate/spi'
import type { Target } from './run-suite.js'

/** A store inside this process: every node of a case is the same provider. */
export function memoryTarget<P extends Provider>(
  spi: Spi<P>,
  factories: readonly AnyProviderFactory[],
  name = 'memory',
): Target<P> {
  return {
    name,
    open: async ({ properties: shared, ...context }) => {
      const opened = new Map<string, ReturnType<typeof createProviderRegistry>>()
      return {
        provider: async (properties) => {
          const wanted = JSON.stringify(properties)
          let registry = opened.get(wanted)
          if (registry === undefined) {
            registry = createProviderRegistry({
              factories,
              config: { spi: { [spi.name]: { ...properties } } },
              ...context,
            })
            opened.set(wanted, registry)
            await registry.start()
          }
          return registry.get(spi)
        },
        close: async () => {
          for (const registry of opened.values()) await registry.close()
        },
      }
    },
  }
}
