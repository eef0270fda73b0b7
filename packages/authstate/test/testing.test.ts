import { defineSpi } from '@authstate/spi'
import { expect, test } from 'vitest'
import { createdSession } from '../../user-session/src/conformance/fixture.js'
import { ProviderClosedError } from '../src/index.js'
import { createTestState, FakeClock, faultyClient, runSuite } from '../src/testing.js'

const ada = { userId: 'ada', loginUsername: 'ada' }

test('a state in memory whose clock the test moves', async () => {
  await using it = await createTestState({ realms: () => ({ ssoSessionIdleTimeoutMs: 60_000 }) })
  const { id } = await it.state.userSessions.create('acme', ada).then(createdSession)
  it.clock.advance(59_999)
  expect(await it.state.userSessions.get('acme', id)).toBeDefined()
  it.clock.advance(1)
  expect(await it.state.userSessions.get('acme', id)).toBeUndefined()
})

test('reset starts anew with nothing in memory; the state and its realms go on working', async () => {
  await using it = await createTestState()
  const { state } = it
  const acme = state.realm('acme')
  const { userSessions } = state
  const { id } = await acme.userSessions.create(ada).then(createdSession)
  const before = it.clock.now()
  await it.reset()
  expect(await acme.userSessions.get(id)).toBeUndefined()
  const { id: next } = await state.userSessions.create('acme', ada).then(createdSession)
  expect(await acme.userSessions.get(next)).toBeDefined()
  expect(it.clock.now()).toBe(before)
  await expect(userSessions.get('acme', next)).rejects.toThrow(ProviderClosedError)
})

test('what is logged is kept and not printed', async () => {
  await using it = await createTestState()
  it.state.userSessions.on('created', () => {
    throw new Error('of the application')
  })
  await it.state.userSessions.create('acme', ada).then(createdSession)
  expect(it.logger.entries.map(({ level }) => level)).toContain('error')
})

test('after close() the state says so, and cannot be reset', async () => {
  const it = await createTestState()
  await it.close()
  await it.close()
  expect(() => it.state.userSessions).toThrow(ProviderClosedError)
  await expect(it.reset()).rejects.toThrow('a test state that is closed cannot be reset')
})

test('a clock that is given is used', async () => {
  const clock = new FakeClock(5)
  await using it = await createTestState({ clock })
  expect(it.state.clock.now()).toBe(5)
})

test('a clock that is left out by name is that of the test', async () => {
  await using it = await createTestState({ clock: undefined, logger: undefined })
  expect(it.state.clock.now()).toBe(it.clock.now())
})

test('of resets at once, and of a reset and a close, none leaves a state open', async () => {
  const opened: string[] = []
  const closed: string[] = []
  const probe = defineSpi('probe')
  const providers = [
    {
      spi: probe,
      id: 'memory',
      create: () => {
        const name = `${opened.push('probe')}`
        return { close: async () => void closed.push(name) }
      },
    },
  ]
  const it = await createTestState({ providers })
  await Promise.all([it.reset(), it.reset()])
  expect([opened.length, closed]).toEqual([3, ['1', '2']])
  await Promise.all([it.reset(), it.close()])
  expect(closed.sort()).toEqual(opened.map((_, n) => `${n + 1}`))
})

test('the kit comes along', () => {
  expect([typeof faultyClient, typeof runSuite]).toEqual(['function', 'function'])
})
