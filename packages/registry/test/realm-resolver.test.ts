import type { Realm, RealmSettings } from '@authstate/spi'
import { describe, expect, test } from 'vitest'
import { createRealmResolver } from '../src/realm-resolver.js'

type Changeable = { -readonly [K in keyof RealmSettings]: RealmSettings[K] }

describe('realms through a source', () => {
  test('the same settings give the same realm, other settings another', () => {
    const settings: Record<string, RealmSettings> = { a: { notBefore: 1 }, b: { notBefore: 1 } }
    const realm = createRealmResolver((realmId) => settings[realmId])
    expect(realm('a')).toBe(realm('a'))
    expect(realm('b')).not.toBe(realm('a'))
    expect(Object.isFrozen(realm('a'))).toBe(true)
  })

  test.each<[string, (settings: Changeable) => void, object]>([
    ['changed', (settings) => Object.assign(settings, { notBefore: 2 }), { notBefore: 2 }],
    [
      'added',
      (settings) => Object.assign(settings, { accessCodeLifespanMs: 7 }),
      { accessCodeLifespanMs: 7 },
    ],
    ['taken away', (settings) => void delete settings.notBefore, { notBefore: 0 }],
    ['set to nothing', (settings) => Object.assign(settings, { notBefore: undefined }), { notBefore: 0 }],
    ['put in the place of another', replaceNotBefore, { notBefore: 0, ssoSessionMaxLifespanMs: 5 }],
  ])('a setting that was %s in place counts from the next call on', (_, change, expected) => {
    const settings: Changeable = { notBefore: 1, rememberMe: false }
    const realm = createRealmResolver(() => settings)
    expect(realm('a')).toMatchObject({ notBefore: 1, rememberMe: false })
    change(settings)
    expect(realm('a')).toMatchObject({ rememberMe: false, ...expected })
  })

  test('what settings inherit is looked at every time', () => {
    const shared: Changeable = { notBefore: 1 }
    const settings = Object.create(shared) as RealmSettings
    const realm = createRealmResolver(() => settings)
    expect(realm('a')).toMatchObject({ notBefore: 1 })
    shared.notBefore = 2
    expect(realm('a')).toMatchObject({ notBefore: 2 })
  })

  test('clients are asked every time', () => {
    let sessionIdleTimeoutMs = 1
    const settings: RealmSettings = { clients: () => ({ sessionIdleTimeoutMs }) }
    const realm = createRealmResolver(() => settings)
    const client = () => (realm('a') as { client(id: string): object }).client('web')
    expect(client()).toEqual({ sessionIdleTimeoutMs: 1 })
    sessionIdleTimeoutMs = 2
    expect(client()).toEqual({ sessionIdleTimeoutMs: 2 })
  })

  test('a source that takes its time', async () => {
    const settings: RealmSettings = { notBefore: 3 }
    const realm = createRealmResolver(async () => settings)
    expect(await realm('a')).toMatchObject({ notBefore: 3 })
    expect(await realm('a')).toBe(await realm('b'))
  })

  test('none, or one that knows nothing: the defaults', () => {
    expect(createRealmResolver(undefined)('a')).toMatchObject({ ssoSessionIdleTimeoutMs: 1_800_000 })
    expect(createRealmResolver(() => undefined)('a')).toMatchObject({ ssoSessionIdleTimeoutMs: 1_800_000 })
  })

  test('a setting of the wrong type is a TypeError, each time', () => {
    const settings = { notBefore: Number.NaN }
    const realm = createRealmResolver(() => settings)
    for (let call = 0; call < 2; call++)
      expect(() => realm('a')).toThrow('"realms(realmId).notBefore" must be a number of milliseconds')
  })
})

describe('what a realm says is checked when it is read first', () => {
  const read = (settings: unknown, checks = {}) =>
    createRealmResolver(() => settings as RealmSettings, checks)('a')

  test.each([
    [{ bruteforce: {} }, /^"realms\(realmId\)" has no property 'bruteforce'\. .*Did you mean 'bruteForce'\?/],
    [
      { ssoSessionIdleTimeout: 1 },
      /no property 'ssoSessionIdleTimeout'.*Did you mean 'ssoSessionIdleTimeoutMs'\?/,
    ],
    [{ notbefore: 1 }, /no property 'notbefore'.*Did you mean 'notBefore'\?/],
    [{ rememberMe: 'false' }, /^"realms\(realmId\)\.rememberMe" must be true or false/],
    [
      { offlineSessionMaxLifespanEnabled: 1 },
      /^"realms\(realmId\)\.offlineSessionMaxLifespanEnabled" must be true or/,
    ],
    [{ clients: {} }, /^"realms\(realmId\)\.clients" must be a function/],
    ['acme', /^"realms\(realmId\)" must be an object/],
    [[], /^"realms\(realmId\)" must be an object/],
  ])('%j', (settings, message) => {
    expect(() => read(settings)).toThrow(TypeError)
    expect(() => read(settings)).toThrow(message)
  })

  test('also where the source takes its time, and where settings are inherited', async () => {
    const realm = createRealmResolver(async () => ({ bruteforce: {} }) as RealmSettings)
    await expect(realm('a')).rejects.toThrow(/Did you mean 'bruteForce'\?/)
    expect(() => read(Object.create({ bruteforce: {} }))).toThrow(/Did you mean 'bruteForce'\?/)
  })

  test('a setting that was misspelt in place', () => {
    const settings: Changeable = { notBefore: 1 }
    const realm = createRealmResolver(() => settings)
    void realm('a')
    Object.assign(settings, { notbefore: 2 })
    expect(() => realm('a')).toThrow(/Did you mean 'notBefore'\?/)
  })

  test('what a client overrides, where it is asked for', () => {
    const client = (settings: unknown) =>
      createRealmResolver(() => ({ clients: () => settings as object }))('a') as Realm
    expect(() => client({ sessionIdleTimeout: 1 }).client('web')).toThrow(
      /^"realms\(realmId\)\.clients\(clientId\)" has no property .*Did you mean 'sessionIdleTimeoutMs'\?/,
    )
    expect(() => client(Promise.resolve({})).client('web')).toThrow(/must return a value, got a promise/)
  })

  test('settings that an SPI reads are known, and checked as it says', () => {
    const checks = {
      acme: (value: unknown, place: string) => {
        if (value !== 'right') throw new RangeError(`"${place}" must be right`)
      },
    }
    expect(read({ acme: 'right' }, checks)).toMatchObject({ settings: { acme: 'right' } })
    expect(() => read({ acme: 'wrong' }, checks)).toThrow(
      new RangeError('"realms(realmId).acme" must be right'),
    )
    expect(() => read({ acne: 'right' }, checks)).toThrow(/Did you mean 'acme'\?/)
    expect(() => read({ acme: 'right' })).toThrow(/has no property 'acme'/)
  })
})

function replaceNotBefore(settings: Changeable): void {
  delete settings.notBefore
  settings.ssoSessionMaxLifespanMs = 5
}
