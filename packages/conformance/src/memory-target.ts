import { type AnyProviderFactory, createProviderRegistry, type Provider, type Spi } from '@authstate/spi'
import type { Target } from './run-suite.js'

/**
 * A store inside this process: every node of a case is the same provider, unless it has a name or a clock of its own.
 *
 * @param factories A function makes them anew for each case, where what they make shares a store.
 */
export function memoryTarget<P extends Provider>(
  spi: Spi<P>,
  factories: readonly AnyProviderFactory[] | (() => readonly AnyProviderFactory[]),
  name = 'memory',
): Target<P> {
  return {
    name,
    open: async ({ properties: shared, ...context }) => {
      const made = typeof factories === 'function' ? factories() : factories
      const opened = new Map<string, ReturnType<typeof createProviderRegistry>>()
      return {
        provider: async (properties, { clock = context.clock, ...node } = {}) => {
          const own = clock === context.clock ? '' : String(opened.size)
          const wanted = JSON.stringify([properties, node, own])
          let registry = opened.get(wanted)
          if (registry === undefined) {
            registry = createProviderRegistry({
              factories: made,
              config: { spi: { [spi.name]: { ...properties } } },
              ...context,
              clock,
              node,
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
