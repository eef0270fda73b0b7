/** Messages of nodes to each other that do not come from applications. */
export interface Bus {
  publish(topic: string, message: unknown): Promise<void>
  listen(topic: string, listener: (message: unknown) => void): void
}
