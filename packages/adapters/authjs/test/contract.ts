// What Auth.js asks of an adapter about sessions and verification tokens, in our own words: from its documentation and types.

import type { AdapterSession } from '@auth/core/adapters'
import { hostileNames, together } from '@authstate/conformance'
import { expect, test } from 'vitest'
import type { AuthjsState } from '../src/index.js'
import { adapterOver, usersInMemory } from './support.js'

const MINUTE_MS = 60_000
const inMinutes = (minutes: number): Date => new Date(Date.now() + minutes * MINUTE_MS)

/** @param open Two nodes over the same store. */
export function describeContract(open: () => Promise<readonly [AuthjsState, AuthjsState]>): void {
  const openAdapters = async () => {
    const users = usersInMemory()
    const [state, other] = await open()
    const user = await users.createUser({ id: 'u', email: 'ada@example.com', emailVerified: null })
    return { user, adapter: adapterOver(state, users), other: adapterOver(other, users) }
  }
  const sessionOf = (sessionToken: string, minutes = 10): AdapterSession => ({
    sessionToken,
    userId: 'u',
    expires: inMinutes(minutes),
  })

  test('createSession, then getSessionAndUser: the same, with its user, on every node', async () => {
    const { user, adapter, other } = await openAdapters()
    const session = { ...sessionOf('t'), device: { name: 'laptop' } }
    expect(await adapter.createSession(session)).toEqual(session)
    expect(await other.getSessionAndUser('t')).toEqual({ session, user })
    expect(await other.getSessionAndUser('another')).toBeNull()
  })

  test('getSessionAndUser: null without the user', async () => {
    const { adapter } = await openAdapters()
    await adapter.createSession({ ...sessionOf('t'), userId: 'nobody' })
    expect(await adapter.getSessionAndUser('t')).toBeNull()
  })

  test('updateSession: changes what is given, to the millisecond, and nothing else', async () => {
    const { user, adapter, other } = await openAdapters()
    await adapter.createSession({ ...sessionOf('t'), device: 'laptop' } as AdapterSession)
    const expires = inMinutes(20)
    const session = { sessionToken: 't', userId: 'u', expires, device: 'laptop' }
    expect(await other.updateSession({ sessionToken: 't', expires })).toEqual(session)
    expect(await adapter.getSessionAndUser('t')).toEqual({ session, user })
    expect(await adapter.updateSession({ sessionToken: 't' })).toEqual(session)
    expect(await adapter.updateSession({ sessionToken: 'another', expires })).toBeNull()
    expect(await adapter.getSessionAndUser('another')).toBeNull()
  })

  test('updateSession: may give the session to another user', async () => {
    const { adapter } = await openAdapters()
    await adapter.createSession(sessionOf('t'))
    await adapter.updateSession({ sessionToken: 't', userId: 'v' })
    expect(await adapter.sessionsOf('u')).toEqual([])
    expect(await adapter.sessionsOf('v')).toHaveLength(1)
  })

  test('deleteSession: answers the session to one caller, and it is gone', async () => {
    const { adapter, other } = await openAdapters()
    const session = sessionOf('t')
    await adapter.createSession(session)
    const ended = await together(10, (at) => (at % 2 === 0 ? adapter : other).deleteSession('t'))
    expect(ended.filter((answered) => answered !== null)).toEqual([session])
    expect(await adapter.getSessionAndUser('t')).toBeNull()
  })

  test('a session that ended never comes back by a late updateSession', async () => {
    const { adapter, other } = await openAdapters()
    await adapter.createSession(sessionOf('t'))
    await other.deleteSession('t')
    expect(await adapter.updateSession({ sessionToken: 't', expires: inMinutes(20) })).toBeNull()
    expect(await adapter.getSessionAndUser('t')).toBeNull()
    await adapter.createSession(sessionOf('t'))
    expect(await adapter.getSessionAndUser('t'), 'a new one may have its token').not.toBeNull()
  })

  test('a session whose end has passed is none', async () => {
    const { adapter } = await openAdapters()
    await adapter.createSession(sessionOf('t', -1))
    expect(await adapter.getSessionAndUser('t')).toBeNull()
    await adapter.createSession(sessionOf('s'))
    expect(await adapter.updateSession({ sessionToken: 's', expires: inMinutes(-1) })).toBeNull()
    expect(await adapter.getSessionAndUser('s')).toBeNull()
  })

  test('deleteUser: ends the sessions of the user', async () => {
    const { adapter, other } = await openAdapters()
    await adapter.createSession(sessionOf('t'))
    await other.deleteUser('u')
    expect(await adapter.getUser('u')).toBeNull()
    expect(await adapter.sessionsOf('u')).toEqual([])
  })

  test('the sessions of a user are listed and ended, without their tokens', async () => {
    const { adapter, other } = await openAdapters()
    await together(20, (at) => adapter.createSession(sessionOf(`secret-${at}`)))
    const sessions = await other.sessionsOf('u')
    expect(sessions).toHaveLength(20)
    expect(JSON.stringify(sessions)).not.toContain('secret')
    const current = other.sessionIdOf('secret-7')
    expect(sessions.map(({ id }) => id)).toContain(current)
    expect(await other.endSession(other.sessionIdOf('secret-1'))).toBe(true)
    expect(await other.endSessions('u', { except: current })).toBe(18)
    expect((await adapter.sessionsOf('u')).map(({ id }) => id)).toEqual([current])
    expect(await adapter.getSessionAndUser('secret-7')).not.toBeNull()
    expect(await adapter.endSessions('u')).toBe(1)
  })

  test('useVerificationToken: of ten at once one gets the token', async () => {
    const { adapter, other } = await openAdapters()
    const token = { identifier: 'ada@example.com', token: 'digest', expires: inMinutes(10) }
    expect(await adapter.createVerificationToken(token)).toEqual(token)
    const { expires: _, ...of } = token
    expect(await other.useVerificationToken({ ...of, identifier: 'eve@example.com' })).toBeNull()
    expect(await other.useVerificationToken({ ...of, token: 'another' })).toBeNull()
    const used = await together(10, (at) => (at % 2 === 0 ? adapter : other).useVerificationToken(of))
    expect(used.filter((answered) => answered !== null)).toEqual([token])
  })

  test('useVerificationToken: null when its end has passed', async () => {
    const { adapter } = await openAdapters()
    const of = { identifier: 'ada@example.com', token: 'digest' }
    await adapter.createVerificationToken({ ...of, expires: inMinutes(-1) })
    expect(await adapter.useVerificationToken(of)).toBeNull()
  })

  test('tokens are whatever text, of any length', async () => {
    const { adapter, other } = await openAdapters()
    for (const token of new Set(['', '__proto__', 'x'.repeat(100_000), ...hostileNames])) {
      expect(await adapter.getSessionAndUser(token)).toBeNull()
      await adapter.createSession(sessionOf(token))
      expect((await other.getSessionAndUser(token))?.session.sessionToken).toBe(token)
      expect(await other.deleteSession(token)).not.toBeNull()
      const of = { identifier: token, token }
      await adapter.createVerificationToken({ ...of, expires: inMinutes(10) })
      expect(await other.useVerificationToken(of)).toMatchObject(of)
    }
  })

  test('a session that is too large is refused with limit and size, and nothing is stored', async () => {
    const { adapter } = await openAdapters()
    const session = { ...sessionOf('t'), large: 'x'.repeat(300_000) }
    await expect(adapter.createSession(session)).rejects.toThrow(/"maxDataBytes" of web-session, got 3\d{5}/)
    expect(await adapter.sessionsOf('u')).toEqual([])
  })
}
