import { ConfigurationError } from '@authstate/spi'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createProviderRegistry, type ProviderRegistryOptions } from '../src/index.js'
import { factory, redis, users } from './support.js'

const schema = z.strictObject({
  url: z.string().optional(),
  partitions: z.number().default(16),
  deep: z.object({}).optional(),
})
const factories = [
  factory(users, 'memory', { config: schema }),
  factory(users, 'redis', { config: z.looseObject({}) }),
  factory(redis, 'redis', { config: schema }),
]

const WORDS = ['spi', 'provider', 'enabled', 'user-session', 'redis', 'memory', 'url', 'partitions', 'deep']
const name = fc.oneof(
  fc.constantFrom(...WORDS, '__proto__', 'constructor', 'prototype', 'toString'),
  fc.string(),
)
const leaf = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
  name,
)
// Parsed from JSON, so that `__proto__` is an own property, as it is in an attack.
const config = fc.oneof(
  fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'medium' },
      leaf,
      fc.dictionary(name, tie('node'), { noNullPrototype: false }),
    ),
  })).node,
  fc.json(),
  fc.dictionary(name, fc.dictionary(name, fc.jsonValue())).map((value) => JSON.stringify(value)),
)
const variable = fc
  .array(
    fc.oneof(
      fc.constantFrom('SPI', 'PROVIDER', 'USER_SESSION', 'REDIS', 'URL', 'DEEP', '__PROTO__', ''),
      fc.string(),
    ),
  )
  .map((words) => `AUTHSTATE_${words.join('__')}`)
const env = fc.dictionary(
  variable,
  fc.oneof(fc.string(), fc.json(), fc.constantFrom('redis', 'true', '7', '{"__proto__":{"x":1}}')),
)

async function outcome(options: ProviderRegistryOptions): Promise<unknown> {
  const registry = createProviderRegistry(options)
  try {
    await registry.start()
    registry.describe()
    await registry.close()
    return undefined
  } catch (error) {
    return error
  }
}

describe('a configuration of junk', () => {
  test('fails with a ConfigurationError or not at all, and pollutes nothing', async () => {
    const before = Object.getOwnPropertyNames(Object.prototype)
    await fc.assert(
      fc.asyncProperty(config, env, async (junk, variables) => {
        const error = await outcome({ factories, config: junk as never, env: variables })
        if (error !== undefined) expect(error).toBeInstanceOf(ConfigurationError)
        expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before)
        expect(({} as Record<string, unknown>)['x']).toBeUndefined()
      }),
      { numRuns: 400 },
    )
  })

  test('describe() of it does the same', () => {
    fc.assert(
      fc.property(config, env, (junk, variables) => {
        const registry = createProviderRegistry({ factories, config: junk as never, env: variables })
        try {
          registry.describe()
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError)
        }
      }),
      { numRuns: 200 },
    )
  })

  test('text given as a secret never comes back in a message', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.stringMatching(/^[!-~]{8,20}$/),
        fc.constantFrom('url', 'partitions', 'deep', 'nope'),
        async (secret, key) => {
          for (const options of [
            { config: { redis: { [key]: secret } } },
            { env: { [`AUTHSTATE_REDIS__${key.toUpperCase()}`]: secret } },
          ]) {
            const error = await outcome({ factories, ...options })
            if (error !== undefined) expect((error as Error).message).not.toContain(secret)
          }
        },
      ),
    )
  })
})
