/** Where the names of nodes come from: all that one provider of sticky sessions does differently from another. */
export interface Routes {
  /**
   * The route of the node that a session belongs to, as the load balancer knows it; `undefined` where no node is known. Nobody
   * waits for it, so it must be at hand. It holds what `ROUTE` allows, and is asked only where routes are attached.
   */
  routeOf(id: string): string | undefined
}
