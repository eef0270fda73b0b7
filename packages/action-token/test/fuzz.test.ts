// Signed tokens come from whoever likes to send some; stored data from other versions.
import { FakeClock, openInspector, RecordingLogger } from '@authstate/conformance'
import { redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { deriveKeyring } from '@authstate/spi/internal'
import fc from 'fast-check'
import { CompactSign } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { type ActionTokenProvider, actionTokenSpi, memoryActionTokens } from '../src/index.js'
import { redisActionTokens } from '../src/redis.js'
import { decodeData } from '../src/rules.js'

const keyring = { current: 'a', keys: { a: 'a secret of 32 bytes that nobody knows' } }
const registry = createProviderRegistry({ factories: [memoryActionTokens()], keyring })
let tokens: ActionTokenProvider
beforeAll(async () => {
  await registry.start()
  tokens = registry.get(actionTokenSpi)
})
afterAll(() => registry.close())

const part = (value: unknown): string => Buffer.from(JSON.stringify(value) ?? '').toString('base64url')
const json = fc.oneof(fc.jsonValue(), fc.string())

describe('a signed token', () => {
  test('that nobody signed is invalid, whatever it is', async () => {
    const header = fc.record(
      {
        alg: fc.oneof(fc.constantFrom('HS512', 'HS256', 'none', 'RS256'), json),
        kid: fc.oneof(fc.constantFrom('a', '__proto__', 'constructor'), json),
        crit: json,
        b64: json,
        typ: json,
      },
      { requiredKeys: [] },
    )
    const token = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.string({ minLength: 8_000, maxLength: 9_000 }),
      fc.array(fc.base64String(), { minLength: 2, maxLength: 5 }).map((parts) => parts.join('.')),
      fc.tuple(header, json, fc.base64String()).map(([h, p, s]) => `${part(h)}.${part(p)}.${s}`),
    )
    await fc.assert(
      fc.asyncProperty(token, async (said) => {
        // Text that is no text, such as half a surrogate pair, is misuse and told as such.
        if (/\p{Surrogate}/u.test(said)) return
        expect(await tokens.verifyActionToken('acme', said, 'verify-email')).toEqual({ outcome: 'invalid' })
        expect(await tokens.consumeActionToken('acme', said, 'verify-email')).toEqual({ outcome: 'invalid' })
      }),
      { numRuns: 300 },
    )
  })

  test('with claims that no version of ours made is invalid or expired', async () => {
    const { secret } = deriveKeyring(keyring, 'action-token signature').current
    const claims = fc.oneof(
      fc.json(),
      fc.string(),
      fc
        .record(
          { rlm: fc.constant('acme'), sub: json, act: fc.constant('verify-email'), nonce: json, exp: json },
          { requiredKeys: [] },
        )
        .map((value) => JSON.stringify(value)),
    )
    await fc.assert(
      fc.asyncProperty(claims, async (said) => {
        const token = await new CompactSign(Buffer.from(said))
          .setProtectedHeader({ alg: 'HS512', kid: 'a' })
          .sign(secret)
        const { outcome } = await tokens.verifyActionToken('acme', token, 'verify-email')
        expect(['invalid', 'expired']).toContain(outcome)
      }),
      { numRuns: 200 },
    )
  })
})

test('stored data is an object or cannot be read', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const data = decodeData(text)
      if (data !== undefined) expect(Object.prototype.toString.call(data)).toBe('[object Object]')
    }),
  )
})

describeWith(redis, 'a stored text', () => {
  const ATTEMPT = 'request-1'
  const client = openRedis()
  const clock = new FakeClock()
  const now = clock.now()
  const prefix = `fuzz-${process.pid}`
  const registry = createProviderRegistry({
    factories: [redisActionTokens(), redisConnection()],
    config: { redis: { client, prefix }, spi: { 'action-token': { provider: 'redis' } } },
    clock,
    logger: new RecordingLogger(),
  })
  let stored: ActionTokenProvider
  let key = ''
  beforeAll(async () => {
    await registry.start()
    stored = registry.get(actionTokenSpi)
    await stored.put('acme', 'code', 'k', { lifespanMs: 60_000 })
    key = (await (await openInspector(client)).keys(prefix)).find((item) => item.includes(':ao:')) ?? ''
  })
  afterAll(async () => {
    await registry.close()
    await (await openInspector(client)).clear(prefix)
    client.disconnect()
  })

  const digits = fc.oneof(
    fc.constantFrom(`${now - 1}`, `${now}`, `${now + 1}`, `${now + 60_000}`, '', '0', '9'.repeat(400)),
    fc.string(),
  )
  const name = fc.oneof(fc.constantFrom('', ATTEMPT, 'grant', '%3a', '%', '{}'), fc.string())
  const data = fc.oneof(fc.constantFrom('{}', '{"n":1}', '{', '[]', 'null'), fc.json(), fc.string())
  const head = fc.tuple(fc.constantFrom('1', '1', '1', '2', '01', ''), digits, name, name)
  const live = fc.constant(`1:${now + 60_000}:grant:alice:{"n":1}`)
  const used = fc.constant(`1:${now + 60_000}:grant:alice:${now - 1}:${now + 5_000}:${ATTEMPT}:rt-2:{"n":1}`)
  const intact = fc.oneof(
    live,
    used,
    fc.tuple(head, data).map(([first, last]) => [...first, last].join(':')),
    fc.tuple(head, digits, digits, name, name, data).map(([first, ...rest]) => [...first, ...rest].join(':')),
  )
  const damaged = fc
    .tuple(intact, fc.nat(), fc.nat(5), fc.oneof(fc.constantFrom('', ':', '{', '}', '\n', '\0'), fc.string()))
    .map(([text, at, without, instead]) => {
      const start = at % (text.length + 1)
      return text.slice(0, start) + instead + text.slice(start + without)
    })
  const bytes = fc.oneof(
    fc.oneof(intact, damaged, fc.string({ unit: 'binary' })).map((text) => Buffer.from(text)),
    fc.uint8Array().map((junk) => Buffer.from(junk)),
  )

  /** What the page says the text means, read without the pattern of either side. */
  function outcomeOf(text: string, attempt: string | undefined): string {
    const [version, expiresAt = '', , , ...rest] = text.split(':')
    const isNumber = (part: string | undefined) => part !== undefined && /^[0-9]+$/.test(part)
    if (version !== '1' || !isNumber(expiresAt) || !(Number(expiresAt) > now)) return 'unknown'
    if (rest[0]?.startsWith('{')) return decodeData(rest.join(':')) ? 'consumed' : 'unknown'
    const [consumedAt, graceUntil, by, , ...last] = rest
    const marked = isNumber(consumedAt) && (graceUntil === '' || isNumber(graceUntil))
    if (!marked || !last[0]?.startsWith('{') || !decodeData(last.join(':'))) return 'unknown'
    return by === attempt && (graceUntil === '' || Number(graceUntil) > now) ? 'consumed' : 'used'
  }

  test('is redeemed only as what it says it is, and never an exception', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, fc.constantFrom(undefined, ATTEMPT), async (text, attempt) => {
        await client.set(key, text, 'PX', 60_000)
        const expected = outcomeOf(text.toString(), attempt)
        expect((await stored.get('acme', 'code', 'k')) !== undefined).toBe(expected !== 'unknown')
        expect((await stored.consume('acme', 'code', 'k', { attempt })).outcome).toBe(expected)
        expect((await stored.consume('acme', 'code', 'k')).outcome).not.toBe('consumed')
      }),
      { numRuns: 1_000 },
    )
  })

  test('is replaced, put over and removed without an exception', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, async (text) => {
        await client.set(key, text, 'PX', 60_000)
        const isLive = outcomeOf(text.toString(), undefined) === 'consumed'
        const replaced = await stored.replace('acme', 'code', 'k', { n: 2 })
        if (isLive) expect(replaced).toBe(true)
        const outcome = await stored.put('acme', 'code', 'k', {
          lifespanMs: 1_000,
          family: 'f',
          subject: 's',
        })
        expect(['stored', 'refused']).toContain(outcome)
        if (isLive) expect(outcome).toBe('stored')
        await client.set(key, text, 'PX', 60_000)
        expect(await stored.revokeFamily('acme', 'other')).toBe(0)
        await stored.removeBySubject('acme', 's')
        await client.set(key, text, 'PX', 60_000)
        await stored.remove('acme', 'code', 'k')
        expect(await client.exists(key)).toBe(0)
      }),
      { numRuns: 300 },
    )
  })
})
