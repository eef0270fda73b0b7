// What an adapter does in a request of oidc-provider, which it asks for the request that is worked on.
import { FakeClock } from '@authstate/conformance'
import { ConfigurationError, ConflictError } from '@authstate/spi'
import { expect, test, vi } from 'vitest'
import { type AdapterState, createAdapter } from '../src/index.js'
import { ROUNDS, session } from './contract.js'
import { FakeProvider, type FakeRequest, openState } from './support.js'

const HOUR = 3_600
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** One node: an adapter, and the requests that it is asked in. */
function nodeOf(state: AdapterState) {
  const Provider = new FakeProvider()
  const onRefused = vi.fn()
  return { Provider, onRefused, adapter: createAdapter(state, { Provider, onRefused }) }
}

test('a request that redeems a refresh token waits until another one has answered', async () => {
  const state = await openState()
  const [first, second] = [nodeOf(state), nodeOf(state)]
  for (let round = 0; round < ROUNDS; round++) {
    const id = `rt-${round}`
    await first.adapter('RefreshToken').upsert(id, { jti: id }, HOUR)
    const [one, other] = [first.Provider.request('token'), second.Provider.request('token')]
    expect(await first.Provider.within(one, () => first.adapter('RefreshToken').find(id))).toEqual({
      jti: id,
    })
    const found = second.Provider.within(other, () => second.adapter('RefreshToken').find(id))
    await turn()
    await first.Provider.within(one, () => first.adapter('RefreshToken').consume(id))
    one.end()
    expect(await found).toHaveProperty('consumed')
    other.end()
  }
})

test.each(['introspection', 'revocation', 'userinfo'])('%s waits for nobody', async (route) => {
  const { Provider, adapter } = nodeOf(await openState())
  await adapter('RefreshToken').upsert('rt', { jti: 'rt' }, HOUR)
  await Provider.within(Provider.request('token'), () => adapter('RefreshToken').find('rt'))
  expect(
    await Provider.within(Provider.request(route), () => adapter('RefreshToken').find('rt')),
  ).toBeDefined()
  expect(await adapter('RefreshToken').find('rt')).toBeDefined()
})

test('where the lease is not to be had, the token is redeemed once all the same', async () => {
  const state = await openState()
  const withLock = () => Promise.reject(new ConflictError('taken'))
  const cluster = { lockSession: () => ({ withLock }) } as never
  const { Provider, adapter } = nodeOf({ ...state, cluster })
  await adapter('RefreshToken').upsert('rt', { jti: 'rt' }, HOUR)
  const requests = [Provider.request('token'), Provider.request('token')]
  for (const request of requests)
    expect(await Provider.within(request, () => adapter('RefreshToken').find('rt'))).toEqual({ jti: 'rt' })
  await adapter('RefreshToken').consume('rt')
  await expect(adapter('RefreshToken').consume('rt')).rejects.toThrow('invalid_grant')
})

test('without oidc-provider a lease is refused by the two ways out', async () => {
  const state = await openState()
  const adapter = createAdapter(state)
  await adapter('RefreshToken').upsert('rt', { jti: 'rt' }, HOUR)
  await expect(adapter('RefreshToken').find('rt')).rejects.toThrow(ConfigurationError)
  await expect(adapter('RefreshToken').find('rt')).rejects.toThrow(/"Provider", or say redemption: 'off'/)
  expect(await createAdapter(state, { redemption: 'off' })('RefreshToken').find('rt')).toEqual({ jti: 'rt' })
})

test('a replay is told as oidc-provider tells one', async () => {
  const { Provider, adapter } = nodeOf(await openState())
  await adapter('Grant').upsert('g', { jti: 'g' }, HOUR)
  await adapter('RefreshToken').upsert('rt', { jti: 'rt', grantId: 'g' }, HOUR)
  await adapter('RefreshToken').consume('rt')
  const destroy = vi.fn(() => adapter('RefreshToken').destroy('rt'))
  const request = Provider.request('token', { RefreshToken: { jti: 'rt', destroy } })
  await expect(Provider.within(request, () => adapter('RefreshToken').consume('rt'))).rejects.toMatchObject({
    error: 'invalid_grant',
    error_description: 'grant request is invalid',
  })
  expect(destroy).toHaveBeenCalledOnce()
  expect(Provider.told).toEqual([['grant.revoked', request.ctx, 'g']])
})

test('a sign-in under way when all sessions of its user are ended gets nothing, and a later one does', async () => {
  const clock = new FakeClock()
  const { Provider, adapter, onRefused } = nodeOf(await openState({ clock }))
  const finish = (id: string) =>
    adapter('Interaction').upsert(id, { jti: id, result: { login: { accountId: 'ada' } } }, HOUR)
  const resume = (id: string) =>
    Provider.within(Provider.request('resume'), async () => {
      expect(await adapter('Interaction').find(id)).toEqual({
        jti: id,
        result: { login: { accountId: 'ada' } },
      })
      await adapter('Session').upsert(`session-${id}`, session(`session-${id}`, `uid-${id}`, 'ada'), HOUR)
    })
  for (let round = 0; round < ROUNDS; round++) {
    await finish(`early-${round}`)
    clock.advance(1)
    await adapter.endSessions('ada')
    clock.advance(1)
    await expect(resume(`early-${round}`)).rejects.toMatchObject({ error: 'access_denied', statusCode: 400 })
    expect(await adapter.sessionsOf('ada')).toEqual([])
    await finish(`late-${round}`)
    await resume(`late-${round}`)
    expect(await adapter.sessionsOf('ada')).toHaveLength(1)
    clock.advance(1)
  }
  expect(onRefused).toHaveBeenCalledTimes(ROUNDS)
  expect(onRefused).toHaveBeenLastCalledWith({ uid: expect.any(String), accountId: 'ada' })
})

test.each(['endSession', 'endSessions', 'a logout'])(
  'a slow request that gives its session another id does not bring it back: %s',
  async (how) => {
    const clock = new FakeClock()
    const state = await openState({ clock })
    const [slow, fast] = [nodeOf(state), nodeOf(state)]
    for (let round = 0; round < ROUNDS; round++) {
      const [before, now, uid] = [`before-${round}`, `now-${round}`, `uid-${round}`]
      await fast.adapter('Session').upsert(before, session(before, uid, 'ada'), HOUR)
      clock.advance(1)
      await slow.Provider.within(slow.Provider.request('resume'), async () => {
        expect(await slow.adapter('Session').find(before)).toBeDefined()
        if (how === 'endSession') await fast.adapter.endSession(uid)
        else if (how === 'endSessions') await fast.adapter.endSessions('ada')
        else await fast.adapter('Session').destroy(before)
        clock.advance(1)
        await slow.adapter('Session').destroy(before)
        await slow.adapter('Session').upsert(now, session(now, uid, 'ada'), HOUR)
      })
      expect(await fast.adapter('Session').find(now)).toBeUndefined()
      expect(await fast.adapter.sessionsOf('ada')).toEqual([])
    }
    expect(slow.onRefused).toHaveBeenCalledTimes(ROUNDS)
  },
)

test('a session between two ids when all sessions of its user are ended does not come back', async () => {
  const clock = new FakeClock()
  const { Provider, adapter } = nodeOf(await openState({ clock }))
  const sessions = adapter('Session')
  for (let round = 0; round < ROUNDS; round++) {
    const [before, now, uid] = [`before-${round}`, `now-${round}`, `uid-${round}`]
    await sessions.upsert(before, session(before, uid, 'ada'), HOUR)
    clock.advance(1)
    await Provider.within(Provider.request('resume'), async () => {
      await sessions.find(before)
      await sessions.destroy(before)
      await adapter.endSessions('ada')
      clock.advance(1)
      await sessions.upsert(now, session(now, uid, 'ada'), HOUR)
    })
    expect(await adapter.sessionsOf('ada')).toEqual([])
    clock.advance(1)
  }
})

test('of two requests that give a session another id both keep it alive', async () => {
  const { Provider, adapter } = nodeOf(await openState())
  const sessions = adapter('Session')
  await sessions.upsert('id', session('id', 'uid', 'ada'), HOUR)
  const rename = (request: FakeRequest, to: string) =>
    Provider.within(request, async () => {
      await sessions.destroy('id')
      await sessions.upsert(to, session(to, 'uid', 'ada'), HOUR)
    })
  const requests = [Provider.request('resume'), Provider.request('resume')] as const
  for (const request of requests) await Provider.within(request, () => sessions.find('id'))
  await rename(requests[0], 'a')
  await rename(requests[1], 'b')
  expect(await sessions.find('a')).toBeDefined()
  expect(await sessions.find('b')).toBeDefined()
})
