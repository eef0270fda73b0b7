import type { RedisClientType } from 'redis'

/** A login as the server remembers it for as long as its tokens can be refreshed. */
export interface SessionRecord {
  readonly userId: string
  readonly loginUsername: string
  readonly startedAt: number
  lastRefreshAt: number
  readonly clients: Record<string, { readonly redirectUri: string; lastRefreshAt: number }>
}

/** Records as JSON under SET and GET, which is what most servers begin with. */
export class Records {
  readonly #redis: RedisClientType

  constructor(redis: RedisClientType) {
    this.#redis = redis
  }

  async put(kind: string, id: string, record: unknown, lifeMs: number): Promise<void> {
    await this.#redis.set(`${kind}:${id}`, JSON.stringify(record), {
      expiration: { type: 'PX', value: lifeMs },
    })
  }

  async get<T>(kind: string, id: string): Promise<T | undefined> {
    return read(await this.#redis.get(`${kind}:${id}`))
  }

  /** Reads and removes in one step: what can be had once. */
  async take<T>(kind: string, id: string): Promise<T | undefined> {
    return read(await this.#redis.getDel(`${kind}:${id}`))
  }
}

const read = <T>(text: string | null): T | undefined => (text === null ? undefined : (JSON.parse(text) as T))
