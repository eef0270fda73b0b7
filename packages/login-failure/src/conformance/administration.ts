import assert from 'node:assert/strict'
import { logsErrors, type SuiteBuilder } from '@authstate/conformance'
import type { LoginFailureProvider } from '../contract.js'
import { fail, type LoginFailureStage, protect, SECOND } from './fixture.js'

const NOTHING = {
  disabled: false,
  numFailures: 0,
  numTemporaryLockouts: 0,
  numSecondaryAuthFailures: 0,
  lastFailure: 0,
  lastIPFailure: 'n/a',
}

/** What operators see and do, and what listeners are told. */
export function administration(add: SuiteBuilder<LoginFailureProvider>): void {
  add.basic('clear: removes one record, and again nothing', 'A1/25, A11/129', async (stage) => {
    protect(stage)
    await fail(stage.provider)
    await fail(stage.provider, 1, {}, 'bob')
    assert.equal(await stage.provider.clear('realm', 'alice'), true)
    assert.equal(await stage.provider.get('realm', 'alice'), undefined)
    assert.equal(await stage.provider.clear('realm', 'alice'), false)
    assert.equal((await stage.provider.get('realm', 'bob'))?.numFailures, 1)
  })

  add.basic('removeByRealm: removes every record of one realm', 'A11/130', async (stage) => {
    protect(stage, { permanentLockout: true, maxTemporaryLockouts: 3 })
    protect(stage, {}, 'other')
    for (let n = 0; n < 10; n++) await fail(stage.provider, (n % 3) + 1, {}, `user-${n}`)
    await stage.provider.recordFailure('other', 'user-1')
    assert.equal(await stage.provider.removeByRealm('realm'), 10)
    for (let n = 0; n < 10; n++) assert.equal(await stage.provider.get('realm', `user-${n}`), undefined)
    assert.equal((await stage.provider.get('other', 'user-1'))?.numFailures, 1)
  })

  add.expiry('clear, removeByRealm: what has expired does not count', 'contract', async (stage) => {
    protect(stage)
    await fail(stage.provider)
    await fail(stage.provider, 1, {}, 'bob')
    stage.clock.advance(60 * SECOND)
    assert.equal(await stage.provider.clear('realm', 'alice'), false)
    assert.equal(await stage.provider.removeByRealm('realm'), 0)
  })

  add.basic('status: as the admin console shows it', '§11.4, A12/149', async (stage) => {
    const { provider, clock } = stage
    protect(stage)
    assert.deepEqual(await provider.status('realm', 'alice'), NOTHING)
    await fail(provider, 2, { ip: '127.0.0.1' })
    const locked = {
      disabled: true,
      numFailures: 2,
      numTemporaryLockouts: 1,
      numSecondaryAuthFailures: 0,
      lastFailure: clock.now(),
      lastIPFailure: '127.0.0.1',
    }
    assert.deepEqual(await provider.status('realm', 'alice'), {
      ...locked,
      failedLoginNotBefore: (clock.now() + 20 * SECOND) / SECOND,
    })
    clock.advance(20 * SECOND)
    assert.deepEqual(await provider.status('realm', 'alice'), { ...locked, disabled: false })
    stage.setRealm('realm', { bruteForce: { enabled: false } })
    assert.deepEqual(await provider.status('realm', 'alice'), NOTHING)
  })

  add.basic('explain: which rule, until when, and why', 'peers B 27', async (stage) => {
    const { provider, clock } = stage
    protect(stage, { failureFactor: 3, quickLoginCheckMs: 0 })
    assert.deepEqual((await provider.explain('realm', 'alice')).rules, [
      {
        rule: 'user',
        locked: false,
        permanent: false,
        attemptsLeft: 3,
        nextLockMs: 20 * SECOND,
        text: 'Not locked: 0 of 3 failures; 3 at this moment would lock for 20000 ms (too many failures).',
      },
    ])
    await fail(provider, 3)
    const until = clock.now() + 20 * SECOND
    const { enabled, locked, rules } = await provider.explain('realm', 'alice')
    assert.deepEqual([enabled, locked], [true, true])
    const { failure, ...rule } = rules[0] as (typeof rules)[number]
    assert.deepEqual(rule, {
      rule: 'user',
      locked: true,
      until,
      permanent: false,
      reason: 'failures',
      attemptsLeft: 0,
      text: `Locked until ${new Date(until).toISOString()}: too many failures (3 of 3 failures).`,
    })
    assert.deepEqual(failure, await provider.get('realm', 'alice'))
    assert.deepEqual(await provider.explain('free', 'alice'), { enabled: false, locked: false, rules: [] })
  })

  add.basic('explain: how many quick attempts are left', 'contract', async (stage) => {
    protect(stage, { failureFactor: 30, permanentLockout: true })
    const left = async () => (await stage.provider.explain('realm', 'alice')).rules[0]
    assert.deepEqual([(await left())?.attemptsLeft, (await left())?.nextLockMs], [2, 60 * SECOND])
    await fail(stage.provider)
    assert.equal((await left())?.attemptsLeft, 1)
    stage.clock.advance(SECOND)
    assert.equal((await left())?.attemptsLeft, 2)
  })

  add.basic('on: locks, unlocks, and a success after failures', 'issue 5', async (stage) => {
    const { provider, clock } = stage
    protect(stage)
    const heard = listen(stage)
    const subject = { rule: 'user', userId: 'alice' }
    const about = { realmId: 'realm', subject }
    await fail(provider)
    assert.deepEqual(heard.splice(0), [])
    await fail(provider, 3)
    const at = clock.now()
    assert.deepEqual(heard.splice(0), [
      ['temporary-lock', { ...about, at, numFailures: 2, until: at + 20 * SECOND, reason: 'failures' }],
    ])
    await provider.clear('realm', 'alice')
    await provider.clear('realm', 'alice')
    assert.deepEqual(heard.splice(0), [['unlock', { ...about, at, numFailures: 2, cause: 'cleared' }]])
    await provider.recordSuccess('realm', 'alice')
    assert.deepEqual(heard.splice(0), [])
    await fail(provider)
    await provider.recordSuccess('realm', 'alice')
    assert.deepEqual(heard.splice(0), [['success-after-failures', { ...about, at, numFailures: 1 }]])
    await fail(provider, 2)
    await provider.recordSuccess('realm', 'alice')
    assert.deepEqual(heard.splice(0).slice(1), [
      ['unlock', { ...about, at, numFailures: 2, cause: 'success' }],
      ['success-after-failures', { ...about, at, numFailures: 2 }],
    ])
    protect(stage, { permanentLockout: true, quickLoginCheckMs: 0 })
    await fail(provider, 2)
    assert.deepEqual(heard.splice(0), [
      ['permanent-lock', { ...about, at, numFailures: 2, reason: 'failures' }],
    ])
  })

  add.basic('on: a listener that fails harms nobody, and stops when told', 'issue 5', async (stage) => {
    const { provider, logger } = stage
    protect(stage)
    let calls = 0
    provider.on('temporary-lock', () => {
      throw new Error('listener')
    })
    provider.on('temporary-lock', async () => {
      throw new Error('listener')
    })
    const stop = provider.on('temporary-lock', () => {
      calls += 1
    })
    assert.equal((await fail(provider, 2)).locked, true)
    assert.equal(calls, 1)
    await logsErrors(logger, 2)
    stop()
    stop()
    await fail(provider, 2, {}, 'bob')
    assert.equal(calls, 1)
  })
}

function listen({ provider }: LoginFailureStage): [string, unknown][] {
  const heard: [string, unknown][] = []
  provider.on('*', ({ type, ...event }) => void heard.push([type, event]))
  return heard
}
