// Cookies come from whoever likes to send some.
import { createProviderRegistry } from '@authstate/registry'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  memoryStickySessions,
  type StickySessionEncoderProvider,
  stickySessionEncoderSpi,
} from '../src/index.js'

const registry = createProviderRegistry({
  factories: [memoryStickySessions()],
  node: { name: 'n1' },
  keyring: { current: 'a', keys: { a: 'a secret of 32 bytes that nobody knows' } },
})
let sticky: StickySessionEncoderProvider
beforeAll(async () => {
  await registry.start()
  sticky = registry.get(stickySessionEncoderSpi)
})
afterAll(() => registry.close())

const id = fc.stringMatching(/^[\w-]{1,40}$/)
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('.', ';', '=', '"', '%', 'A', '\u0000', '💥', ' '), maxLength: 60 }),
  fc.base64String().map((said) => `${said}.n1`),
  fc.string({ minLength: 4_000, maxLength: 9_000 }),
)

describe('whatever a browser sends', () => {
  test('decode answers an id that is not empty, or nothing', () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.anything()), (value) => {
        const session = sticky.decode(value)
        if (session !== undefined) expect(session.id).not.toBe('')
      }),
      { numRuns: 500 },
    )
  })

  test('nobody forges a signature', () => {
    const header = fc.oneof(
      text,
      text.map((value) => `AUTH_SESSION_ID=${value}`),
      fc.array(text).map((values) => values.map((value) => `AUTH_SESSION_ID=${value}`).join('; ')),
    )
    fc.assert(
      fc.property(fc.oneof(text, fc.anything()), header, (value, cookies) => {
        expect(sticky.verify(value)).toBeUndefined()
        expect(sticky.readCookie(cookies)).toBeUndefined()
      }),
      { numRuns: 500 },
    )
  })

  test('a signed value that was changed anywhere is none', () => {
    fc.assert(
      fc.property(id, fc.nat(), fc.base64String({ minLength: 1, maxLength: 4 }), (name, at, change) => {
        const [signed = ''] = sticky.sign(name).split('.')
        const cut = at % signed.length
        const changed = signed.slice(0, cut) + change + signed.slice(cut + change.length)
        // Unused bits at the end of base64 may differ: then it says the same.
        const same = Buffer.from(changed, 'base64url').equals(Buffer.from(signed, 'base64url'))
        if (!same) expect(sticky.verify(changed)).toBeUndefined()
        expect(sticky.verify(signed)).toEqual({ id: name })
      }),
    )
  })

  test('a good cookie is found among others', () => {
    fc.assert(
      fc.property(id, fc.array(fc.stringMatching(/^[a-z]{1,9}=[ -:<-~]{0,20}$/)), (name, others) => {
        const [cookie = ''] = sticky.cookie(name).split(';')
        expect(sticky.readCookie([...others, cookie].join('; '))).toMatchObject({ id: name })
      }),
    )
  })
})
