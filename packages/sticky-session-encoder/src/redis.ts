import { type ClusterView, clusterSpi } from '@authstate/cluster'
import { describedSchema, type NodeIdentity, type ProviderFactory } from '@authstate/spi'
import { assertNoProperties } from '@authstate/spi/internal'
import { type StickySessionConfig, stickySessionConfig } from './config.js'
import { type StickySessionEncoderProvider, stickySessionEncoderSpi } from './contract.js'
import { createRendezvous, type Rendezvous } from './rendezvous.js'
import type { Routes } from './routes.js'
import { ownRoute, routeOf } from './rules.js'
import { StickySessions } from './sticky-sessions.js'

/**
 * A session belongs to one of the nodes that live now, by rendezvous hashing over the cluster's view: all nodes answer
 * alike, and when one leaves only its own sessions move.
 */
export function redisStickySessions(): ProviderFactory<StickySessionEncoderProvider, StickySessionConfig>
export function redisStickySessions(
  ...given: unknown[]
): ProviderFactory<StickySessionEncoderProvider, StickySessionConfig> {
  assertNoProperties(given, 'redisStickySessions', stickySessionEncoderSpi, 'redis')
  return {
    spi: stickySessionEncoderSpi,
    id: 'redis',
    dependsOn: [clusterSpi],
    config: describedSchema(stickySessionConfig),
    create: (context, config) => {
      if (config.shouldAttachRoute) ownRoute(context.node)
      const cluster = context.get(clusterSpi)
      return new StickySessions(context, config, new ViewRoutes(() => cluster.view(), context.node))
    },
  }
}

/** Routes by the view of the moment. A site's balancer knows its own nodes only. */
class ViewRoutes implements Routes {
  readonly #view: () => ClusterView
  readonly #site: string | undefined
  #known: ClusterView | undefined
  #rendezvous: Rendezvous = () => undefined

  constructor(view: () => ClusterView, { site }: NodeIdentity) {
    this.#view = view
    this.#site = site
  }

  routeOf(id: string): string | undefined {
    const view = this.#view()
    if (view !== this.#known) {
      this.#known = view
      this.#rendezvous = createRendezvous(
        view.nodes.filter(({ site }) => site === this.#site).map((node) => routeOf(node)),
      )
    }
    return this.#rendezvous(id)
  }
}
