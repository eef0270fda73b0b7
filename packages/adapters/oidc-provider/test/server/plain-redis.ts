import type { Redis } from 'ioredis'

/** What people write first: a key for each model, read, changed and written. */
export function plainRedisAdapter(redis: Redis, prefix: string) {
  return (model: string) => {
    const keyOf = (id: string) => `${prefix}:${model}:${id}`
    const find = async (id: string): Promise<object | undefined> => {
      const text = await redis.get(keyOf(id))
      return text === null ? undefined : JSON.parse(text)
    }
    return {
      find,
      upsert: (id: string, payload: object, expiresIn: number) =>
        redis.set(keyOf(id), JSON.stringify(payload), 'EX', expiresIn),
      consume: async (id: string) =>
        redis.set(keyOf(id), JSON.stringify({ ...(await find(id)), consumed: true }), 'KEEPTTL'),
      destroy: (id: string) => redis.del(keyOf(id)),
      findByUid: async () => undefined,
      findByUserCode: async () => undefined,
      revokeByGrantId: async () => undefined,
    }
  }
}
