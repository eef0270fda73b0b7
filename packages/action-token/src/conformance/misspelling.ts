import assert from 'node:assert/strict'
import { refusesMisspelling, type SuiteBuilder, taker } from '@authstate/conformance'
import type {
  ActionTokenProvider,
  ConsumeOptions,
  FamilyRevocation,
  Lifetime,
  ListOptions,
  NewActionToken,
  NewToken,
} from '../contract.js'
import { token } from './fixture.js'

/** Properties that nobody reads. */
export function misspelling(add: SuiteBuilder<ActionTokenProvider>): void {
  add.basic(
    'arguments: a misspelt property is refused by name, and nothing is written',
    'issue: bad input',
    async ({ provider }) => {
      await provider.put('realm', 'code', 'k', token)
      const before = await provider.get('realm', 'code', 'k')
      const signed = await provider.issueActionToken('realm', { userId: 'u', actionId: 'a', ...token })
      const puts = (call: (token: NewToken) => unknown) => [
        taker<NewToken>({ ...token, data: {}, family: 'f', subject: 's' }, call),
      ]
      await refusesMisspelling<ActionTokenProvider>({
        put: puts((given) => provider.put('realm', 'code', 'k', given)),
        putIfAbsent: puts((given) => provider.putIfAbsent('realm', 'code', 'absent', given)),
        get: [
          taker<{ readonly includeExpired?: boolean | undefined }>({ includeExpired: true }, (options) =>
            provider.get('realm', 'code', 'k', options),
          ),
        ],
        consume: [
          taker<ConsumeOptions>({ attempt: 'a', graceMs: 1, successor: 's' }, (options) =>
            provider.consume('realm', 'code', 'k', options),
          ),
        ],
        issueActionToken: [
          taker<NewActionToken>(
            { userId: 'u', actionId: 'a', lifespanMs: 1, nonce: 'n', data: {} },
            (given) => provider.issueActionToken('realm', given),
          ),
        ],
        consumeActionToken: [
          taker<{ readonly attempt?: string | undefined }>({ attempt: 'a' }, (options) =>
            provider.consumeActionToken('realm', signed, 'a', options),
          ),
        ],
        mintKey: [],
        has: [],
        replace: [],
        remove: [],
        revokeFamily: [
          taker<FamilyRevocation>({ expiresAt: 1, refuse: true, consumed: 'keep' }, (revocation) =>
            provider.revokeFamily('realm', 'f', revocation),
          ),
        ],
        listBySubject: [
          taker<ListOptions>({ limit: 1, cursor: 'c', kind: 'code', consumed: true }, (options) =>
            provider.listBySubject('realm', 's', options),
          ),
        ],
        countUse: [
          taker<{ readonly windowMs: number }>({ windowMs: 1 }, (options) =>
            provider.countUse('realm', 'code', 'k', options),
          ),
        ],
        take: [],
        on: [],
        removeBySubject: [],
        removeByRealm: [],
        revoke: [taker<Lifetime>({ lifespanMs: 1 }, (until) => provider.revoke('realm', 'id', until))],
        isRevoked: [],
        verifyActionToken: [],
      })
      assert.deepEqual(await provider.get('realm', 'code', 'k'), before)
      assert.equal(await provider.has('realm', 'code', 'absent'), false)
      assert.equal((await provider.verifyActionToken('realm', signed, 'a')).outcome, 'valid')
    },
  )
}
