/** Where the names of nodes come from: all that one provider of sticky sessions does differently from another. */
export interface Routes {
  /**
   * The route of the node that a session belongs to, as the load balancer knows it; `undefined`
   * where no node is known. It is not awaited, so it must be known at once. It holds only what
   * `ROUTE` allows, and is called only if routes are attached.
   */
  routeOf(id: string): string | undefined
}
