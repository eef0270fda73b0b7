// The strategy for applications that have a session storage of React Router already.
import { createAuthState } from 'authstate'
import { sessionStrategy } from 'authstate/web-session/fetch'
import { createSessionStorage } from 'react-router'
import { expect, onTestFinished, test } from 'vitest'

const ROUNDS = 20

async function open() {
  const state = await createAuthState()
  onTestFinished(() => state.close())
  const refused: string[] = []
  const storage = createSessionStorage({
    cookie: { name: '__session', secrets: ['a secret of these tests'], maxAge: 3_600 },
    ...sessionStrategy(state, { onRefused: ({ sessionId }) => refused.push(sessionId) }),
  })
  /** A session that is stored, and the cookie that names it. */
  const stored = async (userId: string) => {
    const session = await storage.getSession()
    session.set('userId', userId)
    return (await storage.commitSession(session)).split(';')[0] ?? ''
  }
  return { ...storage, state, refused, stored }
}

test('a session is stored, found, listed and ended', async () => {
  const { getSession, commitSession, destroySession, state, stored } = await open()
  const cookie = await stored('u')
  const session = await getSession(cookie)
  expect(session.get('userId')).toBe('u')
  session.flash('message', 'hello')
  await commitSession(session)
  const again = await getSession(cookie)
  expect(again.get('message')).toBe('hello')
  expect(again.get('message'), 'said once').toBeUndefined()
  await commitSession(again)
  expect((await getSession(cookie)).has('message')).toBe(false)
  const [found] = (await state.webSessions.listByUser('sessions', 'u')).items
  expect([found?.id, (found?.expiresAt ?? 0) - (found?.savedAt ?? 0)]).toEqual([
    session.id,
    expect.any(Number),
  ])
  expect((found?.expiresAt ?? 0) - (found?.savedAt ?? 0)).toBeLessThanOrEqual(3_600_000)
  await destroySession(await getSession(cookie))
  expect((await getSession(cookie)).get('userId')).toBeUndefined()
  expect((await getSession('__session=junk')).id).toBe('')
})

test('a session that was ended never comes back, whatever a slow request saves', async () => {
  const { getSession, commitSession, destroySession, state, refused, stored } = await open()
  for (let round = 0; round < ROUNDS; round++) {
    const cookie = await stored('u')
    const slow = await getSession(cookie)
    await destroySession(await getSession(cookie))
    slow.set('late', true)
    await commitSession(slow)
    expect((await getSession(cookie)).data).toEqual({})
  }
  expect(await state.webSessions.count('sessions')).toBe(0)
  expect(refused).toHaveLength(ROUNDS)
})

test('an id that nobody minted names nothing', async () => {
  const { state } = await open()
  const strategy = sessionStrategy(state)
  for (const id of ['', 'x', 'x'.repeat(100_000), '__proto__']) {
    expect(await strategy.readData(id)).toBeNull()
    await strategy.updateData(id, { a: 1 })
    await strategy.deleteData(id)
  }
  expect(await state.webSessions.count('sessions')).toBe(0)
})

test.each([
  [{ realm: 'a' }, /realmId/],
  [{ lifespanMs: 401 * 86_400_000 }, /"lifespanMs".*"maxLifespanMs" of web-session/],
  [{ userId: 1 }, /"userId"/],
])('refuses to start with %o', async (options, message) => {
  const { state } = await open()
  expect(() => sessionStrategy(state, options as never)).toThrow(message)
})
