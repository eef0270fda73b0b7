import assert from 'node:assert/strict'
import { refusesMisspelling, type SuiteBuilder, taker } from '@authstate/conformance'
import type { PageOptions } from '@authstate/spi'
import type {
  FailureOptions,
  GuardOptions,
  LoginFailureProvider,
  SuccessOptions,
  UnknownUserOptions,
} from '../contract.js'
import { countOf, fail, protect } from './fixture.js'

const IP = '203.0.113.7'

/** Properties and settings that nobody reads. */
export function misspelling(add: SuiteBuilder<LoginFailureProvider>): void {
  add.basic(
    'arguments: a misspelt property is refused by name, and nothing is counted',
    'issue: bad input',
    async (stage) => {
      protect(stage)
      const { provider } = stage
      await fail(provider)
      const verify = async (): Promise<boolean> => assert.fail('must not be verified')
      const failures = (call: (options: FailureOptions) => unknown) => [
        taker<FailureOptions>({ ip: IP, at: 1, category: 'password' }, call),
      ]
      const guards = (call: (options: GuardOptions) => unknown) => [
        taker<GuardOptions>({ ip: IP, category: 'password' }, call),
      ]
      const looks = (call: (options: { readonly ip?: string | undefined }) => unknown) => [
        taker<{ readonly ip?: string | undefined }>({ ip: IP }, call),
      ]
      await refusesMisspelling<LoginFailureProvider>({
        recordFailure: failures((options) => provider.recordFailure('realm', 'alice', options)),
        recordUnknownUser: failures((options) => provider.recordUnknownUser('realm', options)),
        recordSuccess: [
          taker<SuccessOptions>({ category: 'password' }, (options) =>
            provider.recordSuccess('realm', 'alice', options),
          ),
        ],
        check: looks((options) => provider.check('realm', 'alice', options)),
        explain: looks((options) => provider.explain('realm', 'alice', options)),
        guard: guards((options) => provider.guard('realm', 'alice', options, verify)),
        guardUnknownUser: [
          taker<UnknownUserOptions>({ ip: IP, username: 'nobody' }, (options) =>
            provider.guardUnknownUser('realm', options, verify),
          ),
        ],
        get: [],
        getAddress: [],
        status: [],
        listLocked: [
          taker<PageOptions>({ limit: 1, cursor: 'c' }, (page) => provider.listLocked('realm', page)),
        ],
        clear: [],
        clearAddress: [],
        removeByRealm: [],
        recompute: [],
        on: [],
      })
      assert.equal(await countOf(provider), 1)
    },
  )

  add.basic(
    'realm settings: a misspelt one is refused by the first verb that reads them',
    'issue: bad input',
    async ({ provider, setRealm }) => {
      for (const [wrong, message] of [
        [{ bruteforce: { enabled: true } }, /'bruteforce'.*'bruteForce'/],
        [{ bruteForce: { enabled: true, failurefactor: 3 } }, /bruteForce.*'failurefactor'.*'failureFactor'/],
      ] as const) {
        setRealm('realm', wrong as never)
        await assert.rejects(provider.recordFailure('realm', 'alice'), { name: 'TypeError', message })
        await assert.rejects(provider.check('realm', 'alice'), { name: 'TypeError', message })
      }
    },
  )
}
