// Values of another JavaScript realm, as a test runner, a plugin in a vm or a brought client hands them over.
import { createContext, runInContext } from 'node:vm'
import { defineSpi, type RealmSettingsSource } from '@authstate/spi'
import { deriveKeyring, isError, isPlainObject } from '@authstate/spi/internal'
import { describe, expect, test } from 'vitest'
import { FakeClock } from '../../conformance/src/index.js'
import { createProviderRegistry, type ProviderCall } from '../src/index.js'
import { createRealmResolver } from '../src/realm-resolver.js'

const context = createContext({})
/** Evaluates code there. */
const foreign = <T>(code: string): T => runInContext(code, context) as T

test('there is another realm', () => {
  expect(foreign('({})') instanceof Object).toBe(false)
  expect(foreign('new Error("x")') instanceof Error).toBe(false)
})

test('an object of data is one wherever it was made, and an instance of a class is none', () => {
  for (const data of ['({})', 'Object.create(null)', 'JSON.parse("{}")'])
    expect(isPlainObject(foreign(data))).toBe(true)
  for (const other of ['[]', 'new Map()', 'new Date(0)', 'new (class A {})()', 'null', '() => 1']) {
    expect(isPlainObject(foreign(other))).toBe(false)
  }
})

test('an error is one wherever it was made, and what only looks like one is none', () => {
  for (const error of ['new Error("x")', 'new TypeError("x")', 'new (class A extends Error {})()'])
    expect(isError(foreign(error))).toBe(true)
  for (const other of ['({ name: "Error", message: "x" })', '"x"', 'undefined'])
    expect(isError(foreign(other))).toBe(false)
})

test('the bytes of a secret', () => {
  const keys = { a: foreign<Uint8Array>('new Uint8Array(32).fill(7)') }
  const own = deriveKeyring({ current: 'a', keys: { a: new Uint8Array(32).fill(7) } }, 'test')
  expect(deriveKeyring({ current: 'a', keys }, 'test').current.secret).toEqual(own.current.secret)
  const short = { a: foreign<Uint8Array>('new Uint8Array(31)') }
  expect(() => deriveKeyring({ current: 'a', keys: short }, 'test')).toThrow(/32 bytes/)
})

describe('settings of realms', () => {
  test('by an async function', async () => {
    const realm = createRealmResolver(
      foreign<RealmSettingsSource>('async () => ({ accessCodeLifespanMs: 7 })'),
    )
    expect(await realm('a')).toMatchObject({ accessCodeLifespanMs: 7, rememberMe: true })
  })

  test('the same object again is resolved once, and anew when it was changed', () => {
    const settings = foreign<{ accessCodeLifespanMs: number }>('({ accessCodeLifespanMs: 7 })')
    const realm = createRealmResolver(() => settings)
    expect(realm('a')).toBe(realm('a'))
    settings.accessCodeLifespanMs = 8
    expect(realm('a')).toMatchObject({ accessCodeLifespanMs: 8 })
  })
})

test('calls of a provider are told when its promises settle, and its errors by their kind', async () => {
  const spi = defineSpi<{ wait(): Promise<string>; fail(): Promise<never>; checkHealth(): Promise<void> }>(
    'odd',
  )
  const calls: ProviderCall[] = []
  const registry = createProviderRegistry({
    factories: [
      {
        spi,
        id: 'foreign',
        create: () =>
          foreign(`({
            wait: () => new Promise((resolve) => { globalThis.settle = resolve }),
            fail: async () => { throw new TypeError('"x" is wrong') },
            checkHealth: async () => { throw new Error('the disk is full') },
          })`),
      },
    ],
    clock: new FakeClock(),
    config: foreign('({ spi: { odd: {} } })'),
    instrument: (call) => void calls.push(call),
  })
  await registry.start()
  const waiting = registry.get(spi).wait()
  expect(calls).toEqual([])
  foreign("settle('done')")
  expect(await waiting).toBe('done')
  await expect(registry.get(spi).fail()).rejects.toMatchObject({ name: 'TypeError' })
  expect(calls.map(({ verb, outcome }) => [verb, outcome])).toEqual([
    ['wait', 'ok'],
    ['fail', 'TypeError'],
  ])
  expect((await registry.health()).providers).toMatchObject([{ ok: false, error: 'the disk is full' }])
  await registry.close()
})
