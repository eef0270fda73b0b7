/** What nodes tell each other besides what applications do. */
export interface Bus {
  publish(topic: string, message: unknown): Promise<void>
  listen(topic: string, listener: (message: unknown) => void): void
}
