// What a browser sends, and what a store may hold that another version, or nobody of us, has written.
import { createHmac } from 'node:crypto'
import { RecordingLogger } from '@authstate/conformance'
import { deriveKeyring } from '@authstate/spi/internal'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLoginCookies } from '../src/index.js'
import { StoredRoots } from '../src/redis/stored-roots.js'

const keyring = { current: 'a', keys: { a: 'a secret of 32 bytes that nobody knows' } }
const cookies = createLoginCookies({ keyring })

describe('KC_RESTART', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.string({ maxLength: 9_000 }))

  test('of whatever is sent is nothing', () => {
    const header = fc.oneof(
      text,
      fc.tuple(text, text).map(([payload, signature]) => `KC_RESTART=${payload}.${signature}`),
    )
    fc.assert(
      fc.property(fc.oneof(header, fc.anything()), (said) => {
        expect(cookies.readRestart('acme', said as string)).toBeUndefined()
      }),
      { numRuns: 500 },
    )
  })

  test('of whatever was signed is data of the right kind or nothing', () => {
    const { secret } = deriveKeyring(keyring, 'restart cookie signature').current
    const said = fc.oneof(
      text,
      fc.json(),
      fc
        .record(
          { clientId: fc.jsonValue(), redirectUri: fc.jsonValue(), clientNotes: fc.jsonValue() },
          { requiredKeys: [] },
        )
        .map((value) => JSON.stringify(value)),
    )
    fc.assert(
      fc.property(said, (json) => {
        const payload = Buffer.from(json).toString('base64url')
        const signature = createHmac('sha512', secret)
          .update(JSON.stringify(['acme', payload]))
          .digest('base64url')
        const data = cookies.readRestart('acme', `KC_RESTART=${payload}.${signature}`)
        if (data !== undefined) expect(data.clientId).toBeTypeOf('string')
      }),
      { numRuns: 500 },
    )
  })
})

describe('a stored root', () => {
  const junk = fc.oneof(fc.string(), fc.json(), fc.constantFrom('', '1', 'NaN', '-1', '1e999', 'null', '[]'))
  const data = fc
    .record(
      {
        userId: fc.jsonValue(),
        clientScopes: fc.jsonValue(),
        executionStatus: fc.jsonValue(),
        authNotes: fc.jsonValue(),
        clientNotes: fc.oneof(fc.dictionary(fc.string(), fc.string()), fc.jsonValue()),
        surprise: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value))
  const head = fc.oneof(fc.constantFrom('1 1 0 app', '5 2 7 app'), junk)

  test('is whole, or absent and counted; a tab likewise', () => {
    const fields = fc.record(
      {
        _v: fc.oneof(fc.constant('1'), junk),
        c: fc.oneof(fc.constant('1'), junk),
        u: fc.oneof(fc.constant('1'), junk),
        x: fc.oneof(fc.constant('9000'), junk),
        't:a': head,
        'd:a': fc.oneof(data, junk),
        't:__proto__': head,
        other: junk,
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fields, (stored) => {
        const logger = new RecordingLogger()
        const root = new StoredRoots(logger).root({ realmId: 'acme', id: 'id' }, stored, 100)
        for (const tab of root?.tabs.values() ?? []) {
          expect(tab.clientId).toBeTypeOf('string')
          expect(['string', 'undefined']).toContain(typeof tab.userId)
          for (const name of [...tab.clientScopes, ...tab.requiredActions]) expect(name).toBeTypeOf('string')
          for (const notes of [tab.authNotes, tab.clientNotes, tab.userSessionNotes, tab.executionStatus])
            for (const note of Object.values(notes)) expect(note).toBeTypeOf('string')
        }
        const logged = logger.entries.length
        const tabs = Object.keys(stored).filter((name) => name.startsWith('t:')).length
        if (root !== undefined && root.tabs.size < tabs) expect(logged).toBe(1)
      }),
      { numRuns: 1_000 },
    )
  })
})
