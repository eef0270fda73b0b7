import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { type Child, startChild } from '../../../tools/testing/child.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { eventually } from '../src/conformance/fixture.js'
import type { ViewChange } from '../src/index.js'
import { openWorld, type World } from './nodes.js'

const properties = { heartbeatMs: 50, deadAfterMs: 1_000, readWaitMs: 50, maxClockSkewMs: 0 }

describeWith(redis, 'nodes in processes of their own', () => {
  const control = openRedis()
  afterAll(() => control.disconnect())
  let world: World
  beforeEach(() => {
    world = openWorld(control)
  })
  afterEach(async () => {
    await world.close()
  })

  async function startNode(name: string): Promise<Child> {
    const options = JSON.stringify({
      name,
      properties,
      redis: { url: redisUrl(), prefix: world.prefix, connectTimeoutMs: 60_000 },
    })
    const program = fileURLToPath(new URL('./child.ts', import.meta.url))
    const child = startChild(program, [options])
    await child.said('up')
    return child
  }

  test('a process that is killed leaves the view as crashed, one that is told to leave as left', {
    timeout: 60_000,
  }, async () => {
    const { provider } = await world.node({ name: 'here', properties })
    const [killed, leaver] = await Promise.all([startNode('killed'), startNode('leaver')])
    await eventually(() => expect(provider.view().nodes).toHaveLength(3))
    const changes: ViewChange[] = []
    provider.onViewChange((_, change) => changes.push(change))

    leaver.tell('leave')
    await eventually(() => expect(changes).toHaveLength(1))
    expect(changes[0]?.left.map(({ name }) => name)).toEqual(['leaver'])
    expect(changes[0]?.crashed).toEqual([])

    killed.signal('SIGKILL')
    await eventually(() => expect(changes).toHaveLength(2))
    expect(changes[1]?.crashed.map(({ name }) => name)).toEqual(['killed'])
    expect(changes[1]?.left).toEqual([])
    expect(provider.view().nodes.map(({ name }) => name)).toEqual(['here'])
  })

  test('a process that was paused past its lease does not act on it when it wakes', {
    timeout: 60_000,
  }, async () => {
    const { provider } = await world.node({ name: 'here', properties })
    const child = await startNode('paused')
    child.tell('work 400')
    await eventually(() =>
      expect(child.lines.filter((line) => line.startsWith('act')).length).toBeGreaterThan(3),
    )
    const fence = Number(child.lines.find((line) => line.startsWith('locked'))?.split(' ')[1])

    child.signal('SIGSTOP')
    const mine = await provider.withLock('work', { waitMs: 20_000 }, async (lease) => {
      const before = child.lines.length
      child.signal('SIGCONT')
      await child.said('unlocked')
      expect(child.lines).toContain(`lost ${fence}`)
      // Whatever it said after it woke, it did not act.
      expect(child.lines.slice(before).filter((line) => line.startsWith('act'))).toEqual([])
      expect(lease.held()).toBe(true)
      return lease.fence
    })
    expect(mine).toBeGreaterThan(fence)
  })

  test('a process that is killed with a lock is replaced after its lease', { timeout: 60_000 }, async () => {
    const { provider } = await world.node({ name: 'here', properties })
    const child = await startNode('killed')
    child.tell('work 300')
    await child.said(/^locked/)
    child.signal('SIGKILL')
    expect(await provider.withLock('work', { waitMs: 20_000 }, () => 'mine')).toBe('mine')
  })
})
