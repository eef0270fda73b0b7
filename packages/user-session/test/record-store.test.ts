// A store over records that answer later, as a database does, and what may happen to it between two of its steps.

import { FakeClock, memoryTarget, RecordingLogger, runSuite } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import {
  describedSchema,
  type ProviderFactory,
  type RealmSettings,
  StoreUnavailableError,
} from '@authstate/spi'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { UserSessionConfig } from '../src/config.js'
import { createdSession, sessionOf } from '../src/conformance/fixture.js'
import { userSessionSuite } from '../src/conformance.js'
import {
  decodeSession,
  encodeSession,
  RecordStore,
  type StepReads,
  type StoredSession,
  UserSessions,
  userSessionConfig,
} from '../src/for-stores.js'
import { memoryUserSessions, type UserSessionProvider, userSessionSpi } from '../src/index.js'
import { MemoryRecords } from '../src/memory/records.js'
import { LaterRecords } from './later-records.js'

const inRecords = (
  records = new LaterRecords(),
): ProviderFactory<UserSessionProvider, UserSessionConfig> => ({
  spi: userSessionSpi,
  id: 'records',
  config: describedSchema(userSessionConfig),
  create: (context, config) =>
    new UserSessions(context, config, (parts) => new RecordStore(parts, (decode) => records.reading(decode))),
})

runSuite(
  userSessionSuite,
  memoryTarget(userSessionSpi, () => [inRecords()], 'records that answer later'),
  { describe, test },
)

const IDLE_MS = 1_800_000
const login = { userId: 'alice', loginUsername: 'alice', client: { clientId: 'app' } }
const both = { offline: 'both' } as const
const refused = new StoreUnavailableError('the disk is full', { applied: 'no' })
const lost = new StoreUnavailableError('the line is cut', { applied: 'unknown' })

async function open() {
  const [records, clock, logger] = [new LaterRecords(), new FakeClock(), new RecordingLogger()]
  const registry = createProviderRegistry({
    factories: [inRecords(records)],
    config: { spi: { 'user-session': { sweepIntervalMs: 0 } } },
    clock,
    logger,
  })
  await registry.start()
  onTestFinished(() => registry.close())
  return { records, clock, logger, provider: registry.get(userSessionSpi) }
}

/** Does something once, before the first step of a kind. */
function once(records: LaterRecords, method: string, work: () => unknown): void {
  records.before = async (next) => {
    if (next !== method) return
    records.before = undefined
    await work()
  }
}

/** Lets some steps of a kind pass and fails those that follow. */
function failAfter(records: LaterRecords, method: string, passing: number, error: Error = refused): void {
  let taken = 0
  records.before = (next) => {
    if (next === method && ++taken > passing) throw error
  }
}

describe('between the listing and the ending', () => {
  test('removeByBrokerSession: a session that began anew without that login at the broker stays', async () => {
    const { provider, records } = await open()
    const { id } = await provider.create('r', { ...login, brokerSessionId: 'b' }).then(createdSession)
    once(records, 'change', () => provider.restart('r', id, login).then(sessionOf))
    expect(await provider.removeByBrokerSession('r', 'b')).toBe(0)
    expect(await provider.get('r', id)).toBeDefined()
  })

  test('removeByUser: a session that began anew after the removal stays', async () => {
    const { provider, records, clock } = await open()
    const { id } = await provider.create('r', login).then(createdSession)
    clock.advance(1)
    once(records, 'change', () => {
      clock.advance(1)
      return provider.restart('r', id, login).then(sessionOf)
    })
    expect(await provider.removeByUser('r', 'alice')).toBe(0)
    expect(await provider.get('r', id)).toBeDefined()
  })

  test('removeByUser: the session of another user under the same id stays', async () => {
    const { provider, records, clock } = await open()
    const { id } = await provider.create('r', login).then(createdSession)
    clock.advance(1)
    once(records, 'change', () =>
      records.change({ realmId: 'r', id, offline: false, now: clock.now() }, ({ session }) => {
        const { core, ...begun } = session as StoredSession
        return { answer: 1, keeps: [{ ...begun, core: { ...core, userId: 'bob' } }] }
      }),
    )
    expect(await provider.removeByUser('r', 'alice')).toBe(0)
    expect((await provider.get('r', id))?.userId).toBe('bob')
  })

  test('removeByRealm: a session that was removed is not ended twice, and nobody is told twice', async () => {
    const { provider, records, clock } = await open()
    const { id } = await provider.create('r', login).then(createdSession)
    clock.advance(1)
    const removed = vi.fn()
    provider.on('removed', removed)
    once(records, 'change', () => provider.remove('r', id))
    expect(await provider.removeByRealm('r')).toBe(0)
    expect(removed).toHaveBeenCalledTimes(1)
  })
})

describe('what an error says was done', () => {
  test.each<[string, (provider: UserSessionProvider) => Promise<unknown>, string, number]>([
    ['removeByUser, before the first step', (p) => p.removeByUser('r', 'alice'), 'remember', 0],
    ['removeByBrokerSession, at its first session', (p) => p.removeByBrokerSession('r', 'b'), 'change', 0],
    ['removeByClient, at its first session', (p) => p.removeByClient('r', 'app'), 'change', 0],
    ['recompute, when it asks which there are', (p) => p.recompute('r'), 'ids', 0],
  ])('%s: nothing', async (_, verb, method, passing) => {
    const { provider, records, clock } = await open()
    for (let n = 0; n < 3; n++)
      await provider.create('r', { ...login, brokerSessionId: 'b' }).then(createdSession)
    clock.advance(1)
    failAfter(records, method, passing)
    await expect(verb(provider)).rejects.toMatchObject({ applied: 'no', message: refused.message })
  })

  test.each<[string, (provider: UserSessionProvider) => Promise<unknown>, string, number]>([
    ['removeByUser, behind its fence', (p) => p.removeByUser('r', 'alice'), 'change', 0],
    ['removeByUser, at its second session', (p) => p.removeByUser('r', 'alice'), 'change', 1],
    [
      'removeByUser, of one of the twins',
      (p) => p.removeByUser('r', 'alice', { offline: 'both' }),
      'remember',
      1,
    ],
    ['removeByRealm, behind the tokens', (p) => p.removeByRealm('r'), 'remember', 1],
    ['removeByBrokerSession, at its second session', (p) => p.removeByBrokerSession('r', 'b'), 'change', 1],
    ['removeByClient, at its second session', (p) => p.removeByClient('r', 'app'), 'change', 1],
    ['recompute, at the offline sessions', (p) => p.recompute('r'), 'ids', 1],
  ])('%s: it may be a part of it', async (_, verb, method, passing) => {
    const { provider, records, clock } = await open()
    for (let n = 0; n < 3; n++)
      await provider.create('r', { ...login, brokerSessionId: 'b' }).then(createdSession)
    clock.advance(1)
    failAfter(records, method, passing)
    await expect(verb(provider)).rejects.toMatchObject({
      applied: 'unknown',
      message: 'the disk is full; other parts of it may have been done',
    })
    records.before = undefined
    await verb(provider)
  })

  test('what was lost on its way is thrown as it is', async () => {
    const { provider, records, clock } = await open()
    for (let n = 0; n < 3; n++) await provider.create('r', login).then(createdSession)
    clock.advance(1)
    failAfter(records, 'change', 1, lost)
    await expect(provider.removeByUser('r', 'alice', both)).rejects.toBe(lost)
    expect(await provider.count('r')).toBe(2)
  })
})

test('removeByRealm ends the tokens without a session once', async () => {
  const { provider, records } = await open()
  const names: unknown[] = []
  records.before = (method, about) => {
    if (method === 'remember') names.push(...(about as string[]))
  }
  await provider.removeByRealm('r')
  expect(names.filter((name) => String(name).includes('ended'))).toHaveLength(1)
})

describe('a record that cannot be read', () => {
  test.each<[string, (text: string) => string]>([
    ['no text of ours', () => 'not JSON'],
    ['a text that says nothing', () => 'null'],
    ['cut off', (text) => text.slice(0, -1)],
    ['of another version', (text) => text.replace('"v":1,', '"v":2,')],
    ['without its version', (text) => text.replace('"v":1,', '')],
    ['without what every verb looks at', (text) => text.replace('"userId":', '"user":')],
  ])('%s: is absent, and the log says so once', async (_, damaged) => {
    const { provider, records, clock, logger } = await open()
    const { id } = await provider.create('r', { ...login, brokerSessionId: 'b' }).then(createdSession)
    const other = await provider.create('r', login).then(createdSession)
    const stored = await records.read({ realmId: 'r', id, offline: false })
    records.damaged.set(id, damaged(encodeSession(stored as StoredSession)))
    expect(await provider.get('r', id)).toBeUndefined()
    expect(await provider.touch('r', id)).toBeUndefined()
    expect(await provider.remove('r', id)).toBe(false)
    expect((await provider.listByUser('r', 'alice')).items).toEqual([other])
    expect(provider.stats?.()?.unreadable).toBeGreaterThan(3)
    expect(logger.entries).toHaveLength(1)
    clock.advance(1)
    expect(await provider.removeByUser('r', 'alice')).toBe(1)
    expect(await provider.count('r')).toBe(0)
  })

  test('is swept, and nobody is told of it', async () => {
    const { provider, records, clock } = await open()
    const { id } = await provider.create('r', login).then(createdSession)
    await provider.create('r', login).then(createdSession)
    records.damaged.set(id, 'not JSON')
    const expired = vi.fn()
    provider.on('expired', expired)
    clock.advance(IDLE_MS)
    expect(await provider.sweep()).toBe(1)
    expect(expired).toHaveBeenCalledTimes(1)
    expect(await records.over(clock.now(), 10)).toEqual([])
  })

  test('a text that was written is read as it was', async () => {
    const { provider, records, clock } = await open()
    const { id } = await provider.create('r', { ...login, notes: { a: 'b' } }).then(createdSession)
    const presented = { clientId: 'app', family: 'f', presented: 't1', next: 't2', maxReuse: 0 }
    await provider.rotateRefreshToken('r', id, { ...presented, issuedAt: clock.now() })
    const stored = (await records.read({ realmId: 'r', id, offline: false })) as StoredSession
    expect(JSON.parse(encodeSession(stored))).toMatchObject({ v: 1 })
    expect(decodeSession(encodeSession(stored))).toEqual(stored)
  })
})

test('a sweep that is told to stop takes no further step', async () => {
  const { provider, records, clock } = await open()
  for (let n = 0; n < 20; n++) await provider.create('r', login).then(createdSession)
  clock.advance(IDLE_MS)
  let steps = 0
  records.before = (method) => {
    if (method === 'change' && ++steps === 5) void provider.close?.()
  }
  await provider.sweep()
  expect(steps).toBe(5)
})

test('a sweep that fails counts what had ended, and its error does not say that nothing was done', async () => {
  const { provider, records, clock } = await open()
  for (let n = 0; n < 5; n++) await provider.create('r', login).then(createdSession)
  clock.advance(IDLE_MS)
  let steps = 0
  records.before = (method) => {
    if (method === 'change' && ++steps === 3) throw refused
  }
  await expect(provider.sweep()).rejects.toMatchObject({ applied: 'unknown' })
  expect(provider.stats().swept).toBe(2)
})

test('in memory a step that throws leaves no listing behind the session', async () => {
  const clock = new FakeClock()
  let settings: RealmSettings = {}
  const registry = createProviderRegistry({
    factories: [memoryUserSessions()],
    config: { spi: { 'user-session': { sweepIntervalMs: 0 } } },
    realms: () => settings,
    clock,
  })
  await registry.start()
  onTestFinished(() => registry.close())
  const provider = registry.get(userSessionSpi)
  const { id } = await provider.create('r', login).then(createdSession)
  await provider.putClientSession('r', id, { clientId: 'other' })
  clock.advance(1_000)
  // The session ends sooner by these, the first client session is over, and the second one's settings cannot be read.
  const shorterMs = IDLE_MS / 3
  settings = {
    ssoSessionIdleTimeoutMs: shorterMs,
    clients: (clientId) => {
      if (clientId === 'other') throw new Error('no settings')
      return { sessionIdleTimeoutMs: 500 }
    },
  }
  await expect(provider.createOffline('r', id)).rejects.toThrow('no settings')
  settings = {}
  clock.advance(shorterMs)
  const isThere = Number((await provider.get('r', id)) !== undefined)
  expect((await provider.listByUser('r', 'alice')).items).toHaveLength(isThere)
  expect(await provider.count('r')).toBe(isThere)
})

test('in memory a realm that is only asked about leaves nothing', async () => {
  const registry = createProviderRegistry({
    factories: [memoryUserSessions()],
    config: { spi: { 'user-session': { sweepIntervalMs: 0 } } },
    clock: new FakeClock(),
  })
  await registry.start()
  onTestFinished(() => registry.close())
  const provider = registry.get(userSessionSpi)
  const set = vi.spyOn(Map.prototype, 'set')
  try {
    for (const offline of [false, true]) {
      await provider.get('asked', 'x', { offline })
      await provider.refresh('asked', 'x', { offline })
      await provider.listByUser('asked', 'alice', { offline })
      await provider.count('asked', { offline })
      await provider.clientStats('asked', { offline })
      await provider.removeByClient('asked', 'app', { offline })
    }
    await provider.remove('asked', 'x')
    await provider.removeByBrokerSession('asked', 'b')
    await provider.recompute('asked')
    expect(set.mock.calls.filter(([name]) => String(name).includes('asked'))).toEqual([])
  } finally {
    set.mockRestore()
  }
})

test('a step that throws has changed nothing', () => {
  const records = new MemoryRecords()
  const reads: StepReads = { realmId: 'r', id: 'x', offline: false, now: 0 }
  expect(() =>
    records.change(reads, () => {
      throw refused
    }),
  ).toThrow(refused)
  expect([...records.ids({ realmId: 'r', offline: false, kind: 'realm', name: '' }, 0)]).toEqual([])
})
