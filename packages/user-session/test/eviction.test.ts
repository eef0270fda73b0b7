// Redis under a policy that evicts takes whole keys away, the least used first: here a test takes them.

import { FakeClock, openInspector } from '@authstate/conformance'
import { afterAll, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { createdSession } from '../src/conformance/fixture.js'
import type { UserSessionProvider } from '../src/index.js'
import { countingClient, openNode, underPolicy } from './support.js'

const client = { clientId: 'app' }
const INDEXES = ['uu', 'uc', 'ub', 'ui', 'ur', 'uk', 'ux']

describeWith(redis, 'what Redis evicted', () => {
  // The server of the tests keeps everything: the policy is a part of what its client answers.
  const raw = underPolicy(openRedis(), 'volatile-lru')
  let run = 0
  const prefix = () => `user-session-eviction-${process.pid}-${run}`
  afterAll(async () => {
    await (await openInspector(raw)).clear(`user-session-eviction-${process.pid}`)
    raw.disconnect()
  })

  const open = async () => {
    run += 1
    const clock = new FakeClock()
    return { clock, sessions: await openNode({ client: raw, prefix: prefix(), clock }) }
  }
  const login = (userId: string) => ({
    userId,
    loginUsername: userId,
    brokerSessionId: `${userId}-at-broker`,
    brokerUserId: userId,
    client,
  })
  /** Takes every key of some kinds away. */
  const evict = async (...kinds: string[]) => {
    for (const kind of kinds) {
      const keys = await raw.keys(`${prefix()}:{*}:${kind}:*`)
      if (kind === 'ux') keys.push(...(await raw.keys(`${prefix()}:{*}:ux`)))
      if (keys.length > 0) await raw.del(...keys)
    }
  }
  const listed = async (sessions: UserSessionProvider, userId: string, id: string) => {
    const has = ({ items }: { items: readonly { id: string }[] }) => items.some((item) => item.id === id)
    return {
      byUser: has(await sessions.listByUser('realm', userId)),
      byClient: has(await sessions.listByClient('realm', 'app')),
      byBrokerUser: has(await sessions.listByBrokerUser('realm', userId)),
      byBrokerSession: (await sessions.findByBrokerSession('realm', `${userId}-at-broker`))?.id === id,
      byRealm: has(await sessions.list('realm')),
    }
  }
  const everywhere = {
    byUser: true,
    byClient: true,
    byBrokerUser: true,
    byBrokerSession: true,
    byRealm: true,
  }

  describe.each([
    ['touch', (sessions: UserSessionProvider, id: string) => sessions.touch('realm', id)],
    [
      'touch with a client',
      (sessions: UserSessionProvider, id: string) => sessions.touch('realm', id, client),
    ],
    ['refresh', (sessions: UserSessionProvider, id: string) => sessions.refresh('realm', id)],
    [
      'refresh with a client',
      (sessions: UserSessionProvider, id: string) => sessions.refresh('realm', id, client),
    ],
  ] as const)('%s', (_, use) => {
    test('enters a session again that all indexes had lost, a second after its last use', async () => {
      const { clock, sessions } = await open()
      const { id } = await sessions.create('realm', login('ada')).then(createdSession)
      await evict(...INDEXES)
      clock.advance(1_000)
      await use(sessions, id)
      expect(await listed(sessions, 'ada', id)).toEqual(everywhere)
      expect(await sessions.count('realm')).toBe(1)
      expect([...(await sessions.clientStats('realm'))]).toEqual([['app', 1]])
      expect(await sessions.removeByUser('realm', 'ada')).toBe(1)
      await sessions.close?.()
    })

    test('enters it again where others of the same user were entered before it', async () => {
      const { clock, sessions } = await open()
      const ids: string[] = []
      for (let n = 0; n < 3; n++)
        ids.push((await sessions.create('realm', login('ada')).then(createdSession)).id)
      await evict('uu')
      clock.advance(1_000)
      for (const id of ids) await use(sessions, id)
      expect((await sessions.listByUser('realm', 'ada')).items).toHaveLength(3)
      expect(await sessions.removeByUser('realm', 'ada')).toBe(3)
      await sessions.close?.()
    })

    test('enters it again in the index of a realm within ten seconds', async () => {
      const { clock, sessions } = await open()
      const { id } = await sessions.create('realm', login('ada')).then(createdSession)
      await evict('ur', 'ub', 'ui')
      clock.advance(10_000)
      await use(sessions, id)
      expect(await listed(sessions, 'ada', id)).toEqual(everywhere)
      await sessions.close?.()
    })

    test('lets Redis keep what was entered again for as long as the session', async () => {
      const { clock, sessions } = await open()
      const { id, expiresAt } = await sessions.create('realm', login('ada')).then(createdSession)
      await evict(...INDEXES)
      clock.advance(1_000)
      await use(sessions, id)
      for (const kind of ['uu', 'uc', 'ur', 'uk']) {
        const [key = ''] = await raw.keys(`${prefix()}:{*}:${kind}:*`)
        expect(await raw.pttl(key), kind).toBeGreaterThan(expiresAt - clock.now())
      }
      await sessions.close?.()
    })
  })

  test.each(['touch', 'refresh'] as const)(
    '%s lists a client again where nothing but its entry was lost',
    async (verb) => {
      const { clock, sessions } = await open()
      const { id } = await sessions.create('realm', login('ada')).then(createdSession)
      await evict('uk')
      clock.advance(1_000)
      await sessions[verb]('realm', id, client)
      expect([...(await sessions.clientStats('realm'))]).toEqual([['app', 1]])
      await sessions.close?.()
    },
  )

  describe.each([
    ['noeviction', []],
    ['volatile-lru', [1]],
    ['', [1]],
  ])('under the policy "%s"', (policy, evicted) => {
    test.each([
      ['touch', undefined, 3],
      ['refresh', client, 6],
    ] as const)('%s says whether to look after evicted indexes', async (_, named, argument) => {
      const { client: counting, sent } = countingClient(underPolicy(openRedis(), policy))
      const sessions = await openNode({ client: counting, prefix: prefix() })
      const { id } = await sessions.create('realm', login('ada')).then(createdSession)
      sent.length = 0
      await sessions.touch('realm', id, named)
      expect(sent.map(({ parameters }) => parameters.slice(3 + argument))).toEqual([evicted])
      await sessions.close?.()
      counting.disconnect()
    })
  })

  describe('records', () => {
    /** Thirty sessions of ten users, of which Redis has evicted two thirds. */
    const thirty = async () => {
      const { clock, sessions } = await open()
      const ids: string[] = []
      for (let n = 0; n < 30; n++)
        ids.push((await sessions.create('realm', login(`user${n % 10}`)).then(createdSession)).id)
      for (const [n, id] of ids.entries()) {
        if (n >= 10) await raw.del(...(await raw.keys(`${prefix()}:{*}:us:realm:${id}`)))
      }
      return { clock, sessions }
    }

    test('are counted no longer once somebody has listed', async () => {
      const { sessions } = await thirty()
      const { items } = await sessions.list('realm', { limit: 100 })
      expect(items).toHaveLength(10)
      expect(await sessions.count('realm')).toBe(10)
      expect((await sessions.listByClient('realm', 'app', { limit: 100 })).items).toHaveLength(10)
      expect(await sessions.countByClient('realm', 'app')).toBe(10)
      await sessions.close?.()
    })

    test('are counted no longer once somebody has counted', async () => {
      const { sessions } = await thirty()
      expect(await sessions.count('realm')).toBe(10)
      expect(await sessions.countByClient('realm', 'app')).toBe(10)
      await sessions.close?.()
    })

    test('are not counted by a removal, which takes their entries out', async () => {
      const { sessions } = await thirty()
      expect(await sessions.removeByUser('realm', 'user3')).toBe(1)
      expect(await sessions.removeByRealm('realm')).toBe(9)
      expect(await raw.keys(`${prefix()}:{*}:ur:*`)).toEqual([])
      await sessions.close?.()
    })

    test('are not counted by a removal of what a client has, nor told, and their entries are taken out', async () => {
      const { sessions } = await thirty()
      const heard: unknown[] = []
      sessions.on('client-removed', ({ userId }) => void heard.push(userId))
      expect(await sessions.removeByClient('realm', 'app')).toBe(10)
      expect(heard.sort()).toEqual(Array.from({ length: 10 }, (_, n) => `user${n}`))
      expect(await raw.keys(`${prefix()}:{*}:uc:*`)).toEqual([])
      await sessions.close?.()
    })

    test('are counted no longer once a sweep has passed', async () => {
      const { clock, sessions } = await thirty()
      for (let n = 0; n < 3; n++) {
        clock.advance(1)
        await sessions.sweep()
      }
      expect([...(await sessions.clientStats('realm'))]).toEqual([['app', 10]])
      await sessions.close?.()
    })
  })
})
