import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { start, type Topology, until } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { put, Told } from './changes-support.js'
import { freshPrefix, open } from './support.js'

const MINUTES = { timeout: 120_000 }

describeWith(serverBinary, 'a failover while a consumer reads', () => {
  let topology: Topology
  beforeAll(async () => {
    topology = await start('sentinel', { downAfterMs: 800 })
  })
  afterAll(() => topology.stop())

  test(
    'tells every ending that the new master holds, and "lost" where it lacks what was told',
    MINUTES,
    async () => {
      const { sentinels, name } = topology
      const redis = { sentinels, name, prefix: freshPrefix(), partitions: 3, commandTimeoutMs: 1_000 }
      const on = await open({ ...redis, changes: { consumers: [{ name: 'audit', notes: 'endings' }] } })
      const master = new Redis(topology.basePort)
      const replicas = topology.nodes.slice(1, 3).map(({ port }) => new Redis(port))
      onTestFinished(() => {
        for (const server of [master, ...replicas]) server.disconnect()
      })
      const [heard, held] = [new Told(), { isHeld: false, release: () => {} }]
      on.readChanges(
        'audit',
        {
          ...heard.handlers,
          onNotes: async (notes, signal) => {
            if (notes[0]?.partition === 2 && held.isHeld) {
              await new Promise<void>((resolve) => {
                held.release = resolve
              })
            }
            await heard.handlers.onNotes(notes, signal)
          },
        },
        { pollMs: 1, leaseMs: 20_000 },
      )
      const end = async (partition: number, id: string) => {
        await put(on, partition, id)
        await put(on, partition, id, '')
      }
      const isTold = (id: string) => heard.until(({ keys }) => keys.includes(`removal tt ${id}`))
      await heard.until(({ gaps }) => gaps.length === 3)
      heard.gaps.length = 0

      // All of it is on the replicas: what was told, how far the consumer had come, and what its handler is at.
      for (const partition of [0, 1]) {
        await end(partition, `both-${partition}`)
        await isTold(`both-${partition}`)
      }
      held.isHeld = true
      await end(2, 'both-2')
      await until('how far the consumer has come', async () => {
        const keys = on.keys.all.map((partition) => on.keys.key(partition, 'xh'))
        const had = await Promise.all(keys.map((key) => master.hget(key, 'audit')))
        const last = await Promise.all(
          on.keys.all.map((partition) =>
            master.xrevrange(on.keys.key(partition, 'xn'), '+', '-', 'COUNT', 1),
          ),
        )
        return had[0] === last[0]?.[0]?.[0] && had[1] === last[1]?.[0]?.[0]
      })
      expect(await master.wait(2, 10_000)).toBe(2)

      // The replicas hear nothing more, and are still ones that sentinels choose.
      // To refuse PSYNC is not enough: they would ask for a whole copy by SYNC, which may hold what is written next.
      for (const replica of replicas)
        await replica.config('SET', 'masteruser', 'nobody', 'masterauth', 'none')
      expect(await master.call('CLIENT', 'KILL', 'TYPE', 'replica')).toBe(2)
      await end(0, 'gone-0')
      await isTold('gone-0')
      master.disconnect()
      await topology.nodes[0]?.stop({ crash: true })
      await until(
        'a new master',
        () =>
          end(0, 'after-0').then(
            () => true,
            () => false,
          ),
        { timeoutMs: 60_000 },
      )
      held.isHeld = false
      held.release()
      for (const partition of [1, 2]) await end(partition, `after-${partition}`)
      for (const partition of [0, 1, 2]) await isTold(`after-${partition}`)

      await isTold('both-2')
      expect(heard.gaps).toEqual([{ partition: 0, reason: 'lost' }])
      const of = (partition: number) => [
        ...new Set(heard.notes.filter((note) => note.partition === partition).map(({ key }) => key[1])),
      ]
      expect(of(0)).toEqual(['both-0', 'gone-0', 'after-0'])
      expect(of(1)).toEqual(['both-1', 'after-1'])
      expect(of(2)).toEqual(['both-2', 'after-2'])
    },
  )
})
