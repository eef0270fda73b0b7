import { RecordingLogger } from '@authstate/conformance'
import { redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { StoreUnavailableError } from '@authstate/spi'
import { expect, test } from 'vitest'
import { ask, start, type Topology, until } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { createdSession } from '../src/conformance/fixture.js'
import { userSessionSpi } from '../src/index.js'
import { redisUserSessions } from '../src/redis.js'

/** Each of these many users has one session; together they are in every partition. */
const USERS = 180

type Ending = 'removed' | 'no' | 'unknown'

describeWith(serverBinary, 'a Cluster whose master is killed in the middle of traffic', () => {
  test('what was replicated stays as it was, errors tell the truth, and all goes on', {
    timeout: 120_000,
  }, async () => {
    const topology = await start('cluster', { nodeTimeoutMs: 1_500 })
    await topology.replicasListed()
    const registry = createProviderRegistry({
      factories: [redisUserSessions(), redisConnection()],
      config: {
        redis: { nodes: [...topology.startupNodes], prefix: 'failover', commandTimeoutMs: 1_000 },
        spi: { 'user-session': { provider: 'redis', redis: { sweepIntervalMs: 0 } } },
      },
      logger: new RecordingLogger(),
    })
    try {
      await registry.start()
      const sessions = registry.get(userSessionSpi)
      const userOf = (n: number) => `user-${n}`
      const login = (userId: string) =>
        sessions.create('realm', { userId, loginUsername: userId }).then(createdSession)

      const ids: string[] = []
      for (let n = 0; n < USERS; n++) ids.push((await login(userOf(n))).id)
      const third = USERS / 3
      const [gone, ends, kept] = [ids.slice(0, third), ids.slice(third, 2 * third), ids.slice(2 * third)]
      for (const id of gone) expect(await sessions.remove('realm', id)).toBe(true)
      await replicated(topology)

      const errors: unknown[] = []
      const outcomeOf = async <T>(call: Promise<T>, applied: T): Promise<T | 'no' | 'unknown'> => {
        try {
          await call
          return applied
        } catch (error) {
          errors.push(error)
          return error instanceof StoreUnavailableError ? error.applied : 'unknown'
        }
      }
      let recovered = false
      const traffic = Array.from({ length: 4 }, async (_, caller) => {
        for (let turn = caller; !recovered; turn += 4) {
          const id = kept[turn % kept.length] as string
          await outcomeOf<unknown>(sessions.touch('realm', id), undefined)
          await outcomeOf<unknown>(login(`other-${turn}`), undefined)
        }
      })
      await topology.nodes[0]?.stop({ crash: true })

      const endings = new Map<string, Ending>()
      for (const id of ends)
        endings.set(id, await outcomeOf<Ending>(sessions.remove('realm', id) as never, 'removed'))
      await until(
        'every partition to answer again',
        async () => {
          const all = await Promise.allSettled(Array.from({ length: 96 }, (_, n) => login(`probe-${n}`)))
          return all.every(({ status }) => status === 'fulfilled')
        },
        { timeoutMs: 60_000, everyMs: 200 },
      )
      recovered = true
      await Promise.all(traffic)

      for (const error of errors) expect(error).toBeInstanceOf(StoreUnavailableError)
      expect(errors.length).toBeGreaterThan(0)
      const isThere = async (id: string) => (await sessions.get('realm', id)) !== undefined
      for (const id of gone) expect(await isThere(id)).toBe(false)
      for (const id of kept) expect(await isThere(id)).toBe(true)
      for (const [id, ending] of endings) {
        if (ending === 'removed') expect(await isThere(id)).toBe(false)
        if (ending === 'no') expect(await isThere(id)).toBe(true)
      }
      for (let n = 0; n < USERS; n++) {
        const id = ids[n] as string
        const { items } = await sessions.listByUser('realm', userOf(n))
        expect(items.map((item) => item.id)).toEqual((await isThere(id)) ? [id] : [])
      }
    } finally {
      await registry.close()
      await topology.stop()
    }
  })
})

/** Waits until every replica has all that its master has written by now. What comes later, such as pings, does not count. */
async function replicated({ nodes }: Topology): Promise<void> {
  const infoOf = (port: number) => ask(port, ['INFO', 'replication'])
  for (const { port } of nodes.slice(0, 3)) {
    const written = Number(/master_repl_offset:(\d+)/.exec(await infoOf(port))?.[1])
    const has = async () => Number(/slave0:.*offset=(\d+)/.exec(await infoOf(port))?.[1]) >= written
    await until('the replica to have it all', has, { timeoutMs: 20_000 })
  }
}
