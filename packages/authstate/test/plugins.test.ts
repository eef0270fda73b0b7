import { type ActionTokenProvider, actionTokenSpi, memoryActionTokens } from '@authstate/action-token'
import { FakeClock } from '@authstate/conformance'
import { defineSpi, type Provider, type ProviderFactory } from '@authstate/spi'
import { expect, test } from 'vitest'
import { createAuthState, type UserSessionProvider, userSessionSpi } from '../src/index.js'

interface Greetings extends Provider {
  greet(name: string): string
}
const greetingsSpi = defineSpi<Greetings>('greetings')

function greetings(id: string, closed: string[] = []): ProviderFactory<Greetings> {
  return {
    spi: greetingsSpi,
    id,
    dependsOn: [userSessionSpi],
    create: (context) => ({
      greet: (name) => `${id} greets ${name} of ${typeof context.get(userSessionSpi).create}`,
      close: async () => void closed.push(id),
    }),
  }
}

test('an SPI of a plugin is started, handed out, asked after and closed with the others', async () => {
  const closed: string[] = []
  const state = await createAuthState({ providers: [greetings('mine', closed)] })
  expect(state.get(greetingsSpi).greet('Ada')).toBe('mine greets Ada of function')
  expect((await state.health()).providers.map(({ spi }) => spi)).toContain('greetings')
  await state.close()
  expect(closed).toEqual(['mine'])
})

test('one that nobody provides is an error to get and nothing to find', async () => {
  await using state = await createAuthState()
  expect(state.find(greetingsSpi)).toBeUndefined()
  expect(() => state.get(greetingsSpi)).toThrow(/'greetings' has no provider/)
})

test('a provider of a plugin serves one of our SPIs, once it is named', async () => {
  const mine: ProviderFactory<ActionTokenProvider> = {
    spi: actionTokenSpi,
    id: 'mine',
    create: (context) =>
      memoryActionTokens().create(context, { maxLifespanMs: 7, readGraceMs: 0, maxDataBytes: 100 }),
  }
  await using plain = await createAuthState({ providers: [mine], provider: 'memory' })
  expect(plain.describe().spis['action-token']?.selected).toBe('memory')
  const clock = new FakeClock()
  await using state = await createAuthState({
    providers: [mine],
    spi: { 'action-token': { provider: 'mine' } },
    clock,
  })
  expect(state.describe().spis['action-token']?.selected).toBe('mine')
  await expect(state.actionTokens.put('r', 'code', 'k', { lifespanMs: 8 })).rejects.toThrow(RangeError)
  await state.actionTokens.put('r', 'code', 'k', { lifespanMs: 7 })
  const record = await state.actionTokens.get('r', 'code', 'k')
  expect(record?.expiresAt).toBe(clock.now() + 7)
})

test('a provider of a plugin with the id of ours takes its place', async () => {
  const mine: ProviderFactory<UserSessionProvider> = {
    spi: userSessionSpi,
    id: 'memory',
    create: () => ({ get: async () => undefined }) as unknown as UserSessionProvider,
  }
  await using state = await createAuthState({ providers: [mine] })
  expect(Object.keys(state.userSessions)).toEqual(['get'])
})
