import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { ActionTokenProvider } from '../contract.js'
import { LIFESPAN_MS, RACERS } from './fixture.js'

/** Signed action tokens. */
export function signedTokens(add: SuiteBuilder<ActionTokenProvider>): void {
  const wanted = {
    userId: 'user:1',
    actionId: 'verify.email',
    lifespanMs: LIFESPAN_MS,
    data: { email: 'a@example.org' },
  } as const

  add.basic('consumeActionToken: valid once, with what was issued', '§6.1', async ({ provider, clock }) => {
    const signed = await provider.issueActionToken('realm', wanted)
    assert.match(signed, /^[\w.-]+$/)
    const looked = await provider.verifyActionToken('realm', signed, 'verify.email')
    assert.equal(looked.outcome, 'valid')
    const consumed = await provider.consumeActionToken('realm', signed, 'verify.email')
    assert.deepEqual(consumed, looked)
    assert.ok(consumed.outcome === 'valid')
    const { nonce, ...rest } = consumed.token
    assert.ok(nonce.length > 20)
    assert.deepEqual(rest, {
      userId: 'user:1',
      actionId: 'verify.email',
      expiresAt: clock.now() + LIFESPAN_MS,
      data: wanted.data,
    })
    assert.equal((await provider.consumeActionToken('realm', signed, 'verify.email')).outcome, 'used')
    assert.equal((await provider.verifyActionToken('realm', signed, 'verify.email')).outcome, 'used')
  })

  add.basic(
    'verifyActionToken: foreign, forged and malformed are invalid, never an exception',
    '§19 rows 16, 18',
    async ({ provider }) => {
      const signed = await provider.issueActionToken('realm', wanted)
      const [head = '', body = '', signature = ''] = signed.split('.')
      const flipped = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
      const none = Buffer.from('{"alg":"none"}').toString('base64url')
      const malformed = [
        '',
        '.',
        '..',
        'x',
        head,
        `${head}.${body}`,
        `${head}.${body}.${flipped}`,
        `${none}.${body}.`,
        `${signed}.x`,
        '\u0000',
        'a'.repeat(1_000_000),
        `${head}.${Buffer.from('{}').toString('base64url')}.${signature}`,
      ]
      for (const text of malformed) {
        assert.deepEqual(await provider.verifyActionToken('realm', text, 'verify.email'), {
          outcome: 'invalid',
        })
        assert.deepEqual(await provider.consumeActionToken('realm', text, 'verify.email'), {
          outcome: 'invalid',
        })
      }
      assert.deepEqual(await provider.consumeActionToken('other', signed, 'verify.email'), {
        outcome: 'invalid',
      })
      assert.deepEqual(await provider.consumeActionToken('realm', signed, 'reset-credentials'), {
        outcome: 'invalid',
      })
      assert.equal((await provider.consumeActionToken('realm', signed, 'verify.email')).outcome, 'valid')
    },
  )

  add.basic(
    'consumeActionToken: withdrawn with everything about the user',
    'contract',
    async ({ provider }) => {
      const signed = await provider.issueActionToken('realm', wanted)
      assert.equal(await provider.removeBySubject('realm', wanted.userId), 1)
      assert.deepEqual(await provider.consumeActionToken('realm', signed, 'verify.email'), {
        outcome: 'invalid',
      })
    },
  )

  add.expiry(
    'consumeActionToken: expired at expiresAt, to the millisecond',
    '§6.1',
    async ({ provider, clock }) => {
      const signed = await provider.issueActionToken('realm', { ...wanted, lifespanMs: 1_234 })
      clock.advance(1_233)
      assert.equal((await provider.verifyActionToken('realm', signed, 'verify.email')).outcome, 'valid')
      clock.advance(1)
      assert.deepEqual(await provider.verifyActionToken('realm', signed, 'verify.email'), {
        outcome: 'expired',
      })
      assert.deepEqual(await provider.consumeActionToken('realm', signed, 'verify.email'), {
        outcome: 'expired',
      })
    },
  )

  add.concurrency(
    'consumeActionToken: exactly one of N callers',
    '§6.1',
    async ({ provider, anotherNode }) => {
      const other = await anotherNode()
      for (let round = 0; round < 10; round++) {
        const signed = await provider.issueActionToken('realm', wanted)
        const outcomes = await together(RACERS, (n) =>
          (n % 2 ? provider : other).consumeActionToken('realm', signed, 'verify.email'),
        )
        assert.equal(outcomes.filter(({ outcome }) => outcome === 'valid').length, 1)
      }
    },
  )
}
