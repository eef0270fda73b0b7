// A Redis adapter for oidc-provider, written by us as that project documents one: its methods, its kinds of models
// and the commands that its example sends for them. https://github.com/panva/node-oidc-provider/tree/main/example
import type { Redis } from 'ioredis'

const CONSUMABLE = new Set([
  'AuthorizationCode',
  'RefreshToken',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
])
const GRANTABLE = new Set([...CONSUMABLE, 'AccessToken'])

export type Payload = Readonly<Record<string, unknown>> & {
  readonly grantId?: string
  readonly userCode?: string
  readonly uid?: string
}

export class OidcProviderAdapter {
  readonly #redis: Redis
  readonly #prefix: string
  readonly #model: string

  constructor(redis: Redis, prefix: string, model: string) {
    this.#redis = redis
    this.#prefix = prefix
    this.#model = model
  }

  async upsert(id: string, payload: Payload, expiresIn: number): Promise<void> {
    const key = this.#key(id)
    const text = JSON.stringify(payload)
    const multi = this.#redis.multi()
    if (CONSUMABLE.has(this.#model)) multi.hset(key, { payload: text })
    else multi.set(key, text)
    multi.expire(key, expiresIn)
    if (GRANTABLE.has(this.#model) && payload.grantId !== undefined) {
      const grant = `${this.#prefix}:grant:${payload.grantId}`
      multi.rpush(grant, key)
      // A grant lives as long as the longest of its tokens; that takes a look before the write.
      if (expiresIn > (await this.#redis.ttl(grant))) multi.expire(grant, expiresIn)
    }
    for (const [name, alias] of [
      ['userCode', payload.userCode],
      ['uid', payload.uid],
    ]) {
      if (alias !== undefined) multi.set(`${this.#prefix}:${name}:${alias}`, id, 'EX', expiresIn)
    }
    await multi.exec()
  }

  async find(id: string): Promise<(Payload & { readonly consumed?: string }) | undefined> {
    if (!CONSUMABLE.has(this.#model)) {
      const text = await this.#redis.get(this.#key(id))
      return text === null ? undefined : JSON.parse(text)
    }
    const { payload, ...rest } = await this.#redis.hgetall(this.#key(id))
    return payload === undefined ? undefined : { ...rest, ...JSON.parse(payload) }
  }

  async consume(id: string): Promise<void> {
    await this.#redis.hset(this.#key(id), 'consumed', Math.floor(Date.now() / 1_000))
  }

  #key(id: string): string {
    return `${this.#prefix}:${this.#model}:${id}`
  }
}
