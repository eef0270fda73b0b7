import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { ActionTokenEvents, ActionTokenProvider } from '../contract.js'
import { LIFESPAN_MS, RACERS, token } from './fixture.js'

/** What listeners are told. */
export function events(add: SuiteBuilder<ActionTokenProvider>): void {
  add.basic(
    'on: each redemption, replay and revocation is told once',
    'contract',
    async ({ provider, clock }) => {
      const heard: ActionTokenEvents[keyof ActionTokenEvents][] = []
      const stop = provider.on('*', (event) => heard.push(event))
      const expectTold = (...wanted: object[]) => assert.deepEqual(heard.splice(0), wanted)
      const secret = 'secret-key'
      const of = { realmId: 'realm', kind: 'code', family: 'grant', subject: 'alice' }

      await provider.put('realm', 'code', secret, {
        ...token,
        family: 'grant',
        subject: 'alice',
        data: { n: 1 },
      })
      await provider.get('realm', 'code', secret)
      await provider.replace('realm', 'code', secret, { n: 2 })
      expectTold()
      const consumedAt = clock.now()
      await provider.consume('realm', 'code', secret, { attempt: 'a' })
      expectTold({ ...of, type: 'consumed' })
      await provider.consume('realm', 'code', secret, { attempt: 'a' })
      expectTold()
      clock.advance(1)
      await provider.consume('realm', 'code', secret)
      await provider.consume('realm', 'code', secret, { attempt: 'b' })
      expectTold({ ...of, type: 'replayed', consumedAt }, { ...of, type: 'replayed', consumedAt })
      await provider.take('realm', 'code', secret)
      await provider.consume('realm', 'code', 'unknown')
      await provider.take('realm', 'code', 'unknown')
      expectTold()

      await provider.put('realm', 'rt', secret, { ...token, family: 'grant' })
      await provider.put('realm', 'state', secret, token)
      await provider.take('realm', 'state', secret)
      expectTold({ type: 'consumed', realmId: 'realm', kind: 'state' })
      const revoked = { type: 'family-revoked', realmId: 'realm', family: 'grant' }
      await provider.revokeFamily('realm', 'grant')
      await provider.revokeFamily('realm', 'grant', { refuse: false })
      expectTold({ ...revoked, withdrawn: 1 }, { ...revoked, withdrawn: 0 })

      const claims = { userId: 'alice', actionId: 'verify-email', lifespanMs: LIFESPAN_MS }
      const signed = await provider.issueActionToken('realm', claims)
      await provider.verifyActionToken('realm', signed, 'verify-email')
      expectTold()
      await provider.consumeActionToken('realm', signed, 'verify-email')
      await provider.consumeActionToken('realm', signed, 'verify-email')
      assert.deepEqual(
        heard.splice(0).map(({ type, realmId }) => `${type} ${realmId}`),
        ['consumed realm', 'replayed realm'],
      )
      clock.advance(LIFESPAN_MS)
      await provider.consume('realm', 'code', secret)
      stop()
      await provider.revokeFamily('realm', 'grant')
      expectTold()
    },
  )

  add.concurrency(
    'on: of many who redeem at once one is told as consumed, and all others as replays',
    'RFC 6749 §10.5',
    async ({ provider }) => {
      const heard: string[] = []
      provider.on('*', ({ type }) => heard.push(type))
      await provider.put('realm', 'code', 'k', token)
      await together(RACERS, () => provider.consume('realm', 'code', 'k'))
      assert.deepEqual(heard.sort(), ['consumed', ...Array(RACERS - 1).fill('replayed')])
    },
  )

  add.basic('on: a listener that fails harms nobody', 'contract', async ({ provider, logger }) => {
    let heard = 0
    provider.on('consumed', () => {
      throw new Error('mine')
    })
    provider.on('consumed', async () => {
      throw new Error('mine as well')
    })
    provider.on('consumed', () => {
      heard += 1
    })
    await provider.put('realm', 'code', 'key-of-somebody', token)
    assert.equal((await provider.consume('realm', 'code', 'key-of-somebody')).outcome, 'consumed')
    assert.equal(heard, 1)
    assert.doesNotMatch(JSON.stringify(logger.entries), /mine|key-of-somebody/)
  })
}
