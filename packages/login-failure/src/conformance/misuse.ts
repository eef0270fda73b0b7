import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { BruteForceSettings } from '@authstate/spi'
import type { LoginFailureProvider } from '../contract.js'
import { countOf, fail, protect, TEST_REALM } from './fixture.js'

const NO_IPS = [
  '',
  '1.2.3',
  '1.2.3.4.5',
  '256.1.1.1',
  '0x7f.1',
  '010.0.0.1',
  '127.0.0.1:80',
  '[::1]',
  ':::',
  'localhost',
  '1.2.3.4/8',
  ' 1.2.3.4',
  5,
  null,
  {},
  `${'1'.repeat(10_000)}.1.1.1`,
]
const NUMBERS = [
  'maxTemporaryLockouts',
  'failureFactor',
  'waitIncrementMs',
  'quickLoginCheckMs',
  'minimumQuickLoginWaitMs',
  'maxFailureWaitMs',
  'maxDeltaTimeMs',
  'maxSecondaryAuthFailures',
] as const satisfies readonly (keyof BruteForceSettings)[]

/** Wrong arguments, wrong settings, and use after close. */
export function misuse(add: SuiteBuilder<LoginFailureProvider>): void {
  add.basic('arguments: misuse names the argument, and nothing is written', 'contract', async (stage) => {
    protect(stage)
    const { provider } = stage
    const never = async (): Promise<boolean> => assert.fail('must not be verified')
    for (const bad of ['', 'x'.repeat(513), '\ud800', undefined, null, 7, {}, ['a']]) {
      const id = bad as string
      const named = (name: string) => (error: unknown) =>
        error instanceof TypeError && error.message.includes(`"${name}"`)
      for (const call of [
        () => provider.recordFailure(id, 'u'),
        () => provider.recordUnknownUser(id),
        () => provider.recordSuccess(id, 'u'),
        () => provider.get(id, 'u'),
        () => provider.getAddress(id, '127.0.0.1'),
        () => provider.check(id, 'u'),
        () => provider.guard(id, 'u', {}, never),
        () => provider.guardUnknownUser(id, {}, never),
        () => provider.explain(id, 'u'),
        () => provider.status(id, 'u'),
        () => provider.listLocked(id),
        () => provider.clear(id, 'u'),
        () => provider.clearAddress(id, '127.0.0.1'),
        () => provider.removeByRealm(id),
        () => provider.recompute(id),
      ]) {
        await assert.rejects(call(), named('realmId'))
      }
      for (const call of [
        () => provider.recordFailure('realm', id),
        () => provider.recordSuccess('realm', id),
        () => provider.get('realm', id),
        () => provider.check('realm', id),
        () => provider.guard('realm', id, {}, never),
        () => provider.explain('realm', id),
        () => provider.status('realm', id),
        () => provider.clear('realm', id),
      ]) {
        await assert.rejects(call(), named('userId'))
      }
    }
    const wrong = (value: unknown) => value as never
    await assert.rejects(provider.recordFailure('realm', 'u', wrong(null)), /"options"/)
    await assert.rejects(provider.recordFailure('realm', 'u', { at: -1 }), RangeError)
    await assert.rejects(provider.recordFailure('realm', 'u', { at: Number.NaN }), /"at"/)
    await assert.rejects(provider.recordFailure('realm', 'u', { category: wrong('face') }), /"category"/)
    await assert.rejects(provider.recordSuccess('realm', 'u', { category: wrong(1) }), /"category"/)
    await assert.rejects(provider.guard('realm', 'u', wrong(undefined), never), /"options"/)
    await assert.rejects(provider.guard('realm', 'u', {}, wrong('verify')), /"verify"/)
    assert.throws(() => provider.on(wrong('locked'), () => {}), /"event"/)
    assert.throws(() => provider.on('unlock', wrong(undefined)), /"listener"/)
    assert.equal(await provider.removeByRealm('realm'), 0)
  })

  add.basic(
    'ip: one that is none is a TypeError, and the count is unchanged',
    'issue 5: bad input',
    async (stage) => {
      protect(stage, { failureFactor: 9 })
      const provider = await stage.withProperties({ address: { failureFactor: 2 } })
      await fail(provider)
      for (const bad of NO_IPS) {
        const ip = bad as string
        const isIpError = (error: unknown) => error instanceof TypeError && error.message.includes('"ip"')
        await assert.rejects(provider.recordFailure('realm', 'alice', { ip }), isIpError)
        await assert.rejects(provider.recordUnknownUser('realm', { ip }), isIpError)
        await assert.rejects(provider.check('realm', 'alice', { ip }), isIpError)
        await assert.rejects(
          provider.guard('realm', 'alice', { ip }, async () => false),
          isIpError,
        )
        await assert.rejects(provider.getAddress('realm', ip), isIpError)
        await assert.rejects(provider.clearAddress('realm', ip), isIpError)
      }
      assert.equal(await countOf(provider), 1)
    },
  )

  add.basic('settings: a negative one is a RangeError that names it', 'A12/131', async (stage) => {
    for (const name of NUMBERS) {
      stage.setRealm('realm', { bruteForce: { ...TEST_REALM, [name]: -1 } })
      const expected = (error: unknown) =>
        error instanceof RangeError && error.message.includes(`realms(realmId).bruteForce.${name}`)
      await assert.rejects(stage.provider.recordFailure('realm', 'alice'), expected)
      await assert.rejects(stage.provider.check('realm', 'alice'), expected)
    }
    stage.setRealm('realm', { bruteForce: { ...TEST_REALM, failureFactor: 0 } })
    await assert.rejects(stage.provider.recordFailure('realm', 'alice'), /bruteForce\.failureFactor/)
    stage.setRealm('realm', { bruteForce: { ...TEST_REALM, failureFactor: Number.NaN } })
    await assert.rejects(stage.provider.recordFailure('realm', 'alice'), TypeError)
    protect(stage)
    assert.equal(await countOf(stage.provider), 0)
  })

  add.basic(
    'settings: zero is allowed wherever nothing is divided by it',
    'issue 5: bad input',
    async (stage) => {
      const zeros = Object.fromEntries(
        NUMBERS.filter((name) => name !== 'failureFactor').map((name) => [name, 0]),
      )
      for (const permanentLockout of [false, true]) {
        protect(stage, { ...zeros, permanentLockout })
        assert.equal((await fail(stage.provider, 3)).permanent, permanentLockout)
      }
    },
  )

  add.basic('close: later calls fail, closing twice is closing once', 'contract', async ({ provider }) => {
    await provider.close?.()
    await provider.close?.()
    const closed = { code: 'ERR_PROVIDER_CLOSED' }
    await assert.rejects(provider.get('realm', 'alice'), closed)
    await assert.rejects(provider.recordFailure('realm', 'alice'), closed)
    await assert.rejects(provider.check('realm', 'alice'), closed)
    await assert.rejects(
      provider.guard('realm', 'alice', {}, async () => true),
      closed,
    )
    assert.throws(() => provider.on('unlock', () => {}), closed)
  })
}
