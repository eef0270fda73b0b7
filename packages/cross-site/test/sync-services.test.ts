// With SYNC, what a verb of any service did is at the other site when it resolves; where it is not, the caller hears so.
import { expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { type BackupOptions, CrossSiteError } from '../src/index.js'
import { inStep, isState, openTwo, REALM, signIn, type TestSite } from './support.js'

interface Case {
  readonly spi: string
  /** What a site does. */
  readonly change: (site: TestSite) => Promise<unknown>
  /** What the other site then has. */
  readonly look: (site: TestSite) => Promise<unknown>
  readonly expected: unknown
  readonly verb: string
  readonly retry: 'safe' | 'unsafe'
}

const cases: readonly Case[] = [
  {
    spi: 'user-session',
    change: (site) => signIn(site),
    look: ({ users }) => users.count(REALM),
    expected: 1,
    verb: 'create',
    retry: 'unsafe',
  },
  {
    spi: 'login-failure',
    change: ({ failures }) => failures.recordFailure(REALM, 'alice'),
    look: async ({ failures }) => (await failures.get(REALM, 'alice'))?.numFailures,
    expected: 1,
    verb: 'recordFailure',
    retry: 'unsafe',
  },
  {
    spi: 'web-session',
    change: ({ webs }) => webs.save(REALM, 's', { data: { n: 1 }, lifespanMs: 60_000, alias: 'uid' }),
    look: async ({ webs }) => (await webs.find(REALM, 'uid'))?.data,
    expected: { n: 1 },
    verb: 'save',
    retry: 'safe',
  },
  {
    spi: 'auth-session',
    change: ({ logins }) => logins.getOrCreateRoot(REALM, undefined),
    look: ({ logins }) => logins.count(REALM),
    expected: 1,
    verb: 'getOrCreateRoot',
    retry: 'unsafe',
  },
]

const sync = (spi: string, options: BackupOptions) => ({
  config: { spi: { [spi]: { strategy: 'sync' as const, ...options } } },
})

describeWith(redis, 'verbs of every service', () => {
  test.each(cases)(
    'of $spi: $verb resolves when the other site has it',
    async ({ spi, change, look, expected }) => {
      const { a, b } = await openTwo(sync(spi, { onFailure: 'fail', timeoutMs: 10_000 }))
      await change(a)
      expect(await look(b)).toEqual(expected)
    },
  )

  test.each(cases)(
    'of $spi: $verb rejects where the way is cut, is done here, and arrives once it is back',
    async ({ spi, change, look, expected, verb, retry }) => {
      const { a, b, toB } = await openTwo(sync(spi, { onFailure: 'fail', timeoutMs: 300 }))
      toB.cut()
      const error = await change(a).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(CrossSiteError)
      expect((error as Error).message).toMatch(`${spi}.${verb}: the change is made at this site`)
      expect(error).toMatchObject({ applied: 'local', retry })
      expect(await look(a)).toEqual(expected)
      toB.heal()
      await isState(a, 'b', 'online')
      await inStep(a)
      expect(await look(b)).toEqual(expected)
    },
  )

  test('of login-failure: a name without a user rejects as one with a user does', async () => {
    const { a, toB } = await openTwo(sync('login-failure', { onFailure: 'fail', timeoutMs: 10_000 }))
    const isRight = async () => false
    const guards = [
      () => a.failures.guard(REALM, 'alice', {}, isRight),
      () => a.failures.guardUnknownUser(REALM, { username: 'nobody' }, isRight),
    ]
    for (const guard of guards) expect(await guard()).toMatchObject({ outcome: 'failure' })
    toB.cut()
    for (const guard of guards)
      expect(await guard().catch((thrown: unknown) => thrown)).toMatchObject({
        code: 'ERR_CROSS_SITE',
        retry: 'unsafe',
        sites: [{ site: 'b', outcome: expect.stringMatching(/^(not-applied|unknown)$/) }],
      })
  })
})
