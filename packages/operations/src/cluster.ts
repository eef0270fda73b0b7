import { type AuthState, clusterSpi } from 'authstate'

/** A node of the deployment. */
export interface NodeRow {
  readonly name: string
  readonly site?: string
  /** When it joined, ms since the epoch. */
  readonly joinedAt: number
  /** Whether it is the process that answers. */
  readonly isThis: boolean
}

/** The nodes that live. */
export interface NodesView {
  readonly nodes: readonly NodeRow[]
  /** Grows with every node that joins, leaves or crashes. */
  readonly version: number
  /** State of the work channel of this process. */
  readonly channel: 'live' | 'catching-up' | 'disconnected'
}

/** Nodes of the deployment. */
export interface ClusterOperations {
  /** Asks the store which nodes live now. */
  nodes(): Promise<NodesView>
}

/** The cluster of a state. */
export function clusterOperations(state: AuthState): ClusterOperations {
  return {
    async nodes() {
      const cluster = state.get(clusterSpi)
      const { nodes, version } = await cluster.refresh()
      return {
        nodes: nodes.map(({ name, site, joinedAt, incarnation }) => ({
          name,
          ...(site !== undefined && { site }),
          joinedAt,
          isThis: incarnation === cluster.node.incarnation,
        })),
        version,
        channel: cluster.channel().state,
      }
    },
  }
}
