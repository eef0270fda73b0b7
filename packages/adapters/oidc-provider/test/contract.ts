// What an adapter of oidc-provider must do, in our own words: from the documentation of its interface, and from what its users lost.

import { together } from '@authstate/conformance'
import { expect, test } from 'vitest'
import {
  type Adapter,
  type AdapterOptions,
  type AdapterState,
  createAdapter,
  OAuthError,
} from '../src/index.js'
import { FakeProvider } from './support.js'

export const ROUNDS = 20
const HOUR = 3_600
const EVERY_MODEL = [
  'AccessToken',
  'AuthorizationCode',
  'BackchannelAuthenticationRequest',
  'ClientCredentials',
  'DeviceCode',
  'Grant',
  'InitialAccessToken',
  'Interaction',
  'PreAuthorizedCode',
  'PushedAuthorizationRequest',
  'RefreshToken',
  'RegistrationAccessToken',
]
/** Models that are redeemed, and what a client is told that comes second. */
const CONSUMABLE = [
  ['AuthorizationCode', 'invalid_grant'],
  ['RefreshToken', 'invalid_grant'],
  ['DeviceCode', 'invalid_grant'],
  ['BackchannelAuthenticationRequest', 'invalid_grant'],
  ['PreAuthorizedCode', 'invalid_grant'],
  ['PushedAuthorizationRequest', 'invalid_request_uri'],
] as const
const GRANTABLE = [
  'AccessToken',
  'AuthorizationCode',
  'BackchannelAuthenticationRequest',
  'DeviceCode',
  'PreAuthorizedCode',
  'RefreshToken',
]

export const open = (state: AdapterState, options: AdapterOptions = {}) =>
  createAdapter(state, { Provider: new FakeProvider(), ...options })

export const session = (jti: string, uid: string, accountId?: string) => ({
  jti,
  uid,
  kind: 'Session',
  iat: 1,
  exp: 2,
  ...(accountId !== undefined && { accountId }),
})

/** @param node A node each time, all over the same models within one test. */
export function describeAdapter(node: () => Promise<AdapterState>): void {
  test('what is stored of any model is found until it is destroyed', async () => {
    const [here, there] = [open(await node()), open(await node())]
    for (const model of EVERY_MODEL) {
      const [adapter, elsewhere] = [here(model), there(model)]
      const payload = { jti: 'id', kind: model, exp: 4_000_000_000, list: [1, null, { a: 'ü' }] }
      expect(await adapter.find('id')).toBeUndefined()
      await adapter.upsert('id', { ...payload, none: undefined }, HOUR)
      expect(await elsewhere.find('id')).toEqual(payload)
      await elsewhere.upsert('id', { ...payload, list: [] }, HOUR)
      expect(await adapter.find('id')).toEqual({ ...payload, list: [] })
      await adapter.destroy('id')
      await adapter.destroy('id')
      expect([model, await elsewhere.find('id')]).toEqual([model, undefined])
    }
  })

  test('an id may be anything that a client sends', async () => {
    const adapter = open(await node())
    const payload = session('jti', 'uid')
    for (const id of ['', 'x'.repeat(100_000), 'ключ:{a}*\u0000💥', '__proto__']) {
      for (const model of ['AccessToken', 'Session', 'ReplayDetection']) {
        expect(await adapter(model).find(id)).toBeUndefined()
        await adapter(model).upsert(id, payload, HOUR)
        expect(await adapter(model).find(id)).toEqual(payload)
        await adapter(model).destroy(id)
      }
      await expect(adapter('AuthorizationCode').consume(id)).rejects.toThrow(OAuthError)
      expect(await adapter('Client').find(id)).toBeUndefined()
      expect(await adapter('DeviceCode').findByUserCode(id)).toBeUndefined()
      expect(await adapter('Session').findByUid(id)).toBeUndefined()
    }
  })

  test('what is too large is refused by its limit, and nothing is stored', async () => {
    const adapter = open(await node())
    const payload = { ...session('id', 'uid'), big: 'x'.repeat(300_000) }
    for (const model of ['AccessToken', 'Session']) {
      await expect(adapter(model).upsert('id', payload, HOUR)).rejects.toThrow(
        /at most \d+ bytes|maxDataBytes/,
      )
      expect(await adapter(model).find('id')).toBeUndefined()
    }
  })

  test('what was consumed says so, in the words of its payload where it has its own', async () => {
    const adapter = open(await node())('AuthorizationCode')
    await adapter.upsert('id', { jti: 'id' }, HOUR)
    await adapter.consume('id')
    expect(await adapter.find('id')).toEqual({ jti: 'id', consumed: expect.any(Number) })
    await adapter.upsert('again', { jti: 'again', consumed: true }, HOUR)
    await adapter.consume('again')
    expect(await adapter.find('again')).toEqual({ jti: 'again', consumed: true })
    await adapter.upsert('id', { jti: 'id' }, HOUR)
    expect(await adapter.find('id'), 'it stays consumed').toHaveProperty('consumed')
  })

  test('of several requests at once one redeems a token, on whatever nodes', async () => {
    const nodes = [open(await node()), open(await node())] as const
    for (const [model, error] of CONSUMABLE) {
      for (let round = 0; round < ROUNDS; round++) {
        await nodes[0](model).upsert(`id-${round}`, { jti: 'id' }, HOUR)
        const redeemed = await together(4, (n) =>
          (n % 2 === 0 ? nodes[0] : nodes[1])(model)
            .consume(`id-${round}`)
            .then(
              () => 'redeemed',
              (refusal: OAuthError) => refusal.error,
            ),
        )
        expect([model, ...redeemed.sort()]).toEqual([model, error, error, error, 'redeemed'])
      }
      const refused = nodes[0](model).consume('unknown')
      await expect(refused).rejects.toMatchObject({ error, statusCode: 400, expose: true })
    }
  })

  test('what is redeemed twice takes its grant along, and every token of it', async () => {
    const adapter = open(await node())
    await adapter('Grant').upsert('g', { jti: 'g', accountId: 'a' }, HOUR)
    await adapter('RefreshToken').upsert('rt', { jti: 'rt', grantId: 'g' }, HOUR)
    await adapter('AccessToken').upsert('at', { jti: 'at', grantId: 'g' }, HOUR)
    await adapter('AccessToken').upsert('other', { jti: 'other', grantId: 'h' }, HOUR)
    await adapter('RefreshToken').consume('rt')
    await expect(adapter('RefreshToken').consume('rt')).rejects.toThrow('invalid_grant')
    expect(await adapter('RefreshToken').find('rt')).toBeUndefined()
    expect(await adapter('AccessToken').find('at')).toBeUndefined()
    expect(await adapter('Grant').find('g')).toBeUndefined()
    expect(await adapter('AccessToken').find('other')).toBeDefined()
  })

  test('revokeByGrantId forgets tokens of every model, consumed ones too; the grant goes on', async () => {
    const adapter = open(await node())
    await adapter('Grant').upsert('g', { jti: 'g' }, HOUR)
    for (const model of GRANTABLE) await adapter(model).upsert('id', { jti: 'id', grantId: 'g' }, HOUR)
    await adapter('DeviceCode').consume('id')
    await Promise.all(GRANTABLE.map((model) => adapter(model).revokeByGrantId('g')))
    for (const model of GRANTABLE)
      expect([model, await adapter(model).find('id')]).toEqual([model, undefined])
    expect(await adapter('Grant').find('g')).toBeDefined()
    for (const model of GRANTABLE) {
      await adapter(model).upsert('id', { jti: 'id', grantId: 'g' }, HOUR)
      expect([model, await adapter(model).find('id')]).toEqual([model, expect.anything()])
    }
    await adapter('AccessToken').revokeByGrantId('unknown')
  })

  test('a grant that was destroyed is not made again by whoever still had it', async () => {
    const adapter = open(await node())
    await adapter('Grant').upsert('g', { jti: 'g' }, HOUR)
    await adapter('Grant').destroy('g')
    await adapter('Grant').upsert('g', { jti: 'g' }, HOUR)
    expect(await adapter('Grant').find('g')).toBeUndefined()
  })

  test('a device code is found by its user code, as it is now', async () => {
    const adapter = open(await node())('DeviceCode')
    const payload = { jti: 'dc', userCode: 'BDWP-HQPK' }
    await adapter.upsert('dc', payload, HOUR)
    expect(await adapter.findByUserCode('BDWP-HQPK')).toEqual(payload)
    await adapter.upsert('dc', { ...payload, accountId: 'a' }, HOUR)
    expect(await adapter.findByUserCode('BDWP-HQPK')).toMatchObject({ accountId: 'a' })
    await adapter.consume('dc')
    expect(await adapter.findByUserCode('BDWP-HQPK')).toHaveProperty('consumed')
    await adapter.destroy('dc')
    expect(await adapter.findByUserCode('BDWP-HQPK')).toBeUndefined()
    expect(await adapter.findByUserCode('other')).toBeUndefined()
  })

  test('a session is found by its uid, under whatever id it has now', async () => {
    const adapter = open(await node())('Session')
    await adapter.upsert('first', session('first', 'uid'), HOUR)
    expect(await adapter.findByUid('uid')).toMatchObject({ jti: 'first' })
    await adapter.destroy('first')
    await adapter.upsert('second', session('second', 'uid', 'a'), HOUR)
    expect(await adapter.findByUid('uid')).toEqual(session('second', 'uid', 'a'))
    await adapter.destroy('second')
    expect(await adapter.findByUid('uid')).toBeUndefined()
  })

  test(`a proof is accepted once: 0 of ${ROUNDS} replays`, async () => {
    const nodes = [open(await node())('ReplayDetection'), open(await node())('ReplayDetection')] as const
    for (let round = 0; round < ROUNDS; round++) {
      const used = await together(2, (n) =>
        (nodes[n] as Adapter).upsert(`jti-${round}`, { jti: 'jti' }, 60).then(
          () => 'accepted',
          (refusal: OAuthError) => refusal.error,
        ),
      )
      expect(used.sort()).toEqual(['accepted', 'invalid_request'])
    }
    // What has ended is remembered for as long as a clock may be off.
    await nodes[0].upsert('ended', { jti: 'ended' }, -1)
    await expect(nodes[1].upsert('ended', { jti: 'ended' }, -1)).rejects.toThrow('invalid_request')
    await expect(nodes[1].upsert('long', { jti: 'long' }, 4_000_000_000)).rejects.toMatchObject({
      error_description: expect.stringMatching(/longer/),
    })
  })

  test(`a session that was ended stays ended: 0 of ${ROUNDS} slow saves`, async () => {
    const refused: string[] = []
    const adapter = open(await node(), { onRefused: ({ uid }) => refused.push(uid) })('Session')
    const elsewhere = open(await node())('Session')
    for (let round = 0; round < ROUNDS; round++) {
      await adapter.upsert(`id-${round}`, session(`id-${round}`, `uid-${round}`, 'a'), HOUR)
      const slow = await adapter.find(`id-${round}`)
      await elsewhere.destroy(`id-${round}`)
      await adapter.upsert(`id-${round}`, slow ?? {}, HOUR)
      expect(await adapter.find(`id-${round}`)).toBeUndefined()
      expect(await adapter.findByUid(`uid-${round}`)).toBeUndefined()
    }
    expect(refused).toHaveLength(ROUNDS)
  })

  test(`a slow save does not turn a session back to the id it had: 0 of ${ROUNDS}`, async () => {
    const adapter = open(await node())('Session')
    const elsewhere = open(await node())('Session')
    for (let round = 0; round < ROUNDS; round++) {
      const [before, now, uid] = [`before-${round}`, `now-${round}`, `uid-${round}`]
      await adapter.upsert(before, session(before, uid), HOUR)
      const slow = await adapter.find(before)
      await elsewhere.destroy(before)
      await elsewhere.upsert(now, session(now, uid, 'a'), HOUR)
      await adapter.upsert(before, slow ?? {}, HOUR)
      expect(await adapter.findByUid(uid)).toMatchObject({ jti: now, accountId: 'a' })
      expect(await adapter.find(before)).toBeUndefined()
    }
  })

  test('the sessions of a user can be listed and ended, also all but one', async () => {
    const adapter = open(await node())
    const sessions = adapter('Session')
    for (const n of [1, 2, 3, 4]) {
      const payload = { ...session(`id-${n}`, `uid-${n}`, 'ada'), loginTs: n, authorizations: { shop: {} } }
      await sessions.upsert(`id-${n}`, payload, HOUR)
    }
    await sessions.upsert('bob', session('bob', 'uid-bob', 'bob'), HOUR)
    await sessions.upsert('nobody', session('nobody', 'uid-nobody'), HOUR)
    const uids = async () => (await adapter.sessionsOf('ada')).map(({ uid }) => uid).sort()
    expect(await uids()).toEqual(['uid-1', 'uid-2', 'uid-3', 'uid-4'])
    const first = (await adapter.sessionsOf('ada')).find(({ uid }) => uid === 'uid-1')
    expect(first).toMatchObject({ clientIds: ['shop'], signedInAt: 1_000 })
    expect((first?.expiresAt ?? 0) - (first?.savedAt ?? 0)).toBe(HOUR * 1_000)
    expect(JSON.stringify(first), 'what the browser holds is not told').not.toContain('"id-1"')
    expect(await adapter.endSession('uid-1')).toBe(true)
    expect(await adapter.endSession('uid-1')).toBe(false)
    expect(await uids()).toEqual(['uid-2', 'uid-3', 'uid-4'])
    expect(await adapter.endSessions('ada', { except: 'uid-3' })).toBe(2)
    expect(await uids()).toEqual(['uid-3'])
    expect(await sessions.findByUid('uid-2')).toBeUndefined()
    expect(await adapter.endSessions('ada', { except: 'unknown' })).toBe(1)
    expect(await adapter.sessionsOf('ada')).toEqual([])
    expect(await adapter.sessionsOf('bob')).toHaveLength(1)
    expect(await sessions.find('nobody')).toBeDefined()
  })

  test('what a user allowed clients can be listed and revoked', async () => {
    const adapter = open(await node())
    const grant = { jti: 'g', clientId: 'shop', accountId: 'ada', iat: 7, openid: { scope: 'openid email' } }
    await adapter('Grant').upsert('g', { ...grant, resources: { 'urn:api': 'read' } }, HOUR)
    await adapter('Grant').upsert('h', { ...grant, jti: 'h', clientId: 'bank', openid: undefined }, HOUR)
    await adapter('Grant').upsert('i', { ...grant, jti: 'i', accountId: 'bob' }, HOUR)
    await adapter('AccessToken').upsert('at', { jti: 'at', accountId: 'ada', grantId: 'g' }, HOUR)
    const grants = (await adapter.grantsOf('ada')).sort((a, b) => (a.grantId < b.grantId ? -1 : 1))
    expect(grants).toEqual([
      {
        grantId: 'g',
        clientId: 'shop',
        scopes: ['openid', 'email', 'read'],
        createdAt: 7_000,
        expiresAt: expect.any(Number),
      },
      { grantId: 'h', clientId: 'bank', scopes: [], createdAt: 7_000, expiresAt: expect.any(Number) },
    ])
    await adapter.revokeGrant('g')
    await adapter.revokeGrant('g')
    expect(await adapter('AccessToken').find('at')).toBeUndefined()
    expect((await adapter.grantsOf('ada')).map(({ grantId }) => grantId)).toEqual(['h'])
  })
}
