import { openInspector } from '@authstate/conformance'
import type { Provider } from '@authstate/spi'
import { afterAll, describe, expect, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { type AuthState, createAuthState } from '../src/index.js'

/** Members of our classes that are not of a contract. */
const INSIDE = ['applyHere', 'clearHere', 'tell', 'tellChannel', 'loadRevoked']

/** Every member of a provider that is a function, its own and those of its classes. */
function verbsOf(provider: Provider): string[] {
  const names = new Set<string>()
  for (let level: object = provider; level !== Object.prototype; level = Object.getPrototypeOf(level)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (typeof value === 'function') names.add(name)
    }
  }
  for (const name of ['constructor', 'close', 'checkHealth', ...INSIDE]) names.delete(name)
  return [...names]
}

// Those with a life of their own: the encoder of sticky sessions only computes.
const members = [
  'userSessions',
  'authSessions',
  'actionTokens',
  'webSessions',
  'loginFailures',
  'realmCache',
  'cluster',
] as const

function afterClose(open: () => Promise<AuthState>): void {
  test.each(members)(
    '%s: every verb says so, whatever it is called with, and asks nobody',
    async (member) => {
      const state = await open()
      const provider = state[member]
      const verbs = verbsOf(provider)
      expect(verbs.length).toBeGreaterThan(5)
      await state.close()
      const answers = new Map<string, unknown>()
      for (const verb of verbs) {
        const call = async () => (provider as unknown as Record<string, () => unknown>)[verb]?.()
        answers.set(
          verb,
          await call().then(
            () => 'answered',
            (error) => error.code ?? String(error),
          ),
        )
      }
      expect(Object.fromEntries(answers)).toEqual(
        Object.fromEntries(verbs.map((verb) => [verb, 'ERR_PROVIDER_CLOSED'])),
      )
    },
  )
}

const keyring = { current: 'a', keys: { a: 'x'.repeat(32) } }

const realms = () => {
  throw new Error('the realms of the application were asked')
}

describe('after close, in memory', () => {
  afterClose(() => createAuthState({ realms, keyring }))
})

describeWith(redis, 'after close, on Redis', () => {
  const prefix = `closed-${process.pid}`
  afterClose(() =>
    createAuthState({ provider: 'redis', redis: { url: redisUrl(), prefix }, realms, keyring }),
  )
  afterAll(async () => {
    const client = openRedis()
    await (await openInspector(client)).clear(prefix)
    client.disconnect()
  })
})
