import { randomUUID } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { createLoginCookies } from '../../auth-session/src/cookies.js'
import { type AuthState, type AuthStateConfig, createAuthState } from '../src/index.js'

const [OLD, NEW, OTHER] = ['o'.repeat(32), 'n'.repeat(32), 'x'.repeat(32)] as const
const keyring = { current: 'old', keys: { old: OLD } }

async function opened(config: AuthStateConfig = {}): Promise<AuthState> {
  const state = await createAuthState({ keyring, ...config })
  onTestFinished(() => state.close())
  return state
}

const link = (state: AuthState) =>
  state.actionTokens.issueActionToken('acme', { userId: 'ada', actionId: 'verify', lifespanMs: 60_000 })
const kidOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid

describe('in memory', () => {
  test('a key that is added reads, one that is used makes, and one that is removed does neither', async () => {
    const state = await opened()
    const { keys } = state
    expect([keys.current, keys.ids]).toEqual(['old', ['old']])
    const cookies = createLoginCookies({ keyring: keys.keyring })
    const data = { tabId: 't', clientId: 'c' }
    const before = cookies.restart('acme', data)?.split(';')[0]
    const signed = await link(state)
    keys.add('new', NEW)
    expect([keys.current, kidOf(await link(state))]).toEqual(['old', 'old'])
    expect(await keys.use('new')).toEqual({ outcome: 'used' })
    expect([keys.current, kidOf(await link(state))]).toEqual(['new', 'new'])
    expect((await state.actionTokens.verifyActionToken('acme', signed, 'verify')).outcome).toBe('valid')
    expect(cookies.readRestart('acme', before)?.tabId).toBe('t')
    const cookie = state.stickySessions.sign('an-id', { realmId: 'acme' })
    expect(state.stickySessions.verify(cookie, { realmId: 'acme' })).toBeDefined()
    expect(keys.remove('old')).toBe(true)
    expect((await state.actionTokens.verifyActionToken('acme', signed, 'verify')).outcome).toBe('invalid')
    expect(cookies.readRestart('acme', before)).toBeUndefined()
  })

  test('misuse is told', async () => {
    const { keys } = await opened()
    await expect(keys.use('new')).rejects.toThrow('no key "new"; add it first')
    await expect(keys.use('old', { waitMS: 1 } as never)).rejects.toThrow("Did you mean 'waitMs'")
    expect(() => keys.add('new', 'short')).toThrow('at least 32 bytes')
    expect(() => keys.add('old', NEW)).toThrow('another secret has this id')
    expect(() => keys.remove('old')).toThrow('use another one first')
    const none = await createAuthState()
    onTestFinished(() => none.close())
    expect(() => none.keys).toThrow('the configuration has no keyring')
  })
})

describeWith(redis, 'on Redis', () => {
  test('a key is used once every node has it, with the same secret, and then by every node', async () => {
    const prefix = `keys-${randomUUID()}`
    const open = (name: string) =>
      opened({ provider: 'redis', redis: { url: redisUrl(), prefix }, node: { name } })
    const [a, b, c] = await Promise.all([open('a'), open('b'), open('c')])
    a.keys.add('new', NEW)
    b.keys.add('new', NEW)
    c.keys.add('new', OTHER)
    expect(await a.keys.use('new')).toEqual({ outcome: 'missing', nodes: ['c'] })
    expect([a, b, c].map(({ keys }) => keys.current)).toEqual(['old', 'old', 'old'])
    c.keys.remove('new')
    expect(await a.keys.use('new')).toEqual({ outcome: 'missing', nodes: ['c'] })
    c.keys.add('new', NEW)
    expect(await a.keys.use('new')).toEqual({ outcome: 'used' })
    // Whoever hears of it later than others reads what they make all the same.
    const made = await link(a)
    expect(kidOf(made)).toBe('new')
    for (const state of [b, c]) {
      expect((await state.actionTokens.verifyActionToken('acme', made, 'verify')).outcome).toBe('valid')
      await expect.poll(() => state.keys.current).toBe('new')
    }
    expect(await c.keys.use('new')).toEqual({ outcome: 'used' })
    await a.removeRealm('acme')
  })
})
