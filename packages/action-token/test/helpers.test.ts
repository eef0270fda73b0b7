import { FakeClock, together } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type ActionTokenProvider,
  actionTokenSpi,
  confirmLink,
  createReplayGuard,
  memoryActionTokens,
  type RevokedToken,
} from '../src/index.js'

const clock = new FakeClock()
let tokens: ActionTokenProvider
let close: () => Promise<void>

async function open(memory: object = {}): Promise<void> {
  const config = { spi: { 'action-token': { memory } } }
  const registry = createProviderRegistry({ factories: [memoryActionTokens()], clock, config })
  await registry.start()
  tokens = registry.get(actionTokenSpi)
  close = () => registry.close()
}

beforeEach(() => open())
afterEach(() => close())

describe('createReplayGuard', () => {
  const proof = (over: object = {}) => ({
    maker: 'client',
    id: 'jti',
    expiresAt: clock.now() + 60_000,
    ...over,
  })

  test('exactly one of N callers is first; another maker is another id', async () => {
    const guard = createReplayGuard(tokens, { kind: 'dpop', clock })
    const uses = await together(10, () => guard.firstUse('realm', proof()))
    expect(uses.sort()).toEqual(['first', ...Array.from({ length: 9 }, () => 'replayed')])
    expect(await guard.firstUse('realm', proof({ maker: 'other' }))).toBe('first')
    expect(await guard.firstUse('other', proof())).toBe('first')
    expect(await createReplayGuard(tokens, { kind: 'jar', clock }).firstUse('realm', proof())).toBe('first')
  })

  test('an id about to expire is remembered for ten seconds', async () => {
    const guard = createReplayGuard(tokens, { kind: 'dpop', clock })
    expect(await guard.firstUse('realm', proof({ expiresAt: clock.now() + 1 }))).toBe('first')
    clock.advance(9_999)
    expect(await guard.firstUse('realm', proof({ expiresAt: clock.now() + 1 }))).toBe('replayed')
  })

  test('what expired or would live too long is refused and leaves nothing', async () => {
    const guard = createReplayGuard(tokens, { kind: 'dpop', clock, maxLifespanMs: 60_000 })
    expect(await guard.firstUse('realm', proof({ expiresAt: clock.now() }))).toBe('expired')
    expect(await guard.firstUse('realm', proof({ expiresAt: clock.now() + 60_001 }))).toBe('too-long')
    expect(await tokens.removeByRealm('realm')).toBe(0)
    expect(await guard.firstUse('realm', proof({ id: 'x'.repeat(10_000) }))).toBe('first')
  })

  test('wrong arguments are named', async () => {
    expect(() => createReplayGuard(tokens, { kind: '' })).toThrow(/"kind"/)
    const guard = createReplayGuard(tokens, { kind: 'dpop', clock })
    await expect(guard.firstUse('realm', proof({ expiresAt: Number.NaN }))).rejects.toThrow(/"expiresAt"/)
    await expect(guard.firstUse('realm', proof({ maker: '' }))).rejects.toThrow(/"maker"/)
  })
})

describe('confirmLink', () => {
  test('opening never consumes, posting does, once', async () => {
    const token = await tokens.issueActionToken('realm', {
      userId: 'u',
      actionId: 'verify',
      lifespanMs: 1_000,
    })
    const send = (method: string, attempt?: string) =>
      confirmLink(tokens, 'realm', { method, token, actionId: 'verify', attempt })
    for (const method of ['GET', 'HEAD', 'GET']) expect(await send(method)).toMatchObject({ step: 'confirm' })
    expect(await send('POST', 'one')).toMatchObject({ step: 'confirmed', token: { userId: 'u' } })
    expect(await send('POST', 'one')).toMatchObject({ step: 'confirmed' })
    expect(await send('POST', 'two')).toEqual({ step: 'refused', reason: 'used' })
    expect(await send('GET')).toEqual({ step: 'refused', reason: 'used' })
    clock.advance(1_000)
    expect(await send('GET')).toEqual({ step: 'refused', reason: 'expired' })
    await expect(send('PUT')).rejects.toThrow(/"method" must be/)
  })
})

describe('revoked tokens of a memory store', () => {
  test('are saved, and loaded again with their remaining life', async () => {
    const saved: RevokedToken[] = []
    const revokedTokens = {
      load: async () => saved,
      save: async (item: RevokedToken) => void saved.push(item),
    }
    await open({ revokedTokens })
    await tokens.revoke('realm', 'long', 60_000)
    await tokens.revoke('realm', 'short', 1_000)
    await close()
    clock.advance(1_000)
    await open({ revokedTokens })
    expect(await tokens.isRevoked('realm', 'long')).toBe(true)
    expect(await tokens.isRevoked('realm', 'short')).toBe(false)
    clock.advance(59_000)
    expect(await tokens.isRevoked('realm', 'long')).toBe(false)
  })

  test('a token that could not be saved counts as revoked, and the caller is told', async () => {
    const failure = new Error('disk full')
    await open({ revokedTokens: { load: () => [], save: () => Promise.reject(failure) } })
    await expect(tokens.revoke('realm', 'jti', 1_000)).rejects.toBe(failure)
    expect(await tokens.isRevoked('realm', 'jti')).toBe(true)
  })

  test('a hook that is none stops the start', async () => {
    await expect(open({ revokedTokens: { load: 1 } })).rejects.toMatchObject({
      code: 'ERR_PROVIDER_CONFIGURATION',
    })
    await open()
  })
})
