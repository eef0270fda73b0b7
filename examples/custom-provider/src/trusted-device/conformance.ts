import assert from 'node:assert/strict'
import { defineSuite, together } from '@authstate/conformance'
import { type TrustedDeviceProvider, trustedDeviceSpi } from './contract.js'

const WEEK_MS = 604_800_000
const CEILING_MS = 4 * WEEK_MS
const MAX_DEVICES = 4
const ROUNDS = 50

/** The behaviour every provider of trusted devices must show. */
export const trustedDeviceSuite = defineSuite<TrustedDeviceProvider>(
  trustedDeviceSpi,
  (add) => {
    add.basic('trust: the device is known, in its realm and to its user only', 'contract', async (stage) => {
      const { provider, clock } = stage
      const { device, evicted } = await provider.trust('realm', 'ada', 'phone', WEEK_MS)
      assert.deepEqual(device, {
        deviceId: 'phone',
        trustedAt: clock.now(),
        expiresAt: clock.now() + WEEK_MS,
      })
      assert.equal(evicted, undefined)
      assert.equal(await provider.isTrusted('realm', 'ada', 'phone'), true)
      assert.deepEqual(await provider.list('realm', 'ada'), [device])
      for (const [realmId, userId, deviceId] of [
        ['other', 'ada', 'phone'],
        ['realm', 'bob', 'phone'],
        ['realm', 'ada', 'laptop'],
      ] as const) {
        assert.equal(await provider.isTrusted(realmId, userId, deviceId), false)
        assert.equal(await provider.distrust(realmId, userId, deviceId), false)
      }
      assert.equal(await provider.isTrusted('realm', 'ada', 'phone'), true)
    })

    add.basic('trust: no separator or odd name makes two users one', 'contract', async ({ provider }) => {
      const names = ['a:b', 'a', 'b:c', '{a}', '%3a', '🔑', '__proto__', 'constructor', '\u0000', 'a\u0000b']
      const pairs = names.flatMap((realmId) => names.map((userId) => [realmId, userId] as const))
      for (const [realmId, userId] of pairs) await provider.trust(realmId, userId, realmId + userId, WEEK_MS)
      for (const [realmId, userId] of pairs) {
        const devices = await provider.list(realmId, userId)
        assert.deepEqual(
          devices.map(({ deviceId }) => deviceId),
          [realmId + userId],
        )
      }
    })

    add.basic('trust: one too many drives out the one that ends first', 'contract', async ({ provider }) => {
      for (const [deviceId, weeks] of [
        ['a', 4],
        ['b', 1],
        ['c', 3],
        ['d', 2],
      ] as const) {
        assert.equal('evicted' in (await provider.trust('realm', 'ada', deviceId, weeks * WEEK_MS)), false)
      }
      assert.equal((await provider.trust('realm', 'ada', 'e', WEEK_MS)).evicted, 'b')
      assert.deepEqual(
        (await provider.list('realm', 'ada')).map(({ deviceId }) => deviceId),
        ['a', 'c', 'd', 'e'],
      )
      assert.equal('evicted' in (await provider.trust('realm', 'ada', 'e', WEEK_MS)), false)
    })

    add.basic('distrustAll: every device of one user', 'contract', async ({ provider }) => {
      await provider.trust('realm', 'ada', 'phone', WEEK_MS)
      await provider.trust('realm', 'ada', 'laptop', WEEK_MS)
      await provider.trust('realm', 'ada2', 'phone', WEEK_MS)
      assert.equal(await provider.distrustAll('realm', 'ada'), 2)
      assert.equal(await provider.distrustAll('realm', 'ada'), 0)
      assert.equal(await provider.isTrusted('realm', 'ada', 'phone'), false)
      assert.equal(await provider.isTrusted('realm', 'ada2', 'phone'), true)
    })

    add.basic('arguments: wrong ones are refused by name', 'contract', async ({ provider }) => {
      const calls: [call: () => Promise<unknown>, named: string][] = [
        [() => provider.list('', 'ada'), 'realmId'],
        [() => provider.list('realm', ''), 'userId'],
      ]
      for (const bad of ['', 'x'.repeat(513), 1, undefined] as string[]) {
        calls.push([() => provider.trust('realm', 'ada', bad, WEEK_MS), 'deviceId'])
        calls.push([() => provider.isTrusted('realm', 'ada', bad), 'deviceId'])
        calls.push([() => provider.distrust('realm', 'ada', bad), 'deviceId'])
      }
      for (const [call, named] of calls)
        await assert.rejects(call, { name: 'TypeError', message: new RegExp(`"${named}"`) })
      for (const bad of [0, -1, 1.5]) {
        await assert.rejects(provider.trust('realm', 'ada', 'd', bad), {
          name: 'RangeError',
          message: /"forMs"/,
        })
      }
      assert.deepEqual(await provider.list('realm', 'ada'), [])
    })

    add.basic('close: later calls fail with ERR_PROVIDER_CLOSED', 'contract', async ({ provider }) => {
      await provider.close?.()
      await provider.close?.()
      await assert.rejects(provider.isTrusted('realm', 'ada', 'phone'), { code: 'ERR_PROVIDER_CLOSED' })
    })

    add.expiry('trust: there to the last millisecond, and not one more', 'contract', async (stage) => {
      const { provider, clock } = stage
      await provider.trust('realm', 'ada', 'phone', WEEK_MS)
      clock.advance(WEEK_MS - 1)
      assert.equal(await provider.isTrusted('realm', 'ada', 'phone'), true)
      assert.equal((await provider.list('realm', 'ada')).length, 1)
      clock.advance(1)
      assert.equal(await provider.isTrusted('realm', 'ada', 'phone'), false)
      assert.deepEqual(await provider.list('realm', 'ada'), [])
      assert.equal(await provider.distrust('realm', 'ada', 'phone'), false)
      assert.equal(await provider.distrustAll('realm', 'ada'), 0)
    })

    add.expiry('trust: starts again; asking does not', 'contract', async ({ provider, clock }) => {
      await provider.trust('realm', 'ada', 'phone', WEEK_MS)
      clock.advance(WEEK_MS / 2)
      await provider.isTrusted('realm', 'ada', 'phone')
      await provider.list('realm', 'ada')
      clock.advance(WEEK_MS / 2)
      assert.equal(await provider.isTrusted('realm', 'ada', 'phone'), false)
      await provider.trust('realm', 'ada', 'phone', WEEK_MS)
      clock.advance(WEEK_MS - 1)
      await provider.trust('realm', 'ada', 'phone', WEEK_MS)
      clock.advance(WEEK_MS - 1)
      assert.equal(await provider.isTrusted('realm', 'ada', 'phone'), true)
    })

    add.expiry('trust: longer than the ceiling is cut', 'contract', async ({ provider, clock }) => {
      const { device } = await provider.trust('realm', 'ada', 'phone', Number.MAX_SAFE_INTEGER)
      assert.equal(device.expiresAt, clock.now() + CEILING_MS)
    })

    add.concurrency('distrust: exactly one of N callers gets true', 'contract', async (stage) => {
      const nodes = [stage.provider, await stage.anotherNode()]
      for (let round = 0; round < ROUNDS; round++) {
        await stage.provider.trust('realm', 'ada', 'phone', WEEK_MS)
        const gone = await together(8, (n) =>
          (nodes[n % 2] as TrustedDeviceProvider).distrust('realm', 'ada', 'phone'),
        )
        assert.equal(gone.filter(Boolean).length, 1)
      }
    })

    add.concurrency('trust: the limit holds however many come at once', 'contract', async (stage) => {
      const nodes = [stage.provider, await stage.anotherNode()]
      for (let round = 0; round < ROUNDS; round++) {
        await together(10, (n) =>
          (nodes[n % 2] as TrustedDeviceProvider).trust('realm', `u${round}`, `d${n}`, WEEK_MS),
        )
        assert.equal((await stage.provider.list('realm', `u${round}`)).length, MAX_DEVICES)
      }
    })

    add.expiry('every verb: any walk does what a plain list does', 'contract', async (stage) => {
      const { provider, clock, random } = stage
      const pick = (count: number): number => Math.floor(random() * count)
      let expected: { deviceId: string; expiresAt: number }[] = []
      for (let step = 0; step < 300; step++) {
        const deviceId = `d${pick(6)}`
        expected = expected.filter(({ expiresAt }) => expiresAt > clock.now())
        const known = expected.some((one) => one.deviceId === deviceId)
        switch (pick(5)) {
          case 0:
          case 1: {
            const { device, evicted } = await provider.trust('realm', 'ada', deviceId, 1 + pick(1_000))
            expected = [device, ...expected.filter((one) => one.deviceId !== deviceId)]
            expected.sort((a, b) => b.expiresAt - a.expiresAt)
            const others = expected.filter((one) => one.deviceId !== deviceId)
            const surplus = expected.length > MAX_DEVICES ? others.at(-1) : undefined
            assert.equal(evicted, surplus?.deviceId)
            expected = expected.filter((one) => one !== surplus)
            break
          }
          case 2:
            assert.equal(await provider.distrust('realm', 'ada', deviceId), known)
            expected = expected.filter((one) => one.deviceId !== deviceId)
            break
          case 3:
            assert.equal(await provider.isTrusted('realm', 'ada', deviceId), known)
            break
          default:
            clock.advance(pick(400))
        }
        const living = expected.filter(({ expiresAt }) => expiresAt > clock.now())
        const listed = await provider.list('realm', 'ada')
        assert.deepEqual(
          new Set(listed.map((one) => one.deviceId)),
          new Set(living.map((one) => one.deviceId)),
        )
        assert.deepEqual(
          listed.map((one) => one.expiresAt),
          living.map((one) => one.expiresAt),
        )
      }
    })
  },
  { maxDevices: MAX_DEVICES, maxTrustMs: CEILING_MS },
)
