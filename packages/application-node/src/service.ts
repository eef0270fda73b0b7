import { defineService } from '@authstate/spi'
import { applicationNodeSpi } from './contract.js'

/**
 * What the rest of the house knows of application-node. It is no part of the front door: an application adds its provider, which needs
 * functions of it.
 */
export const applicationNodeService = defineService({
  name: 'application-node',
  spi: applicationNodeSpi,
  stores: {},
  realm: { remove: (provider, realmId) => provider.removeByRealm(realmId) },
  events: ['delivered', 'retrying', 'failed', 'refused', 'superseded', 'dead'],
  keys: {
    nr: 'nodes of a client',
    nc: 'clients of a realm that have nodes',
    nd: 'a delivery and its messages',
    nv: 'deliveries of a realm',
    nl: 'messages that wait for a host of a client',
    nq: 'hosts of clients for which messages wait',
    no: 'messages of a realm under way',
    nx: 'dead letters of a realm',
    nb: 'the largest not-before that was sent to hosts of a client',
  },
  stats: (provider) => provider.stats(),
})

export { applicationNodeSpi } from './contract.js'
