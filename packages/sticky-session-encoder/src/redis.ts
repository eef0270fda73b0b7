import { type ClusterView, clusterSpi } from '@authstate/cluster'
import type { NodeIdentity, ProviderFactory } from '@authstate/spi'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type StickySessionEncoderProvider, stickySessionEncoderSpi } from './contract.js'
import { StickySessionEncoder } from './encoder.js'
import { createRendezvous, type Rendezvous } from './rendezvous.js'
import { ownRoute, redisStickySessionConfig, routeOf, type StickySessionConfig } from './rules.js'
import { SessionSigner } from './signature.js'

/**
 * A session belongs to one of the nodes that live now, by rendezvous hashing over the cluster's view: all nodes answer
 * alike, and when one leaves only its own sessions move.
 */
export function redisStickySessions(): ProviderFactory<StickySessionEncoderProvider, StickySessionConfig> {
  return {
    spi: stickySessionEncoderSpi,
    id: 'redis',
    dependsOn: [clusterSpi],
    config: toStandardJsonSchema(redisStickySessionConfig),
    create: (context, config) => {
      if (config.shouldAttachRoute) ownRoute(context.node)
      const cluster = context.get(clusterSpi)
      const signer = context.keyring && new SessionSigner(context.keyring)
      return new StickySessionEncoder(
        config,
        signer,
        routesOf(() => cluster.view(), context.node),
      )
    },
  }
}

/** Routes by the view of the moment. A site's balancer knows its own nodes only. */
function routesOf(view: () => ClusterView, { site }: NodeIdentity): Rendezvous {
  let known: ClusterView | undefined
  let rendezvous: Rendezvous = () => undefined
  return (id) => {
    const current = view()
    if (current !== known) {
      known = current
      rendezvous = createRendezvous(current.nodes.filter((node) => node.site === site).map(routeOf))
    }
    return rendezvous(id)
  }
}
