// Signed tokens come from whoever likes to send some; stored data from other versions.
import { createProviderRegistry, deriveKeyring } from '@authstate/spi'
import fc from 'fast-check'
import { CompactSign } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ActionTokenProvider, actionTokenSpi, memoryActionTokens } from '../src/index.js'
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

test('stored data is an object or can not be read', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const data = decodeData(text)
      if (data !== undefined) expect(Object.prototype.toString.call(data)).toBe('[object Object]')
    }),
  )
})
