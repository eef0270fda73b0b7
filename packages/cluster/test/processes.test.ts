import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../test-support/capabilities.js'
import { openRedis } from '../../../test-support/redis-targets.js'
import { sourceFlags } from '../../../test-support/source.mjs'
import { eventually } from '../src/conformance/fixture.js'
import type { ViewChange } from '../src/index.js'
import { openWorld, type World } from './nodes.js'

const DEAD_AFTER_MS = 1_000
const properties = { heartbeatMs: 50, deadAfterMs: DEAD_AFTER_MS, readWaitMs: 50, maxClockSkewMs: 0 }

interface ChildNode {
  readonly process: ChildProcess
  readonly lines: string[]
  tell(order: string): void
}

describeWith(redis, 'nodes in processes of their own', () => {
  const control = openRedis()
  afterAll(() => control.disconnect())
  let world: World
  const children: ChildProcess[] = []
  beforeEach(() => {
    world = openWorld(control)
  })
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await world.close()
  })

  async function startChild(name: string): Promise<ChildNode> {
    const options = JSON.stringify({ name, properties, redis: { url: redisUrl(), prefix: world.prefix } })
    const program = fileURLToPath(new URL('./child.ts', import.meta.url))
    const child = spawn(process.execPath, [...sourceFlags, program, options], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    children.push(child)
    const lines: string[] = []
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
    await eventually(() => expect(lines).toContain('up'), 30_000)
    return { process: child, lines, tell: (order) => void child.stdin?.write(`${order}\n`) }
  }

  test('a process that is killed is out of the view within deadAfterMs, one that is told to leave at once', {
    timeout: 60_000,
  }, async () => {
    const { provider } = await world.node({ name: 'here', properties })
    const [killed, leaver] = await Promise.all([startChild('killed'), startChild('leaver')])
    await eventually(() => expect(provider.view().nodes).toHaveLength(3))
    const changes: ViewChange[] = []
    const at: number[] = []
    provider.onViewChange((_, change) => {
      changes.push(change)
      at.push(performance.now())
    })

    const leftAt = performance.now()
    leaver.tell('leave')
    await eventually(() => expect(changes).toHaveLength(1))
    expect(changes[0]?.left.map(({ name }) => name)).toEqual(['leaver'])
    expect((at[0] ?? 0) - leftAt).toBeLessThan(DEAD_AFTER_MS / 2)

    const killedAt = performance.now()
    killed.process.kill('SIGKILL')
    await eventually(() => expect(changes).toHaveLength(2))
    expect(changes[1]?.crashed.map(({ name }) => name)).toEqual(['killed'])
    // A quarter more for a machine that is busy with other tests.
    expect((at[1] ?? 0) - killedAt).toBeLessThan(DEAD_AFTER_MS * 1.25)
    expect(provider.view().nodes.map(({ name }) => name)).toEqual(['here'])
  })

  test('a process that was paused past its lease does not act on it when it wakes', {
    timeout: 60_000,
  }, async () => {
    const { provider } = await world.node({ name: 'here', properties })
    const child = await startChild('paused')
    child.tell('work 400')
    await eventually(() =>
      expect(child.lines.filter((line) => line.startsWith('act')).length).toBeGreaterThan(3),
    )
    const fence = Number(child.lines.find((line) => line.startsWith('locked'))?.split(' ')[1])

    child.process.kill('SIGSTOP')
    const mine = await provider.withLock('work', { waitMs: 20_000 }, async (lease) => {
      const before = child.lines.length
      child.process.kill('SIGCONT')
      await eventually(() => expect(child.lines).toContain('unlocked'))
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
    const child = await startChild('killed')
    child.tell('work 300')
    await eventually(() => expect(child.lines.some((line) => line.startsWith('locked'))).toBe(true))
    child.process.kill('SIGKILL')
    const killedAt = performance.now()
    expect(await provider.withLock('work', { waitMs: 20_000 }, () => 'mine')).toBe('mine')
    // Not before the lease is over, counted from its last renewal; then at the next question, at most a second later.
    expect(performance.now() - killedAt).toBeLessThan(300 + 1_000 + 500)
  })
})
