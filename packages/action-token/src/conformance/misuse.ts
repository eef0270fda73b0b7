import assert from 'node:assert/strict'
import { runInNewContext } from 'node:vm'
import type { SuiteBuilder } from '@authstate/conformance'
import type { ActionTokenProvider, TokenData } from '../contract.js'
import { LIFESPAN_MS, token } from './fixture.js'

/** Wrong arguments and use after close. */
export function misuse(add: SuiteBuilder<ActionTokenProvider>): void {
  const rejects = async (
    call: () => Promise<unknown>,
    type: typeof TypeError | typeof RangeError,
    names: string,
  ) => {
    await assert.rejects(call, (error: Error) => {
      assert.ok(error instanceof type, `${error.name} for ${names}: ${error.message}`)
      assert.match(error.message, new RegExp(`"${names}`))
      return true
    })
  }

  add.basic(
    'arguments: wrong ones are refused by name, and nothing is written',
    'issue: bad input',
    async ({ provider }) => {
      const lone = 'a\ud800'
      for (const bad of ['', 1, null, undefined, {}, lone, 'x'.repeat(513), '🔑'.repeat(129)] as string[]) {
        await rejects(() => provider.put(bad, 'code', 'k', token), TypeError, 'realmId')
        await rejects(() => provider.put('realm', bad, 'k', token), TypeError, 'kind')
        await rejects(() => provider.put('realm', 'code', bad, token), TypeError, 'key')
        await rejects(() => provider.get('realm', 'code', bad), TypeError, 'key')
        await rejects(() => provider.has('realm', 'code', bad), TypeError, 'key')
        await rejects(() => provider.consume('realm', 'code', bad), TypeError, 'key')
        await rejects(() => provider.remove('realm', 'code', bad), TypeError, 'key')
        await rejects(() => provider.take('realm', bad, 'k'), TypeError, 'kind')
        await rejects(() => provider.take('realm', 'code', bad), TypeError, 'key')
        await rejects(() => provider.countUse(bad, 'otp', 'k', { windowMs: 1 }), TypeError, 'realmId')
        await rejects(() => provider.countUse('realm', 'otp', bad, { windowMs: 1 }), TypeError, 'key')
        await rejects(() => provider.listBySubject(bad, 's'), TypeError, 'realmId')
        await rejects(() => provider.listBySubject('realm', bad), TypeError, 'subject')
        await rejects(() => provider.replace('realm', 'code', bad, {}), TypeError, 'key')
        await rejects(() => provider.revokeFamily('realm', bad), TypeError, 'family')
        await rejects(() => provider.removeBySubject('realm', bad), TypeError, 'subject')
        await rejects(() => provider.removeByRealm(bad), TypeError, 'realmId')
        await rejects(() => provider.revoke('realm', bad, 1), TypeError, 'tokenId')
        await rejects(() => provider.isRevoked('realm', bad), TypeError, 'tokenId')
        if (bad === undefined) continue
        await rejects(
          () => provider.put('realm', 'code', 'k', { ...token, family: bad }),
          TypeError,
          'family',
        )
        await rejects(
          () => provider.put('realm', 'code', 'k', { ...token, subject: bad }),
          TypeError,
          'subject',
        )
        await rejects(() => provider.consume('realm', 'code', 'k', { attempt: bad }), TypeError, 'attempt')
      }
      await rejects(() => provider.consume('realm', 'code', 'k', { successor: 'x' }), TypeError, 'successor')
      await rejects(
        () => provider.consume('realm', 'code', 'k', { attempt: 'a', graceMs: 0 }),
        RangeError,
        'graceMs',
      )
      await rejects(() => provider.put('realm', 'code', 'k', undefined as never), TypeError, 'token')
      for (const bad of ['60000', Number.NaN, undefined, null] as unknown as number[]) {
        await rejects(() => provider.put('realm', 'code', 'k', { lifespanMs: bad }), TypeError, 'lifespanMs')
      }
      for (const bad of [0, -1, Number.POSITIVE_INFINITY, 1.5]) {
        await rejects(() => provider.put('realm', 'code', 'k', { lifespanMs: bad }), RangeError, 'lifespanMs')
        await rejects(() => provider.revoke('realm', 'k', bad), RangeError, 'lifespanMs')
        await rejects(
          () => provider.revokeFamily('realm', 'f', { lifespanMs: bad }),
          RangeError,
          'lifespanMs',
        )
      }
      const revoke = (options: object) => () => provider.revokeFamily('realm', 'f', options)
      await rejects(revoke({ refuse: 0 }), TypeError, 'refuse')
      await rejects(revoke({ refuse: false, lifespanMs: 1 }), TypeError, 'refuse')
      await rejects(revoke({ consumed: true }), TypeError, 'consumed')
      await rejects(revoke(null as never), TypeError, 'revocation')
      const listen = provider.on.bind(provider) as (event: unknown, listener: unknown) => unknown
      assert.throws(() => listen('put', () => {}), { name: 'TypeError', message: /"event".*'consumed'/ })
      assert.throws(() => listen('consumed', 'x'), { name: 'TypeError', message: /"listener"/ })
      for (const bad of [-1, Number.POSITIVE_INFINITY, 1.5, Number.MAX_SAFE_INTEGER]) {
        const end = { expiresAt: bad }
        await rejects(() => provider.put('realm', 'code', 'k', end), RangeError, 'expiresAt')
        await rejects(() => provider.revoke('realm', 'k', end), RangeError, 'expiresAt')
        await rejects(() => provider.revokeFamily('realm', 'f', end), RangeError, 'expiresAt')
      }
      for (const bad of [{ ...token, expiresAt: 1 }, {}, null, undefined, '1', []] as never[]) {
        await rejects(() => provider.revoke('realm', 'k', bad), TypeError, 'lifespanMs')
      }
      await rejects(() => provider.revoke('realm', 'k', Number.MAX_SAFE_INTEGER), RangeError, 'lifespanMs')
      assert.equal(await provider.isRevoked('realm', 'k'), false)
      assert.equal(await provider.put('realm', 'code', 'k2', { ...token, family: 'f' }), 'stored')
      assert.equal(await provider.remove('realm', 'code', 'k2'), true)
      assert.equal(await provider.get('realm', 'code', 'k'), undefined)
      assert.equal(await provider.removeByRealm('realm'), 0)
    },
  )

  add.basic(
    'data: what JSON cannot hold is refused, and nothing is written',
    'issue: bad input',
    async ({ provider }) => {
      const cycle: Record<string, unknown> = {}
      cycle['self'] = cycle
      const bad = [
        [],
        'text',
        null,
        { f: () => 1 },
        { u: undefined },
        { n: Number.NaN },
        { i: Number.POSITIVE_INFINITY },
        { b: 1n },
        { d: new Date(0) },
        { m: new Map() },
        { t: 'a\udc00' },
        { 'n\ud800': 1 },
        cycle,
        JSON.parse('{"__proto__": 1}'),
      ]
      for (const data of bad) {
        await rejects(
          () => provider.put('realm', 'code', 'k', { ...token, data: data as never }),
          TypeError,
          'data',
        )
      }
      await rejects(
        () => provider.put('realm', 'code', 'k', { ...token, data: { big: 'x'.repeat(1_000_000) } }),
        RangeError,
        'data',
      )
      assert.equal(await provider.get('realm', 'code', 'k'), undefined)
      await provider.put('realm', 'code', 'k', { ...token, data: { n: 1 } })
      await rejects(
        () => provider.replace('realm', 'code', 'k', { big: 'x'.repeat(1_000_000) }),
        RangeError,
        'data',
      )
      assert.deepEqual((await provider.get('realm', 'code', 'k'))?.data, { n: 1 })
    },
  )

  add.basic(
    'data: from another JavaScript realm is data like any other',
    'issue: bad input',
    async ({ provider }) => {
      const text = '{"list":[1,{"deep":null}],"object":{"text":"x"},"empty":{}}'
      const foreign = (code: string): never => runInNewContext(code) as never
      const data: TokenData = foreign(`(${text})`)
      assert.equal(await provider.put('realm', 'code', 'k', { ...token, data }), 'stored')
      assert.deepEqual((await provider.get('realm', 'code', 'k'))?.data, JSON.parse(text))
      assert.equal(await provider.replace('realm', 'code', 'k', foreign('({ n: [1] })')), true)
      assert.deepEqual((await provider.get('realm', 'code', 'k'))?.data, { n: [1] })
      const whole = foreign(`({ lifespanMs: ${LIFESPAN_MS}, data: ${text}, family: 'f', subject: 's' })`)
      assert.equal(await provider.put('realm', 'code', 'k2', whole), 'stored')
      const options = foreign(`({ attempt: 'a' })`)
      assert.equal((await provider.consume('realm', 'code', 'k2', options)).outcome, 'consumed')
      for (const bad of [
        'new Map()',
        'new Date(0)',
        'new (class Odd {})()',
        '() => 1',
        '/x/',
        '[[new Set()]]',
      ]) {
        const holds = { holds: foreign(bad) }
        await rejects(() => provider.put('realm', 'code', 'k3', { ...token, data: holds }), TypeError, 'data')
      }
      assert.equal(await provider.has('realm', 'code', 'k3'), false)
    },
  )

  add.basic(
    'close: later calls fail with ERR_PROVIDER_CLOSED, and closing again does nothing',
    'contract',
    async ({ provider }) => {
      await provider.put('realm', 'code', 'k', token)
      await provider.close?.()
      await provider.close?.()
      await assert.rejects(provider.get('realm', 'code', 'k'), { code: 'ERR_PROVIDER_CLOSED' })
      await assert.rejects(provider.consume('realm', 'code', 'k'), { code: 'ERR_PROVIDER_CLOSED' })
      await assert.rejects(provider.take('realm', 'code', 'k'), { code: 'ERR_PROVIDER_CLOSED' })
      assert.throws(() => provider.on('consumed', () => {}), { code: 'ERR_PROVIDER_CLOSED' })
    },
  )
}
