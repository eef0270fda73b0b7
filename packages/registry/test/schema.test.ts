import type { StandardIssue, StandardSchemaV1 } from '@authstate/spi'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { factory, mistakesOf, redis, started } from './support.js'

const CANARY = 'hunter2-canary'

function byHand(
  validate: (value: unknown) => { value: unknown } | { issues: StandardIssue[] },
): StandardSchemaV1 {
  return {
    '~standard': {
      version: 1,
      vendor: 'by-hand',
      validate: validate as StandardSchemaV1['~standard']['validate'],
    },
  }
}

async function accepted(
  schema: StandardSchemaV1,
  properties: Record<string, unknown>,
  env?: Record<string, string>,
) {
  const registry = await started({
    factories: [factory(redis, 'redis', { config: schema })],
    config: { redis: properties },
    env,
  })
  return registry.get(redis).config
}
function refused(
  schema: StandardSchemaV1,
  properties: Record<string, unknown>,
  env?: Record<string, string>,
) {
  return mistakesOf({
    factories: [factory(redis, 'redis', { config: schema })],
    config: { redis: properties },
    env,
  })
}

describe('schemas', () => {
  test('fill defaults, even when nothing is configured', async () => {
    expect(await accepted(z.object({ partitions: z.number().default(16) }), {})).toEqual({ partitions: 16 })
  })

  test('a factory without one gets no properties', async () => {
    const registry = await started({ factories: [factory(redis, 'redis')] })
    expect(registry.get(redis).config).toEqual({})
  })

  test('may be asynchronous', async () => {
    const schema = z.object({ url: z.string().refine(async (url) => url !== 'bad') })
    expect(await accepted(schema, { url: 'good' })).toEqual({ url: 'good' })
    expect(await refused(schema, { url: 'bad' })).toContain('redis.url: ')
  })

  test('a property that is missing says so, and where it would be given', async () => {
    const schema = z.object({ url: z.string(), tls: z.object({ ca: z.string() }).optional() })
    expect(await refused(schema, { tls: {} })).toContain('- redis.url: missing, expected string')
    expect(await refused(schema, { tls: {} })).toContain('- redis.tls.ca: missing, expected string')
    expect(await mistakesOf({ factories: [factory(redis, 'redis', { config: schema })] })).toBe(
      'spi.redis.url: missing, expected string',
    )
  })

  test('an unknown property is an error also where the schema would drop it', async () => {
    expect(await refused(z.object({ url: z.string().optional() }), { ulr: 'x' })).toMatch(
      /^redis\.ulr: .*mean 'url'\?$/,
    )
    expect(await accepted(z.looseObject({ url: z.string().optional() }), { ulr: 'x' })).toEqual({ ulr: 'x' })
  })

  test('a union names what its nearest branch misses', async () => {
    const schema = z.union([
      z.strictObject({ url: z.string(), db: z.number().optional() }),
      z.strictObject({ client: z.custom<object>((value) => typeof value === 'object') }),
    ])
    expect(await refused(schema, { url: 'x', db: 'y' })).toBe('redis.db: expected number')
    expect(await accepted(schema, { url: 'x' }, { AUTHSTATE_REDIS__DB: '3' })).toEqual({ url: 'x', db: 3 })
    expect(await refused(schema, { urll: 'x' })).toMatch(
      /- redis\.urll: .*Known: 'url', 'db', 'client'\. Did you mean 'url'\?$/m,
    )
    expect(await refused(z.object({ x: z.union([z.string(), z.number()]) }), { x: true })).toBe(
      'redis.x: expected string or number',
    )
  })

  test('instances given as values arrive as they are', async () => {
    class Client {
      #secret = CANARY
      reveal = () => this.#secret
    }
    const client = new Client()
    const config = (await accepted(z.strictObject({ client: z.instanceof(Client) }), { client })) as {
      client: Client
    }
    expect(config.client).toBe(client)
  })

  test('the message of another library is passed on without what it quotes', async () => {
    const schema = byHand((value) => ({
      issues: [
        {
          message: `Invalid: received "${(value as { password: string }).password}"`,
          path: [{ key: 'password' }],
        },
      ],
    }))
    expect(await refused(schema, { password: CANARY })).toBe('redis.password: Invalid: received "***"')
    expect(await refused(schema, { password: 'ab' })).toBe('redis.password: Invalid: received "***"')
  })

  test('nor what it quotes from beside it', async () => {
    const schema = byHand((value) => ({ issues: [{ message: `all of ${JSON.stringify(value)}` }] }))
    const message = await refused(schema, { password: `${CANARY}"\n`, deep: { secret: [CANARY] } })
    expect(message).toMatch(/^redis: all of/)
    expect(message).not.toContain(CANARY)
  })

  test('a schema that throws is a mistake in the configuration, without its words', async () => {
    const schema = byHand(() => {
      throw new Error(CANARY)
    })
    const message = await refused(schema, { password: CANARY })
    expect(message).toBe("redis: the schema of redis (provider 'redis') failed on what is given here")
  })

  test('rejected values never appear, whatever refused them', async () => {
    const schema = z.strictObject({
      a: z.number(),
      b: z.enum(['x', 'y']),
      c: z.string().max(3),
      d: z.string().refine((value) => value === 'x', { error: ({ input }) => `not ${input}` }),
    })
    const message = await refused(schema, { a: CANARY, b: CANARY, c: CANARY, d: CANARY })
    expect(message).toContain('redis.a: expected number')
    for (const place of ['redis.b', 'redis.c', 'redis.d']) expect(message).toContain(`- ${place}: `)
    expect(message).not.toContain(CANARY)
    const ids = await mistakesOf({
      factories: [factory(redis, 'redis')],
      config: { provider: CANARY, redis: { provider: CANARY, enabled: CANARY as unknown as boolean } },
    })
    expect(ids).not.toContain(CANARY)
  })
})
