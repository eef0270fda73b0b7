// Who did what is written, whatever the verb.
import { type AuditEntry, auditSpi, memoryAudit } from '@authstate/audit'
import { createAuthState } from 'authstate'
import { expect, onTestFinished, test } from 'vitest'
import { createOperations } from '../src/index.js'

const keyring = { current: 'a', keys: { a: 'a secret of these tests, 32 bytes or more' } }
const grace = { name: 'grace', via: 'console' } as const

async function opened(providers = [memoryAudit()]) {
  const state = await createAuthState({ keyring, providers })
  onTestFinished(() => state.close())
  const operations = createOperations({ state, keyring })
  for (const userId of ['ada@example.org', 'bob'])
    await state.userSessions.create('acme', { userId, loginUsername: userId, client: { clientId: 'shop' } })
  return { state, operations }
}

const brief = ({ event, outcome, count = -1, records, actor }: AuditEntry) =>
  [event, outcome, count, records.map(({ kind }) => kind).join(' '), actor?.name].join(' | ')

test('every verb that changes something leaves two lines', async () => {
  const { state, operations } = await opened()
  const acting = operations.as(grace)
  const { items } = await acting.sessions.list('acme', { userId: 'bob' })
  const reference = items[0]?.reference ?? ''
  const { auditName } = (await acting.sessions.show('acme', reference)) ?? {}
  state.realmCache.region('users')
  const verbs = [
    () => acting.sessions.end('acme', { references: [reference, 'forged.reference'] }),
    () => acting.sessions.end('acme', { userId: 'bob' }),
    () => acting.sessions.end('acme', { clientId: 'shop' }),
    () => acting.sessions.end('acme', { all: true }),
    () => acting.failures.clear('acme', { userId: 'bob' }),
    () => acting.failures.clear('acme', { ip: '203.0.113.7' }),
    () => acting.failures.clearAll('acme'),
    () => acting.tokens.remove('acme', ['forged.reference']),
    () => acting.tokens.revokeFamily('acme', 'grant-4f'),
    () => acting.tokens.removeBySubject('acme', 'bob'),
    () => acting.caches.clear('users'),
    () => acting.caches.clearAll(),
    () => operations.endUser('acme', 'ada@example.org'),
    () => operations.forgetUser('acme', 'ada@example.org'),
    () => operations.realmChanged('acme'),
    () => operations.removeRealm('acme'),
  ]
  for (const verb of verbs) await verb()
  const { items: lines } = await operations.audit.read({ first: 'oldest', limit: 1_000 })
  expect(lines.filter(({ outcome }) => outcome === 'begun')).toHaveLength(verbs.length)
  expect(lines.filter(({ outcome }) => outcome !== 'begun').map(brief)).toEqual([
    'sessions.end | done | 1 | user-session | grace',
    'sessions.end | nothing | 0 | user | grace',
    'sessions.end | done | 1 |  | grace',
    'sessions.end | done | 1 |  | grace',
    'failures.clear | nothing | 0 | user | grace',
    'failures.clear | nothing | 0 | network | grace',
    'failures.clear | nothing | 0 |  | grace',
    'tokens.remove | nothing | 0 |  | grace',
    'tokens.revoke-family | done | 0 | token-family | grace',
    'tokens.remove | nothing | 0 | user | grace',
    'caches.clear | done | -1 |  | grace',
    'caches.clear | done | -1 |  | grace',
    'user.end | done | -1 | user | application',
    'user.forget | done | -1 | user | application',
    'realm.changed | done | -1 |  | application',
    'realm.remove | done | -1 |  | application',
  ])
  expect(lines[0]?.records).toEqual([{ kind: 'user-session', name: auditName }])
  expect(JSON.stringify(lines)).not.toContain('ada@example.org')
})

test('what is refused is written, and what is misused is a failure', async () => {
  const { state, operations } = await opened()
  const acting = operations.as(grace)
  await acting.audit.refuse('sessions.end', 'acme', 'forbidden')
  await expect(acting.sessions.end('acme', { userId: 'bob', except: 'forged.reference' })).rejects.toThrow(
    'except',
  )
  await expect(acting.sessions.end('acme', { referencez: [] } as never)).rejects.toThrow('target')
  await state.userSessions.close?.()
  await expect(acting.endUser('acme', 'bob')).rejects.toThrow()
  const { items } = await operations.audit.read({ first: 'oldest' })
  expect(items.map(({ outcome, reason }) => `${outcome} ${reason}`)).toEqual([
    'refused forbidden',
    'begun undefined',
    'failed ERR_INCOMPLETE',
  ])
})

test('without an audit nothing is written, and the verbs do what they do', async () => {
  const { operations } = await opened([])
  expect(operations.audit.isKept).toBe(false)
  expect(operations.audit.stats()).toBeUndefined()
  await operations.audit.refuse('sessions.end', 'acme', 'forbidden')
  expect(await operations.sessions.end('acme', { userId: 'bob' })).toEqual({ ended: 1, unknown: 0 })
  await expect(operations.audit.read()).rejects.toThrow(/audit: the state has none/)
})

test('an actor that can be nobody is refused', async () => {
  const { operations, state } = await opened()
  expect(() => operations.as({ name: '', via: 'api' })).toThrow(/actor\.name/)
  expect(() => operations.as({ name: 'x', via: 'web' as never })).toThrow(/actor\.via/)
  expect(() => createOperations({ state, actor: { name: 'x', vai: 'api' } as never })).toThrow(
    "Did you mean 'via'",
  )
  expect(state.get(auditSpi).stats()).toMatchObject({ written: 0 })
})
