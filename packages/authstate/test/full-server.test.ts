import { readFileSync } from 'node:fs'
import { FakeClock } from '@authstate/conformance'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { start, type Topology } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { createdSession } from '../../user-session/src/conformance/fixture.js'
import { type AuthState, createAuthState, StoreUnavailableError } from '../src/index.js'
import { LOCAL, REALM, type Stored, store, VERBS } from './full/verbs.js'

const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
const table = page.slice(page.indexOf('## On a full server')).split('\n')

/** What docs/errors.md says of the verbs of an SPI on a full server. */
function documented(spi: string): { readonly goesOn: string[]; readonly isRefused: string[] } {
  const row = table.find((line) => line.startsWith(`| \`${spi}\` |`)) ?? ''
  const [, , goesOn = '', isRefused = ''] = row.split('|')
  const names = (cell: string) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
  return { goesOn: names(goesOn), isRefused: names(isRefused) }
}

const CASES = Object.entries(VERBS).flatMap(([spi, verbs]) =>
  Object.entries(verbs).map(([verb, ask]) => ({ spi, verb, ask })),
)

/** The verbs that the contract of an SPI lists. */
function contractOf(spi: string): string[] {
  const text = readFileSync(new URL(`../../${spi}/src/contract.ts`, import.meta.url), 'utf8')
  const interfaces = text.matchAll(
    /^export interface (?:\w+Provider extends Provider|CacheRegion<.*>) {\n([\s\S]*?)^}/gm,
  )
  return [...interfaces].flatMap(([, body = '']) =>
    [...body.matchAll(/^ {2}(\w+)(?:<.*>)?\(/gm)].map(([, name = '']) => name),
  )
}

const DEPLOYMENTS = [
  ['', {}],
  [' that tells a consumer of changes', { consumers: [{ name: 'audit', details: true }] }],
] as const

for (const [which, changes] of DEPLOYMENTS)
  describeWith(serverBinary, `a server at its maxmemory, with noeviction${which}`, () => {
    const clock = new FakeClock()
    let server: Topology
    let admin: Redis
    let state: AuthState

    const say = async (maxmemory: number) => void (await admin.config('SET', 'maxmemory', maxmemory))
    const open = (name: string) =>
      createAuthState({
        provider: 'redis',
        redis: { url: `redis://127.0.0.1:${server.basePort}`, changes: structuredClone(changes) as {} },
        keyring: { current: 'a', keys: { a: 'x'.repeat(32) } },
        node: { name },
        clock,
        realms: () => ({ bruteForce: { enabled: true } }),
        spi: {
          'user-session': { sweepIntervalMs: 0 },
          'login-failure': { failPolicy: 'closed', address: {} },
        },
      })

    beforeAll(async () => {
      server = await start('single')
      admin = new Redis(server.basePort, '127.0.0.1')
      state = await open('a')
    })
    afterEach(() => say(0))
    afterAll(async () => {
      await state.close()
      admin.disconnect()
      await server.stop()
    })

    test.each(Object.keys(VERBS))('%s is asked every verb of its contract', (spi) => {
      const asked = Object.keys(VERBS[spi] ?? {})
      const { goesOn, isRefused } = documented(spi)
      expect([...new Set(contractOf(spi))].sort()).toEqual([...asked, ...(LOCAL[spi] ?? [])].sort())
      expect([...goesOn, ...isRefused].sort()).toEqual(asked.sort())
    })

    describe.each(CASES)('$spi', ({ spi, verb, ask }) => {
      test(`${verb} does what docs/errors.md says`, async () => {
        const stored: Stored = await store(state)
        await say(1)
        const outcome = await Promise.resolve(ask(state, stored)).then(
          () => 'goes on',
          (error: unknown) => {
            if (!(error instanceof StoreUnavailableError)) throw error
            return error
          },
        )
        if (documented(spi).goesOn.includes(verb)) expect(outcome).toBe('goes on')
        else expect(outcome).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', applied: 'no' })
      })
    })

    describe('the ways out', () => {
      test('end sessions, and keep what began earlier from coming back', async () => {
        const { session, root, tab } = await store(state)
        const began = await state.userSessions
          .create(REALM, { userId: 'eve', loginUsername: 'eve' })
          .then(createdSession)
        await say(1)
        expect(await state.authSessions.finishTab(REALM, root, tab)).toMatchObject({ removed: true })
        expect(await state.userSessions.removeByUser(REALM, 'ada')).toBe(1)
        expect(await state.userSessions.get(REALM, session)).toBeUndefined()
        expect(await state.userSessions.get(REALM, began.id)).toMatchObject({ userId: 'eve' })
        expect(await admin.keys('authstate:{*}:uf:*')).not.toEqual([])
        expect(await state.userSessions.removeByRealm(REALM)).toBeGreaterThan(0)
        expect(await state.userSessions.count(REALM)).toBe(0)
        expect(await state.authSessions.removeByRealm(REALM)).toBe(1)
      })

      test('keep sessions of applications in use, sign out of them and end them', async () => {
        const { web } = await store(state)
        const { webSessions } = state
        await say(1)
        expect(await webSessions.update(REALM, web, { lifespanMs: 120_000 })).toBe(2)
        expect(await webSessions.update(REALM, web, { unset: ['n'] })).toBe(3)
        expect(await webSessions.get(REALM, web)).toMatchObject({
          data: {},
          userId: 'ada',
          expiresAt: clock.now() + 120_000,
        })
        expect((await webSessions.find(REALM, 'x'))?.id).toBe(web)
        expect(await webSessions.update(REALM, web, { userId: null })).toBe(4)
        await expect(webSessions.update(REALM, web, { userId: 'ada' })).rejects.toMatchObject({
          applied: 'no',
        })
        expect((await webSessions.get(REALM, web))?.userId).toBeUndefined()
        expect(await webSessions.removeByLabel(REALM, 'l', 'v')).toBe(1)
        await webSessions.removeByUser(REALM, 'ada')
        await say(0)
        const late = { data: {}, lifespanMs: 60_000, userId: 'ada', authenticatedAt: clock.now() - 1 }
        expect(await webSessions.save(REALM, web, late)).toEqual({ outcome: 'refused' })
        expect(await webSessions.save(REALM, 'another', late)).toEqual({ outcome: 'refused' })
      })

      test('revoke tokens, and a token is redeemed once', async () => {
        const { actionToken } = await store(state)
        const { actionTokens } = state
        await say(1)
        expect(await actionTokens.consume(REALM, 'code', 'k')).toMatchObject({ outcome: 'consumed' })
        expect(await actionTokens.consume(REALM, 'code', 'k')).toMatchObject({ outcome: 'used' })
        const redeem = () => actionTokens.consumeActionToken(REALM, actionToken, 'verify-email')
        expect(await redeem()).toMatchObject({ outcome: 'valid' })
        expect(await redeem()).toMatchObject({ outcome: 'used' })
        expect(await actionTokens.revokeFamily(REALM, 'f')).toBe(1)
        await actionTokens.revoke(REALM, 'jti', 60_000)
        expect(await actionTokens.isRevoked(REALM, 'jti')).toBe(true)
        await say(0)
        const again = { lifespanMs: 60_000, family: 'f' }
        expect(await actionTokens.put(REALM, 'code', 'later', again)).toBe('refused')
      })

      test('end the family of a refresh token that is presented again', async () => {
        const rotate = (presented: string, next: string) =>
          state.userSessions.rotateTransientToken(REALM, {
            family: 'again',
            presented,
            next,
            issuedAt: clock.now(),
            maxReuse: 0,
            lifespanMs: 60_000,
          })
        // What was issued in the millisecond of a removal ended with it.
        clock.advance(1)
        await rotate('t0', 't1')
        await say(1)
        expect(await rotate('t0', 'x')).toEqual({ outcome: 'reused' })
        await say(0)
        expect(await rotate('t1', 't2')).toEqual({ outcome: 'stale' })
      })

      test('end locks, and say on every node that a value is untrue', async () => {
        await using other = await open('b')
        await store(state)
        const options = { secondLevelTtlMs: 60_000 }
        const region = other.realmCache.region<string>('realms', options)
        await region.get('acme', () => 'old', { tags: ['t'] })
        await say(1)
        await state.realmCache.region('realms').invalidate({ tag: 't' })
        await expect.poll(() => region.get('acme', () => 'new', { tags: ['t'] })).toBe('new')
        expect(await state.loginFailures.clear(REALM, 'ada')).toBe(true)
        expect(await state.loginFailures.clearAddress(REALM, '192.0.2.1')).toBe(true)
        await other.close()
        await expect.poll(() => state.cluster.view().nodes.map(({ name }) => name)).toEqual(['a'])
      })
    })

    test('a sweep frees a server that is full of expired sessions', async () => {
      await state.userSessions.removeByRealm(REALM)
      const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
      await say(used + 2_000_000)
      const notes = { filler: 'x'.repeat(8_000) }
      const create = () =>
        state.userSessions.create(REALM, { userId: 'ada', loginUsername: 'ada', notes }).then(createdSession)
      let created = 0
      const fill = async () => {
        for (;;) {
          await create()
          created += 1
        }
      }
      await expect(fill()).rejects.toMatchObject({ applied: 'no' })
      clock.advance(30 * 24 * 60 * 60_000)
      await expect(create()).rejects.toMatchObject({ applied: 'no' })
      expect(await state.userSessions.sweep()).toBe(created)
      await create()
    })
  })
