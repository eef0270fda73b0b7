import { StoreUnavailableError } from '@authstate/spi'
import { describe, expect, test } from 'vitest'
import type { TokenStoreState } from '../src/index.js'
import { Application, type AppOptions, Gate, KEYRING, replaced } from './support.js'

/** An application whose state can be taken away. */
async function openWith(options: Omit<AppOptions, 'over'>) {
  const away = { is: false }
  const gone = () => Promise.reject(new StoreUnavailableError('away', { applied: 'unknown' }))
  const over = ({ webSessions, actionTokens }: TokenStoreState): TokenStoreState => ({
    webSessions: replaced(webSessions, {
      get: (...args) => (away.is ? gone() : webSessions.get(...args)),
      update: (...args) => (away.is ? gone() : webSessions.update(...args)),
    }),
    actionTokens: replaced(actionTokens, {
      putIfAbsent: (...args) => (away.is ? gone() : actionTokens.putIfAbsent(...args)),
      isRevoked: (...args) => (away.is ? gone() : actionTokens.isRevoked(...args)),
      get: (...args) => (away.is ? gone() : actionTokens.get(...args)),
    }),
  })
  return { app: await Application.open({ ...options, over }), away }
}

describe('tokens that the provider gave', () => {
  test.each(['session', 'cookie'] as const)(
    'are kept and served when the store goes away meanwhile: %s store',
    async (kind) => {
      const { app, away } = await openWith({ kind })
      const browser = await app.login()
      app.clock.advance(60_000)
      const { session } = await app.nodes[0].store.read(browser.header)
      const gate = new Gate()
      app.op.gate = gate
      const asked = app.nodes[0].store.accessToken(session as never, { deadlineMs: 80 })
      await gate.arrival
      away.is = true
      gate.open()
      const waited = await asked
      // The caller's time was over before the store's was.
      expect(['token', 'unavailable']).toContain(waited.outcome)
      const served = await app.nodes[0].store.accessToken(session as never, { deadlineMs: 200 })
      expect(served).toMatchObject({ outcome: 'token', token: 'access-2' })
      away.is = false
      expect(await app.token(browser.copy(), 0)).toMatchObject({ outcome: 'token', token: 'access-2' })
      expect(await app.token(browser.copy(), 1)).toMatchObject({ outcome: 'token', token: 'access-2' })
      expect(app.op.asked).toEqual(['refresh-1'])
    },
  )

  test('are written when the store is back before the caller gives up', async () => {
    const { app, away } = await openWith({ kind: 'session' })
    const browser = await app.login()
    app.clock.advance(60_000)
    const { session } = await app.nodes[0].store.read(browser.header)
    const gate = new Gate()
    app.op.gate = gate
    const asked = app.nodes[0].store.accessToken(session as never)
    await gate.arrival
    away.is = true
    gate.open()
    await new Promise((resolve) => setImmediate(resolve))
    away.is = false
    expect(await asked).toMatchObject({ outcome: 'token', token: 'access-2' })
    expect(await app.token(browser, 1)).toMatchObject({ token: 'access-2' })
  })

  test('are refused where they are wrong, and the session stands', async () => {
    const app = await Application.open({ kind: 'session' })
    const browser = await app.login()
    app.clock.advance(60_000)
    app.op.extra = { accessToken: '' }
    await expect(app.token(browser)).rejects.toThrow(/"accessToken" must not be empty/)
    expect(await app.who(browser)).toBe('u-1')
  })

  test('are refused where "verify" refuses them', async () => {
    const verify = (token: string) => {
      if (token === 'access-2') throw new Error('no')
    }
    const app = await Application.open({ kind: 'session', options: { verify } })
    const browser = await app.login()
    app.clock.advance(60_000)
    expect(await app.token(browser)).toMatchObject({ outcome: 'refused', reason: 'verify' })
    expect(await app.who(browser)).toBe('u-1')
  })
})

describe('the session store', () => {
  test('keeps tokens and the key of DPoP encrypted, and no name of the provider', async () => {
    const app = await Application.open({ kind: 'session', options: { encryptAtRest: KEYRING } })
    const dpop = { thumbprint: 'print', key: { kty: 'EC', d: 'private' } }
    const browser = await app.login(0, { tokens: app.op.issue({ dpop }) })
    const { items } = await app.state.webSessions.list('tokens')
    const text = JSON.stringify(items)
    for (const secret of ['access-', 'refresh-', 'private', ...browser.cookies.values()])
      expect(text).not.toContain(secret)
    app.clock.advance(60_000)
    const outcome = await app.token(browser, 1)
    expect(outcome.outcome === 'token' && outcome.session.tokens.dpop).toEqual(dpop)
    const plain = await Application.open({ kind: 'session' })
    await expect(plain.login(0, { tokens: app.op.issue({ dpop }) })).rejects.toThrow(/"encryptAtRest"/)
  })

  test('a record that cannot be read is no session, and no error', async () => {
    const app = await Application.open({ kind: 'session' })
    const browser = await app.login()
    const [item] = (await app.state.webSessions.list('tokens')).items
    await app.state.webSessions.update('tokens', item?.id as string, { set: { v: 2 } })
    expect((await app.nodes[0].store.read(browser.header)).absent).toBe('unreadable')
    expect((await app.nodes[0].store.read('__Host-as=junk')).absent).toBe('unreadable')
  })

  test('names of the application change side by side, also while tokens are got', async () => {
    const app = await Application.open({ kind: 'session' })
    const browser = await app.login()
    app.clock.advance(60_000)
    const gate = new Gate()
    app.op.gate = gate
    const asked = app.token(browser.copy())
    await gate.arrival
    const { session } = await app.nodes[1].store.read(browser.header)
    await Promise.all([
      app.nodes[0].store
        .update(session as never, { data: { a: '1' } })
        .catch((error: Error) => error.message),
      app.nodes[1].store.update(session as never, { data: { b: '2' } }),
    ])
    gate.open()
    expect(await asked).toMatchObject({ token: 'access-2', session: { data: { b: '2' } } })
  })

  test('lists the sessions of a user and ends one of them by its id', async () => {
    const app = await Application.open({ kind: 'session' })
    const [phone, laptop] = [
      await app.login(0, { data: { device: 'phone' } }),
      await app.login(1, { sid: 's-2' }),
    ]
    const { store } = app.nodes[1]
    const sessions = await store.sessionsOf({ subject: 'u-1' })
    const { id } = sessions.find(({ data }) => data['device'] === 'phone') as { id: string }
    expect((await store.sessionsOf({ sid: 's-2' })).map(({ sid }) => sid)).toEqual(['s-2'])
    expect(await store.end({ id })).toMatchObject({ ended: 1 })
    expect([await app.who(phone), await app.who(laptop)]).toEqual(['ended', 'u-1'])
    expect(await store.end({ subject: 'u-1' })).toMatchObject({ ended: 1 })
    const arguments_ = [{}, { subject: '' }, { sid: 's', subject: 'u' }, { id: 1 }, null]
    for (const wrong of arguments_) await expect(store.end(wrong as never)).rejects.toThrow(TypeError)
    await expect(store.end({ before: 1.5 })).rejects.toThrow(RangeError)
    await store.close()
    await expect(store.end({ sid: 's' })).rejects.toThrow(/closed/)
  })
})
