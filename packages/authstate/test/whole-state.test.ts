import { StoreUnavailableError } from '@authstate/spi'
import { expect, test, vi } from 'vitest'
import { type AuthStateConfig, createAuthState } from '../src/index.js'

async function lived() {
  const state = await createAuthState({ realms: () => ({ bruteForce: { enabled: true } }) })
  const acme = state.realm('acme')
  const session = await acme.userSessions.create({ userId: 'ada' })
  await acme.userSessions.createOffline(session.id)
  await acme.actionTokens.put('code', 'k', { lifespanMs: 60_000, subject: 'ada' })
  await acme.loginFailures.recordFailure('ada')
  return { state, acme, session }
}

test('endUser ends sessions, online and offline, and tokens; failures stay', async () => {
  const { state, acme, session } = await lived()
  await acme.endUser('ada')
  expect(await state.userSessions.get('acme', session.id)).toBeUndefined()
  expect(await state.userSessions.count('acme', { offline: true })).toBe(0)
  expect(await state.actionTokens.has('acme', 'code', 'k')).toBe(false)
  expect((await state.loginFailures.get('acme', 'ada'))?.numFailures).toBe(1)
  await acme.forgetUser('ada')
  expect(await state.loginFailures.get('acme', 'ada')).toBeUndefined()
  await state.close()
})

test('removeRealm asks every service when one fails, names that one, and is safe to repeat', async () => {
  const { state, acme, session } = await lived()
  const failing = vi
    .spyOn(state.userSessions, 'removeByRealm')
    .mockRejectedValueOnce(new StoreUnavailableError('no answer', { applied: 'unknown' }))
  const error: unknown = await state.removeRealm('acme').catch((reason: unknown) => reason)
  failing.mockRestore()
  expect(error).toBeInstanceOf(StoreUnavailableError)
  expect((error as Error).message).toBe('not done by user-session; it is safe to repeat')
  expect(await state.actionTokens.has('acme', 'code', 'k')).toBe(false)
  expect(await state.loginFailures.get('acme', 'ada')).toBeUndefined()
  expect(await state.userSessions.get('acme', session.id)).toBeDefined()
  await acme.remove()
  expect(await state.userSessions.get('acme', session.id)).toBeUndefined()
  await state.close()
})

test('wrong ids of providers and wrong ways to Redis do not compile', () => {
  const configs: AuthStateConfig[] = [
    // @ts-expect-error a misspelt provider
    { provider: 'reddis' },
    // @ts-expect-error a misspelt provider of one SPI
    { spi: { cluster: { provider: 'reddis' } } },
    // @ts-expect-error no way to Redis
    { redis: {} },
    // @ts-expect-error two ways to Redis
    { redis: { url: 'redis://a', nodes: ['a:1'] } },
    { redis: { partitions: 16 }, env: { AUTHSTATE_REDIS__URL: 'redis://a' } },
  ]
  expect(configs).toHaveLength(5)
})
