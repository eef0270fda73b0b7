import fc from 'fast-check'
import type { Redis } from 'ioredis'

type Fields = Readonly<Record<string, string>>

/** Calls a verb on a stored hash again and again, each time with other fields that are not as they should be. */
export const overDamage = (
  client: Redis,
  key: string,
  intact: Fields,
  damage: fc.Arbitrary<Fields>,
  verb: () => Promise<unknown>,
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(damage, async (fields) => {
      await client.del(key)
      await client.hset(key, { ...intact, ...fields })
      await verb()
    }),
    { numRuns: 150 },
  )
