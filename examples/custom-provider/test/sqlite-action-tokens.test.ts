import { actionTokenSpi } from '@authstate/action-token'
import { actionTokenSuite } from '@authstate/action-token/conformance'
import { providerTarget, runSuite } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import Database from 'libsql'
import { afterAll, describe, expect, test } from 'vitest'
import { sqliteActionTokens } from '../src/sqlite-action-tokens.js'
import { sqliteTokens } from '../src/under-test.js'

runSuite(actionTokenSuite, providerTarget(sqliteTokens), { describe, test })

describe('a file of tokens', () => {
  const store = sqliteTokens.openStore()
  const token = { lifespanMs: 60_000, data: { n: 1 } }
  const open = async (more = {}) => {
    const registry = createProviderRegistry({
      factories: [sqliteActionTokens()],
      config: { 'action-token': { ...store.properties, ...more } },
    })
    await registry.start()
    return { registry, tokens: registry.get(actionTokenSpi) }
  }
  afterAll(() => store.close())

  test('outlives the process that wrote it', async () => {
    const first = await open()
    await first.tokens.put('realm', 'code', 'k', token)
    await first.tokens.consume('realm', 'code', 'k')
    await first.registry.close()
    const second = await open()
    expect((await second.tokens.consume('realm', 'code', 'k')).outcome).toBe('used')
    expect((await second.registry.health()).ok).toBe(true)
    await second.registry.close()
  })

  test('a name with a NUL is not cut: SQLite would', async () => {
    const { tokens, registry } = await open()
    await tokens.put('realm', 'code', 'nul\u0000a', { ...token, family: 'f\u0000a' })
    expect(await tokens.has('realm', 'code', 'nul')).toBe(false)
    expect(await tokens.has('realm', 'code', 'nul\u0000b')).toBe(false)
    expect((await tokens.get('realm', 'code', 'nul\u0000a'))?.family).toBe('f\u0000a')
    await registry.close()
  })

  test('a database that does not answer is ERR_STORE_UNAVAILABLE, and its text names no token', async () => {
    const { tokens, registry } = await open({ busyTimeoutMs: 20 })
    const holder = new Database(store.properties.file)
    holder.exec('BEGIN EXCLUSIVE')
    const refused = await tokens.put('realm', 'code', 'secret', token).catch((error) => error)
    expect(refused).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', applied: 'no' })
    expect(refused.message).toBe('action-token: SQLite failed (SQLITE_BUSY)')
    holder.exec('COMMIT')
    holder.close()
    expect(await tokens.put('realm', 'code', 'secret', token)).toBe('stored')
    await registry.close()
  })
})
