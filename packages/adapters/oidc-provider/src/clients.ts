import { ConfigurationError } from '@authstate/spi'
import type { Adapter, Payload } from './models.js'
import { type Shared, TokenAdapter } from './tokens.js'

/** The adapter of clients: those that registered themselves, and those that the application knows. */
export class ClientAdapter implements Adapter {
  readonly #shared: Shared
  readonly #registered: TokenAdapter

  constructor(shared: Shared) {
    this.#shared = shared
    this.#registered = new TokenAdapter('Client', shared)
  }

  async upsert(clientId: string, metadata: Payload): Promise<void> {
    if (this.#shared.options.defaultTtlMs === undefined)
      throw new ConfigurationError(
        'a client that registers itself needs a place: set "defaultTtlMs" of the adapter to keep it here for so long, or use an adapter of your own for the model "Client" and find it in "clients"',
      )
    await this.#registered.upsert(clientId, metadata)
  }

  async find(clientId: string): Promise<Payload | undefined> {
    const { defaultTtlMs, findClient } = this.#shared.options
    const registered = defaultTtlMs === undefined ? undefined : await this.#registered.find(clientId)
    return registered ?? findClient(clientId)
  }

  async destroy(clientId: string): Promise<void> {
    await this.#registered.destroy(clientId)
  }

  async findByUserCode(): Promise<undefined> {
    return undefined
  }

  async findByUid(): Promise<undefined> {
    return undefined
  }

  async consume(): Promise<void> {
    throw new TypeError('a client cannot be consumed')
  }

  async revokeByGrantId(): Promise<void> {}
}
