import assert from 'node:assert/strict'
import { runInNewContext } from 'node:vm'
import type { SuiteBuilder } from '@authstate/conformance'
import type { NewWebSession, SessionData, WebSessionPatch, WebSessionProvider } from '../contract.js'
import { DATA_CEILING, LIFE_MS, read, saved, session } from './fixture.js'

/** Wrong arguments, ceilings, and use after close. */
export function misuse({ basic, cluster }: SuiteBuilder<WebSessionProvider>): void {
  const rejects = (
    call: () => Promise<unknown>,
    type: typeof TypeError | typeof RangeError,
    named: string,
  ): Promise<void> =>
    assert.rejects(call, (error: Error) => {
      assert.ok(error instanceof type, `${error.name} for ${named}: ${error.message}`)
      assert.ok(error.message.includes(`"${named}`), `${error.message} does not name "${named}"`)
      return true
    })

  basic(
    'arguments: wrong ones are refused by name, and nothing is written',
    'issue: bad input',
    async ({ provider, clock }) => {
      await saved(provider, 's')
      const before = await read(provider, 's')
      for (const bad of ['', 1, null, undefined, {}, 'a\ud800', 'x'.repeat(513)] as string[]) {
        await rejects(() => provider.save(bad, 's', session()), TypeError, 'realmId')
        await rejects(() => provider.get(bad, 's'), TypeError, 'realmId')
        await rejects(() => provider.find(bad, 'x'), TypeError, 'realmId')
        await rejects(() => provider.list(bad), TypeError, 'realmId')
        await rejects(() => provider.count(bad), TypeError, 'realmId')
        await rejects(() => provider.removeByRealm(bad), TypeError, 'realmId')
        await rejects(() => provider.save('r', bad, session()), TypeError, 'id')
        await rejects(() => provider.update('r', bad, {}), TypeError, 'id')
        await rejects(() => provider.remove('r', bad), TypeError, 'id')
        await rejects(() => provider.find('r', bad), TypeError, 'alias')
        await rejects(() => provider.listByUser('r', bad), TypeError, 'userId')
        await rejects(() => provider.removeByUser('r', bad), TypeError, 'userId')
        await rejects(() => provider.listByLabel('r', bad, 'v'), TypeError, 'name')
        await rejects(() => provider.listByLabel('r', 'n', bad), TypeError, 'value')
        await rejects(() => provider.removeByLabel('r', bad, 'v'), TypeError, 'name')
        if (bad !== undefined) {
          await rejects(() => provider.save('r', 's', session({ userId: bad })), TypeError, 'userId')
          await rejects(() => provider.save('r', 's', session({ alias: bad })), TypeError, 'alias')
          await rejects(() => provider.removeByUser('r', 'u', { except: bad }), TypeError, 'except')
          if (bad !== null)
            await rejects(() => provider.update('r', 's', { userId: bad }), TypeError, 'userId')
          if (bad !== '')
            await rejects(
              () => provider.save('r', 's', session({ generation: bad })),
              TypeError,
              'generation',
            )
          if (bad !== '') {
            await rejects(() => provider.remove('r', 's', { generation: bad }), TypeError, 'generation')
            await rejects(() => provider.update('r', 's', { generation: bad }), TypeError, 'generation')
          }
        }
        await rejects(() => provider.save('r', 's', session({ labels: { l: bad } })), TypeError, 'labels')
      }
      const wrong: [fields: object, type: typeof TypeError | typeof RangeError, named: string][] = [
        [{ lifespanMs: 0 }, RangeError, 'lifespanMs'],
        [{ lifespanMs: 1.5 }, RangeError, 'lifespanMs'],
        [{ lifespanMs: '60000' }, TypeError, 'lifespanMs'],
        [{ lifespanMs: null }, TypeError, 'lifespanMs'],
        [{ lifespanMs: undefined, expiresAt: -1 }, RangeError, 'expiresAt'],
        [{ lifespanMs: undefined, expiresAt: new Date(0) }, TypeError, 'expiresAt'],
        [{ lifespanMs: undefined, expiresAt: Number.NaN }, TypeError, 'expiresAt'],
        [{ expiresAt: 1 }, TypeError, 'lifespanMs'],
        [{ ifVersion: -1 }, RangeError, 'ifVersion'],
        [{ ifVersion: '1' }, TypeError, 'ifVersion'],
        [{ authenticatedAt: 1 }, TypeError, 'authenticatedAt'],
        [{ userId: 'u', authenticatedAt: clock.now() + 1 }, RangeError, 'authenticatedAt'],
        [{ userId: 'u', authenticatedAt: '1' }, TypeError, 'authenticatedAt'],
      ]
      for (const [fields, type, named] of wrong) {
        await rejects(
          () => provider.save('r', 's', { ...session(), ...fields } as NewWebSession),
          type,
          named,
        )
        await rejects(
          () => provider.update('r', 's', { lifespanMs: LIFE_MS, ...fields } as WebSessionPatch),
          type,
          named,
        )
      }
      const labels = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`l${n}`, 'v']))
      await rejects(() => provider.save('r', 's', session({ labels })), RangeError, 'labels')
      await rejects(() => provider.save('r', 's', session({ labels: [] as never })), TypeError, 'labels')
      await rejects(
        () => provider.save('r', 's', session({ labels: JSON.parse('{"__proto__":"v"}') })),
        TypeError,
        'labels',
      )
      await rejects(() => provider.save('r', 's', session({ mustExist: 1 as never })), TypeError, 'mustExist')
      await rejects(
        () => provider.save('r', 's', session({ ifVersion: 0, mustExist: true })),
        TypeError,
        'mustExist',
      )
      await rejects(() => provider.update('r', 's', { ifVersion: 0 }), RangeError, 'ifVersion')
      await rejects(() => provider.save('r', 's', { data: {} } as never), TypeError, 'session')
      await rejects(() => provider.save('r', 's', undefined as never), TypeError, 'session')
      await rejects(() => provider.update('r', 's', null as never), TypeError, 'patch')
      await rejects(() => provider.update('r', 's', { unset: 'n' as never }), TypeError, 'unset')
      await rejects(() => provider.update('r', 's', { unset: [1] as never }), TypeError, 'unset[0]')
      await rejects(
        () => provider.update('r', 's', { set: { n: 1 }, unset: ['m', 'n'] }),
        TypeError,
        'unset[1]',
      )
      await rejects(() => provider.update('r', 's', { unset: Array(1_001).fill('n') }), RangeError, 'unset')
      const listen = provider.on.bind(provider) as (event: unknown, listener: unknown) => unknown
      assert.throws(() => listen('no such event', () => {}), {
        name: 'TypeError',
        message: /"event".*'created'/,
      })
      assert.throws(() => listen('created', 'x'), { name: 'TypeError', message: /"listener"/ })
      assert.deepEqual(await read(provider, 's'), before)
    },
  )

  basic(
    'data: what is no JSON is refused, and nothing is written',
    'issue: bad input',
    async ({ provider }) => {
      await saved(provider, 's')
      const before = await read(provider, 's')
      const circle: { self?: unknown } = {}
      circle.self = circle
      const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)])
      const wrong: unknown[] = [
        null,
        'text',
        [],
        { a: undefined },
        { a: () => 1 },
        { a: Symbol('s') },
        { a: 1n },
        { a: Number.NaN },
        { a: Number.POSITIVE_INFINITY },
        { a: new Date(0) },
        { a: new Map() },
        { a: [undefined] },
        { a: 'x\ud800' },
        { 'x\ud800': 1 },
        { a: { toJSON: () => 1 } },
        { a: deep(65) },
        circle,
        JSON.parse('{"__proto__": 1}'),
        JSON.parse('{"a": {"__proto__": 1}}'),
      ]
      for (const data of wrong) {
        await rejects(
          () => provider.save('r', 's', session({ data: data as SessionData })),
          TypeError,
          'data',
        )
        await rejects(() => provider.update('r', 's', { set: data as SessionData }), TypeError, 'set')
      }
      await rejects(() => provider.save('r', 's', { lifespanMs: LIFE_MS } as never), TypeError, 'data')
      assert.deepEqual(await read(provider, 's'), before)
      const foreign = runInNewContext('({ a: { b: [1] } })') as SessionData
      await saved(provider, 'foreign', { data: foreign })
      await saved(provider, 'deep', { data: { a: deep(60) } as SessionData })
      assert.equal(JSON.stringify((await read(provider, 'deep')).data), JSON.stringify({ a: deep(60) }))
      assert.deepEqual((await read(provider, 'foreign')).data, { a: { b: [1] } })
    },
  )

  basic(
    'data: too large is refused with the limit and the size, and nothing is written',
    'issue: bad input',
    async ({ provider }) => {
      assert.equal(provider.limits.maxDataBytes, DATA_CEILING)
      const data = { a: 'ü'.repeat(DATA_CEILING / 2 - 4) }
      assert.equal(Buffer.byteLength(JSON.stringify(data)), DATA_CEILING)
      await saved(provider, 's', { data })
      for (const id of ['s', 'new']) {
        await assert.rejects(
          () => provider.save('r', id, session({ data: { ...data, b: 1 } })),
          (error: Error) => {
            assert.ok(error instanceof RangeError)
            assert.match(
              error.message,
              new RegExp(`"data".*${DATA_CEILING}.*"maxDataBytes".*${DATA_CEILING + 6}`),
            )
            return true
          },
        )
      }
      assert.deepEqual((await read(provider, 's')).data, data)
      assert.equal((await read(provider, 's')).version, 1)
      assert.equal(await provider.get('r', 'new'), undefined)
    },
  )

  basic('messages: never an id, a name or a value', 'house rules', async ({ provider }) => {
    const secret = 'canary-7f3a-9b1c-44'
    const failing = [
      () => provider.get('r', `${secret}${'x'.repeat(512)}`),
      () => provider.save('r', secret, session({ data: { [secret]: (() => 1) as never } })),
      () => provider.save('r', secret, session({ data: { [secret]: secret.repeat(1_000) } })),
      () => provider.save('r', secret, session({ labels: { [secret]: '' } })),
      () => provider.update('r', secret, { set: { [secret]: 1 }, unset: [secret] }),
      () => provider.update('r', secret, { [secret]: 'x' } as never),
    ]
    for (const call of failing) {
      await assert.rejects(call, (error: Error) => {
        assert.doesNotMatch(error.message, new RegExp(secret))
        return true
      })
    }
  })

  basic('records: what was returned or given is not the stored one', 'contract', async ({ provider }) => {
    const given = { data: { list: [1] }, labels: { l: 'v' } }
    await saved(provider, 's', given)
    given.data.list.push(2)
    given.labels.l = 'changed'
    const held = await read(provider, 's')
    ;(held.data['list'] as number[]).push(3)
    ;(held.labels as Record<string, string>)['l'] = 'changed'
    const { data, labels } = await read(provider, 's')
    assert.deepEqual([data, labels], [{ list: [1] }, { l: 'v' }])
    assert.ok(Object.isFrozen(provider.limits))
  })

  basic('close: later calls fail, closing again does nothing', 'contract', async ({ provider }) => {
    await saved(provider, 's')
    await provider.close?.()
    await provider.close?.()
    const calls: (() => Promise<unknown>)[] = [
      () => provider.save('r', 's', session()),
      () => provider.update('r', 's', {}),
      () => provider.get('r', 's'),
      () => provider.find('r', 'x'),
      () => provider.remove('r', 's'),
      () => provider.list('r'),
      () => provider.listByUser('r', 'u'),
      () => provider.listByLabel('r', 'l', 'v'),
      () => provider.count('r'),
      () => provider.removeByUser('r', 'u'),
      () => provider.removeByLabel('r', 'l', 'v'),
      () => provider.removeByRealm('r'),
      async () => provider.on('created', () => {}),
    ]
    for (const call of calls) await assert.rejects(call, { code: 'ERR_PROVIDER_CLOSED' })
  })

  cluster('verbs on one session: one command each', 'D1', async ({ provider, commands }) => {
    if (commands === undefined) return
    await saved(provider, 's')
    const verbs: Readonly<Record<string, () => Promise<unknown>>> = {
      save: () => provider.save('r', 's', session({ userId: 'u', labels: { l: 'v' } })),
      get: () => provider.get('r', 's'),
      update: () => provider.update('r', 's', { set: { a: 1 }, userId: 'w' }),
      touch: () => provider.update('r', 's', { lifespanMs: LIFE_MS }),
      remove: () => provider.remove('r', 's'),
    }
    for (const [verb, call] of Object.entries(verbs)) {
      await call()
      // The first call may have sent the source of its script.
      const before = commands()
      await call()
      assert.equal(commands() - before, 1, verb)
    }
  })
}
