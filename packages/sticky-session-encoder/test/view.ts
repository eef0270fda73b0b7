import { type ClusterNode, type ClusterProvider, type ClusterView, clusterSpi } from '@authstate/cluster'
import { createProviderRegistry } from '@authstate/registry'
import type { NodeIdentity, ProviderFactory } from '@authstate/spi'
import { type StickySessionEncoderProvider, stickySessionEncoderSpi } from '../src/index.js'
import { redisStickySessions } from '../src/redis.js'

export const KEYRING = { current: 'k', keys: { k: 'k'.repeat(64) } }

export const nodeNamed = (name: string, more: Partial<NodeIdentity> = {}): ClusterNode => ({
  name,
  incarnation: 'i',
  joinedAt: 0,
  ...more,
})

/** A view that a test moves. */
export class View {
  #view: ClusterView

  constructor(...nodes: ClusterNode[]) {
    this.#view = { nodes, version: 1 }
  }

  become(...nodes: ClusterNode[]): void {
    this.#view = { nodes, version: this.#view.version + 1 }
  }

  /** The encoder asks a cluster for nothing but its view. */
  factory(): ProviderFactory<ClusterProvider> {
    const provider: Pick<ClusterProvider, 'view'> = { view: () => this.#view }
    return { spi: clusterSpi, id: 'still', create: () => provider as ClusterProvider }
  }
}

export async function encoderOver(
  view: View,
  {
    properties = {},
    ...options
  }: { properties?: object; node?: NodeIdentity; keyring?: typeof KEYRING } = {},
): Promise<StickySessionEncoderProvider> {
  const registry = createProviderRegistry({
    factories: [redisStickySessions(), view.factory()],
    config: { spi: { 'sticky-session-encoder': { ...properties } } },
    ...options,
  })
  await registry.start()
  return registry.get(stickySessionEncoderSpi)
}
