import { RecordingLogger } from '@authstate/conformance'
import { redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { StoreUnavailableError } from '@authstate/spi'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { start, until } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { moveSlot } from '../../../tools/testing/slot-migration.js'
import { createdSession } from '../src/conformance/fixture.js'
import { type UserSessionProvider, userSessionSpi } from '../src/index.js'
import { redisUserSessions } from '../src/redis.js'

const PARTITIONS = 4
const USERS = 24

/** What is known of a session: whether its creation, or its removal, may or must have happened. */
type Fate = 'there' | 'gone' | 'unknown'

describeWith(serverBinary, 'a Cluster whose slots move in the middle of traffic', () => {
  test('no key is on two masters, nothing is lost, nothing comes back, errors tell the truth', {
    timeout: 120_000,
  }, async () => {
    const topology = await start('cluster', { masters: 3, replicas: 0 })
    const masters = topology.nodes.map(({ port }) => new Redis(port, topology.host))
    const registry = createProviderRegistry({
      factories: [redisUserSessions(), redisConnection()],
      config: {
        redis: {
          nodes: [...topology.startupNodes],
          prefix: 'moving',
          partitions: PARTITIONS,
          commandTimeoutMs: 10_000,
        },
        spi: { 'user-session': { provider: 'redis', redis: { sweepIntervalMs: 0 } } },
      },
      logger: new RecordingLogger(),
    })
    try {
      await registry.start()
      const sessions = registry.get(userSessionSpi)
      const slots = await Promise.all(
        Array.from({ length: PARTITIONS }, async (_, n) =>
          Number(await masters[0]?.call('CLUSTER', 'KEYSLOT', `{0${n}}`)),
        ),
      )
      let isMoving = true
      let calls = 0
      const errors: unknown[] = []
      const workers = Array.from({ length: 6 }, (_, n) =>
        traffic(sessions, n, errors, () => {
          calls += 1
          return isMoving
        }),
      )
      const goOn = (after: number) => until('traffic to go on', () => calls > after || undefined)
      await goOn(100)
      const moves = []
      for (let round = 0; round < 3; round++) {
        for (const slot of slots) {
          moves.push(await moveSlot(masters, slot, () => new Promise((resolve) => setImmediate(resolve))))
          await goOn(calls + 20)
        }
      }
      isMoving = false
      const fates = new Map((await Promise.all(workers)).flatMap((item) => [...item]))

      for (const error of errors) expect(error).toBeInstanceOf(StoreUnavailableError)
      for (const keys of moves) expect(keys).toBeGreaterThan(10)
      expect([...fates.values()].filter((fate) => fate === 'there').length).toBeGreaterThan(50)

      const keys = (await Promise.all(masters.map((item) => item.keys('*')))).flat()
      expect(keys.length).toBe(new Set(keys).size)
      const alive = new Set<string>()
      for (const [id, fate] of fates) {
        const found = await sessions.get('realm', id)
        if (fate !== 'unknown') expect([id, found !== undefined]).toEqual([id, fate === 'there'])
        if (found !== undefined) alive.add(id)
      }
      const listed = new Set<string>()
      for (let n = 0; n < USERS; n++) {
        let cursor: string | undefined
        do {
          const page = await sessions.listByUser('realm', `user-${n}`, {
            limit: 100,
            ...(cursor && { cursor }),
          })
          for (const { id } of page.items) listed.add(id)
          cursor = page.cursor
        } while (cursor !== undefined)
      }
      expect(new Set([...alive].filter((id) => !listed.has(id)))).toEqual(new Set())
      expect(await sessions.count('realm')).toBe(listed.size)
      expect(await sessions.countByClient('realm', 'app')).toBe(listed.size)
    } finally {
      await registry.close()
      for (const item of masters) item.disconnect()
      await topology.stop()
    }
  })
})

/** Logs users in, and touches, changes and ends their sessions, until nothing moves any more. */
async function traffic(
  sessions: UserSessionProvider,
  worker: number,
  errors: unknown[],
  goesOn: () => boolean,
): Promise<Map<string, Fate>> {
  const fates = new Map<string, Fate>()
  const attempt = async <T>(call: Promise<T>): Promise<T | 'no' | 'unknown'> => {
    try {
      return await call
    } catch (error) {
      errors.push(error)
      return error instanceof StoreUnavailableError ? error.applied : 'unknown'
    }
  }
  for (let turn = 0; goesOn(); turn++) {
    const userId = `user-${(worker * 7 + turn) % USERS}`
    const made = await attempt(
      sessions
        .create('realm', { userId, loginUsername: userId, client: { clientId: 'app' } })
        .then(createdSession),
    )
    if (typeof made === 'string') continue
    fates.set(made.id, 'there')
    await attempt(sessions.refresh('realm', made.id, { clientId: 'app' }))
    await attempt(sessions.update('realm', made.id, { notes: { turn: String(turn) } }))
    if (turn % 3 === 0) continue
    const removed = await attempt(sessions.remove('realm', made.id))
    if (removed !== 'no') fates.set(made.id, removed === 'unknown' ? 'unknown' : 'gone')
  }
  return fates
}
