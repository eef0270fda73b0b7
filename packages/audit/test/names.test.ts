import { checkScripts } from '@authstate/conformance'
import { describe, expect, test } from 'vitest'
import { functionAudit, memoryAudit } from '../src/index.js'
import { redisAudit } from '../src/redis.js'
import * as scripts from '../src/scripts.js'
import { auditService } from '../src/service.js'
import { ending, keyring, linesOf, opened } from './support.js'

checkScripts('audit', scripts, new URL('../src/lua/', import.meta.url), { describe, test })

const ada = { kind: 'user', id: 'ada' } as const
const older = 'an older secret of these tests, 32 bytes or more'

test('a name stays when time goes by, and is another in another realm, of another kind, and for another id', async () => {
  const { audit } = await opened({ providers: [memoryAudit()], audit: {} })
  const again = await opened({ providers: [memoryAudit()], audit: {} })
  const name = audit.nameOf('acme', ada)
  expect(name).toMatch(/^a\.[\w-]{22}$/)
  expect(again.audit.nameOf('acme', ada)).toBe(name)
  const others = [
    audit.nameOf('other', ada),
    audit.nameOf('acme', { kind: 'network', id: 'ada' }),
    audit.nameOf('acme', { kind: 'user', id: 'bob' }),
    audit.nameOf('acme', { kind: 'token', id: ['ada'] }),
    audit.nameOf('acme', { kind: 'token', id: ['a', 'da'] }),
  ]
  expect(new Set([name, ...others]).size).toBe(6)
})

test('after a rotation of keys the lines from before are found', async () => {
  const rotated = { current: 'b', keys: { a: keyring.keys.a, b: older } }
  const before = await opened({ providers: [memoryAudit()], audit: {} })
  const after = await opened({ providers: [memoryAudit()], keyring: rotated, audit: {} })
  const names = after.audit.namesOf('acme', ada)
  expect(names).toHaveLength(2)
  expect(names[0]).toBe(after.audit.nameOf('acme', ada))
  expect(names[1]).toBe(before.audit.nameOf('acme', ada))
})

test('an audit may have a keyring of its own, which nothing shows', async () => {
  const own = { current: 'own', keys: { own: older } }
  const { audit, state } = await opened({ providers: [memoryAudit()], audit: { keyring: own } })
  expect(audit.nameOf('acme', ada)).toMatch(/^own\./)
  expect(JSON.stringify(state.describe())).not.toContain(older)
})

test('a function takes lines and cannot be read from this sink', async () => {
  const lines: unknown[] = []
  const { audit } = await opened({ providers: [functionAudit((more) => lines.push(...more))], audit: {} })
  await audit.act(ending, async () => {})
  expect(lines).toHaveLength(2)
  expect(audit.canRead).toBe(false)
  await expect(linesOf(audit)).rejects.toThrow(/cannot be read from this sink/)
  expect(() => functionAudit('x' as never)).toThrow(/"take"/)
})

test('a function that never answers has failed after a while', async () => {
  const { audit, state } = await opened({
    providers: [functionAudit(() => new Promise(() => {}))],
    audit: { timeoutMs: 20 },
  })
  expect(await audit.act(ending, async () => 'done')).toBe('done')
  expect(state.stats()['audit']).toMatchObject({ written: 0, waiting: 2 })
})

test('a misspelt property names the right one', async () => {
  for (const [factory, audit, said] of [
    [memoryAudit(), { maxLine: 3 }, "Did you mean 'maxLines'"],
    [functionAudit(() => {}), { timeout: 3 }, "Did you mean 'timeoutMs'"],
    [memoryAudit(), { provider: 'memry' }, "'memory'"],
  ] as const) {
    await expect(opened({ providers: [factory], audit })).rejects.toThrow(said)
  }
})

test('the service names its stores', async () => {
  const ids = await Promise.all(Object.values(auditService.stores).map(async (load) => (await load()).id))
  expect(ids).toEqual(Object.keys(auditService.stores))
  expect(redisAudit().id).toBe('redis')
})
