import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock, providerTarget, RecordingLogger, runSuite } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import { userSessionSpi } from '@authstate/user-session'
import { userSessionSuite } from '@authstate/user-session/conformance'
import Database from 'libsql'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sqliteUserSessions } from '../src/sqlite-user-sessions.js'
import { sqliteSessions } from '../src/under-test.js'

runSuite(userSessionSuite, providerTarget(sqliteSessions), { describe, test })

test('a row that cannot be read is absent, and goes with its user or when it is over', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'unreadable-'))
  const file = join(folder, 'state.db')
  const [clock, logger] = [new FakeClock(), new RecordingLogger()]
  const registry = createProviderRegistry({
    factories: [sqliteUserSessions()],
    config: { spi: { 'user-session': { provider: 'sqlite', sqlite: { file, sweepIntervalMs: 0 } } } },
    clock,
    logger,
  })
  await registry.start()
  const database = new Database(file)
  onTestFinished(async () => {
    await registry.close()
    database.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const provider = registry.get(userSessionSpi)
  const login = { loginUsername: 'x' }
  const created = await provider.create('r', { ...login, userId: 'alice' })
  const damaged = created.outcome === 'created' ? created.session.id : ''
  await provider.create('r', { ...login, userId: 'alice' })
  await provider.create('r', { ...login, userId: 'bob' })
  database.exec(`UPDATE sessions SET record = '{' WHERE name LIKE '%${damaged}%'`)
  database.exec("UPDATE sessions SET record = '{' WHERE record LIKE '%bob%'")
  expect(await provider.get('r', damaged)).toBeUndefined()
  expect((await provider.list('r')).items).toHaveLength(1)
  expect(logger.entries).toHaveLength(1)
  clock.advance(1)
  expect(await provider.removeByUser('r', 'alice')).toBe(1)
  expect(database.prepare('SELECT name FROM sessions').all()).toHaveLength(1)
  clock.advance(365 * 86_400_000)
  expect(await provider.sweep()).toBe(0)
  expect(database.prepare('SELECT name FROM sessions').all()).toEqual([])
})
