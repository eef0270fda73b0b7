// A verb of a service that waits, while there is nobody to wait for.
import type { RedisConnection } from '@authstate/redis'
import { expect, test } from 'vitest'
import { Follower } from '../src/follower.js'
import type { Link } from '../src/link.js'

const VERB = { spi: 'vault', verb: 'open', kind: 'unsafe' } as const

/** A follower with one link, and how often it looked which flight a change is on. */
function openFollower(state: string) {
  let marks = 0
  const link = {
    to: 'b',
    waiting: 0,
    backup: () => ({ strategy: 'sync', await: 'all', onFailure: 'fail', timeoutMs: 1_000, maxWaiting: 10 }),
    stateOf: () => state,
  } as unknown as Link
  const flights = {
    ended: 0,
    mark: () => {
      marks += 1
      return 0
    },
    settle: async () => [
      { number: 0, landings: new Map([[link, Promise.resolve(new Map([['vault', 'applied']]))]]) },
    ],
  }
  const follower = new Follower({
    connection: { keys: { prefix: 'p' }, clock: { now: () => 1 } } as unknown as RedisConnection,
    site: 'a',
    mark: undefined,
    deciders: undefined,
    links: [link],
    flights,
    events: { emit() {} },
    logger: { warn() {} },
    isReady: () => true,
    onChanging() {},
  } as unknown as ConstructorParameters<typeof Follower>[0])
  const run = async () => {
    follower.changing('p:{00}:vt:7')
    return 'opened'
  }
  return { call: () => follower.follow(VERB, run), marks: () => marks }
}

test.each([
  ['online', 1],
  ['suspect', 1],
  ['syncing', 0],
  ['offline', 0],
  ['blocked', 0],
])('while the other site is %s, a verb looks %i times which flight it is on', async (state, count) => {
  const { call, marks } = openFollower(state)
  expect(await call()).toBe('opened')
  expect(marks()).toBe(count)
})
