// Nodes whose host clocks are wrong, each a process of its own, on one deployment.

import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { ask, start, type Topology, until } from '../../../tools/servers/topology.mjs'
import { describeWith, hostClock } from '../../../tools/testing/capabilities.js'
import { HostClock } from '../../../tools/testing/host-clock.js'
import { moveSlot } from '../../../tools/testing/slot-migration.js'
import { StateNode } from '../../../tools/testing/state-node.js'
import { createdSession } from '../../user-session/src/conformance/fixture.js'
import type { AuthState } from '../src/index.js'

/** Takes a lock and keeps it, beyond a failover. Instants are of the machine's monotonic clock. */
const holdLock = (state: AuthState, _: unknown, shared: Record<string, unknown>) =>
  new Promise<{ fence: number }>((resolve, reject) => {
    const now = () => Number(process.hrtime.bigint()) / 1e6
    void state.cluster
      .withLock('lock', { leaseMs: 6_000 }, async (lease) => {
        let isReleased = false
        shared['release'] = () => {
          isReleased = true
        }
        resolve({ fence: lease.fence })
        while (lease.held() && !isReleased) await new Promise((turn) => setImmediate(turn))
        shared['lostAt'] = now()
      })
      .catch(reject)
  })

const releaseLock = async (_: AuthState, __: unknown, shared: Record<string, unknown>) => {
  const release = shared['release'] as () => void
  release()
  while (shared['lostAt'] === undefined) await new Promise((turn) => setImmediate(turn))
  return { lostAt: shared['lostAt'] as number }
}

const takeLock = (state: AuthState) =>
  state.cluster.withLock('lock', { waitMs: 120_000, leaseMs: 6_000 }, ({ fence }) => ({
    fence,
    takenAt: Number(process.hrtime.bigint()) / 1e6,
  }))

/** How far the readings of two nodes may be apart on a busy machine, in ms: what each says it may be off comes on top. */
const NOISE_MS = 5

/** The clock of a node against the monotonic clock of the machine, which all processes share. */
const readClock = (node: StateNode) =>
  node.run((state) => {
    const clock = state.clock as AuthState['clock'] & { nowUs(): number }
    let before: bigint
    let nowUs: number
    let after: bigint
    // Once more when the process was held up in between.
    do {
      before = process.hrtime.bigint()
      nowUs = clock.nowUs()
      after = process.hrtime.bigint()
    } while (after - before > 500_000n)
    return {
      atMs: Number(before + after) / 2e6,
      offsetMs: nowUs / 1000 - Number(before + after) / 2e6,
      uncertaintyMs: clock.uncertaintyMs as number,
      hostAheadMs: Date.now() - clock.now(),
    }
  })

async function expectAgreement(...nodes: StateNode[]): Promise<void> {
  const [first, ...others] = await Promise.all(nodes.map(readClock))
  for (const other of others) {
    const apart = Math.abs(other.offsetMs - (first?.offsetMs ?? 0))
    expect(apart).toBeLessThan(other.uncertaintyMs + (first?.uncertaintyMs ?? 0) + NOISE_MS)
  }
}

const HOST_CLOCKS = { right: 0, slow: -5_000, near: 500, fast: 70_000, farAhead: 3_600_000 }

describeWith(hostClock, 'nodes whose host clocks are wrong', () => {
  let server: Topology
  let nodes: Record<keyof typeof HOST_CLOCKS | 'jumping', StateNode>
  const jumping = new HostClock()
  beforeAll(async () => {
    server = await start('single')
    const startNode = (name: string, clock: HostClock) =>
      StateNode.start(
        {
          provider: 'redis',
          redis: {
            url: `redis://127.0.0.1:${server.basePort}`,
            commandTimeoutMs: 30_000,
            connectTimeoutMs: 60_000,
          },
          node: { name },
          spi: { 'login-failure': { reservationMs: 30_000, guardWaitMs: 0 } },
          realm: { bruteForce: { enabled: true, failureFactor: 5, quickLoginCheckMs: 0 } },
        },
        clock.env,
      )
    const started = await Promise.all(
      Object.entries(HOST_CLOCKS).map(async ([name, aheadMs]) => [
        name,
        await startNode(name, new HostClock(aheadMs)),
      ]),
    )
    nodes = { ...Object.fromEntries(started), jumping: await startNode('jumping', jumping) }
  }, 300_000)
  afterAll(async () => {
    await Promise.all(Object.values(nodes ?? {}).map((node) => node.stop()))
    await server?.stop()
  })
  const all = () => Object.entries(nodes).map(([name, node]) => ({ name, node }))

  test('go by one clock', async () => {
    await expectAgreement(...Object.values(nodes))
    const { hostAheadMs } = await readClock(nodes.farAhead)
    expect(Math.abs(hostAheadMs - 3_600_000)).toBeLessThan(1_000)
  })

  test('a node whose host clock is off says so in its log and in health(), and names itself; the others do not', async () => {
    for (const { name, node } of all()) {
      const isOff = name === 'slow' || name === 'fast' || name === 'farAhead'
      expect([name, node.log.includes('the clock of this host is')]).toEqual([name, isOff])
      expect(node.log.includes(`node: '${name}'`)).toBe(isOff)
      const health = await node.run((state) => state.health())
      expect(health.ok).toBe(true)
      expect(JSON.stringify(health).includes('the clock of this host is')).toBe(isOff)
    }
  })

  test('no sweep takes what lives', async () => {
    const create = async (state: AuthState) => {
      for (let n = 0; n < 50; n++)
        await state.userSessions.create('sweeping', { userId: `u-${n}`, loginUsername: 'x' })
    }
    await nodes.right.run(create)
    await nodes.slow.run(create)
    for (const { node } of all()) expect(await node.run((state) => state.userSessions.sweep())).toBe(0)
    for (const { node } of all())
      expect(await node.run((state) => state.userSessions.count('sweeping'))).toBe(100)
  })

  test('a sign-out on any node refuses no later login on any other', async () => {
    for (const { name, node } of all()) {
      const userId = `signs-out-${name}`
      await node.run((state, user) => state.userSessions.removeByUser('realm', user), userId)
      for (const { node: later } of all()) {
        // Within what the two clocks may be apart a login is refused: it is in doubt.
        await later.run(async (state, user) => {
          const doubtful = state.clock.now() + 50
          while (state.clock.now() < doubtful) await new Promise((resolve) => setImmediate(resolve))
          await state.userSessions.create('realm', { userId: user, loginUsername: 'x' })
        }, userId)
      }
      const listed = await nodes.right.run(
        (state, user) => state.userSessions.listByUser('realm', user).then((page) => page.items.length),
        userId,
      )
      expect([name, listed]).toEqual([name, all().length])
    }
  })

  test('a login that was authenticated before a sign-out on another node is refused', async () => {
    for (const { name, node } of all()) {
      for (const { name: other, node: late } of all()) {
        const userId = `late-${name}-${other}`
        const authenticatedAt = await late.run((state) => state.clock.now())
        await node.run((state, user) => state.userSessions.removeByUser('realm', user), userId)
        const { outcome } = await late.run((state, session) => state.userSessions.create('realm', session), {
          userId,
          loginUsername: 'x',
          authenticatedAt,
        })
        expect([name, other, outcome]).toEqual([name, other, 'refused'])
      }
    }
  })

  test('a refresh token that was replaced twice is never accepted again', async () => {
    for (const { name, node } of all()) {
      const rotate = (on: StateNode, id: string, presented: string, next: string, issuedAt: number) =>
        on.run(
          (state, { id: session, ...rotation }) =>
            state.userSessions
              .rotateRefreshToken('realm', session, {
                clientId: 'app',
                family: 'f',
                maxReuse: 0,
                ...rotation,
              })
              .then((answer) => answer.outcome),
          { id, presented, next, issuedAt },
        )
      const { id } = await node
        .run((state) =>
          state.userSessions.create('realm', {
            userId: 'rotates',
            loginUsername: 'x',
            client: { clientId: 'app' },
          }),
        )
        .then(createdSession)
      const hostTime = (on: StateNode) => on.run(() => Date.now())
      const first = await hostTime(nodes.farAhead)
      expect(await rotate(node, id, 'T1', 'T2', first)).toBe('rotated')
      expect(await rotate(nodes.right, id, 'T2', 'T3', await hostTime(node))).toBe('rotated')
      expect([name, await rotate(nodes.slow, id, 'T1', 'T9', first)]).toEqual([name, 'stale'])
    }
  })

  test('an id is first once, and what is revoked stays revoked on every node', async () => {
    for (const { name, node } of all()) {
      const key = `jti-${name}`
      const put = (on: StateNode) =>
        on.run((state, id) => state.actionTokens.putIfAbsent('realm', 'jti', id, { lifespanMs: 60_000 }), key)
      expect(await put(node)).toBe(true)
      await node.run((state, id) => state.actionTokens.revoke('realm', id, 60_000), key)
      for (const { name: other, node: reader } of all()) {
        expect([name, other, await put(reader)]).toEqual([name, other, false])
        const revoked = await reader.run((state, id) => state.actionTokens.isRevoked('realm', id), key)
        expect([name, other, revoked]).toEqual([name, other, true])
      }
    }
  })

  test('guesses that are being verified stay counted on every node', async () => {
    const guess = (state: AuthState, _: undefined, shared: Record<string, unknown>) => {
      const verified = (shared['verified'] ?? { count: 0, end: [] }) as { count: number; end: (() => void)[] }
      shared['verified'] = verified
      void state.loginFailures
        .guard('guarded', 'user', {}, () => {
          verified.count += 1
          return new Promise((resolve) => verified.end.push(() => resolve(false)))
        })
        .catch(() => {})
    }
    const count = (state: AuthState, _: undefined, shared: Record<string, unknown>) => {
      void state
      return (shared['verified'] as { count: number } | undefined)?.count ?? 0
    }
    for (const { node } of all()) {
      for (let n = 0; n < 8; n++) await node.run(guess)
      // Whatever was to be sent has been: the answer to this comes behind it.
      await node.run((state) => state.loginFailures.get('guarded', 'user'))
    }
    const counts = await Promise.all(all().map(({ node }) => node.run(count)))
    const verified = counts.reduce((sum, item) => sum + item, 0)
    expect(verified).toBe(5)
    await Promise.all(
      all().map(({ node }) =>
        node.run((_, __, shared) => {
          for (const end of (shared['verified'] as { end: (() => void)[] } | undefined)?.end ?? []) end()
        }),
      ),
    )
  })

  test('a lock has one holder, whatever the clocks', async () => {
    const outcome = (on: StateNode) =>
      on.run((state) =>
        state.cluster
          .withLock('one', { waitMs: 1, leaseMs: 10_000 }, () => 'held')
          .catch((error: { code?: string }) => error.code),
      )
    for (const { name, node } of all()) {
      await node.run(
        (state, _, shared) =>
          new Promise<void>((resolve) => {
            void state.cluster.withLock('one', { leaseMs: 10_000 }, async () => {
              resolve()
              await new Promise<void>((release) => {
                shared['release'] = release
              })
            })
          }),
      )
      for (const { name: other, node: rival } of all()) {
        if (rival === node) continue
        expect([name, other, await outcome(rival)]).toEqual([name, other, 'ERR_CONFLICT'])
      }
      await node.run((_, __, shared) => (shared['release'] as () => void)())
      await until('the lock', async () => (await outcome(nodes.right)) === 'held')
    }
  })

  test('a host clock that is set while the node runs changes nothing', async () => {
    const { id } = await nodes.jumping
      .run((state) => state.userSessions.create('jumping', { userId: 'j', loginUsername: 'x' }))
      .then(createdSession)
    for (const aheadMs of [3_600_000, -7_200_000, 86_400_000, 0]) {
      jumping.set(aheadMs)
      await expectAgreement(nodes.right, nodes.jumping)
      expect(await nodes.jumping.run((state) => state.userSessions.sweep())).toBe(0)
      expect(
        await nodes.jumping.run(
          (state, session) => state.userSessions.refresh('jumping', session).then(Boolean),
          id,
        ),
      ).toBe(true)
      await nodes.jumping.run((state) => state.userSessions.removeByUser('jumping', 'someone'))
      await nodes.right
        .run((state) =>
          state.userSessions.create('jumping', {
            userId: 'someone',
            loginUsername: 'x',
            authenticatedAt: state.clock.now(),
          }),
        )
        .then(async ({ outcome }) => {
          if (outcome === 'created') return
          // In doubt: it began within what the clocks may be apart.
          await nodes.right.run(async (state) => {
            const later = state.clock.now() + 50
            while (state.clock.now() < later) await new Promise((resolve) => setImmediate(resolve))
            await state.userSessions.create('jumping', { userId: 'someone', loginUsername: 'x' })
          })
        })
    }
  })
})

describeWith(hostClock, 'a failover to a server with another clock', () => {
  test.each([
    ['3 s behind', -3_000],
    ['3 s ahead', 3_000],
    ['30 s behind', -30_000],
  ])(
    '%s: nodes from before and after it agree, and time does not go back by less than 10 s',
    async (_, aheadMs) => {
      const clocks = [new HostClock(), new HostClock(aheadMs), new HostClock(aheadMs)]
      const topology = await start('sentinel', { env: (n) => clocks[n]?.env ?? {} })
      onTestFinished(() => topology.stop())
      const config = {
        provider: 'redis' as const,
        redis: {
          sentinels: [...topology.sentinels],
          name: topology.name,
          commandTimeoutMs: 5_000,
          connectTimeoutMs: 60_000,
        },
      }
      const old = await StateNode.start(config)
      onTestFinished(() => old.stop())
      const before = await readClock(old)
      const { id } = await old
        .run((state) => state.userSessions.create('realm', { userId: 'u', loginUsername: 'x' }))
        .then(createdSession)
      const held = await old.run(holdLock)
      await topology.byPort(topology.basePort)?.stop({ crash: true })
      await until('all sentinels to name it', async () => {
        const heard = await Promise.all(topology.sentinels.map(({ port }) => masterOf(topology, port)))
        return heard.every((port) => port === heard[0] && port !== topology.basePort)
      })
      // Behind them: the server that all name is the one that the old node reaches before a new one starts there.
      await until(
        'the new master',
        () => old.run((state, session) => state.userSessions.get('realm', session).then(() => true), id),
        {
          timeoutMs: 60_000,
        },
      )
      const young = await StateNode.start(config)
      onTestFinished(() => young.stop())
      await expectAgreement(old, young)
      const next = young.run(takeLock)
      const { lostAt } = await old.run(releaseLock)
      const { fence, takenAt } = await next
      // The next holder came when the first had let go, or knew that its lease is gone.
      expect(takenAt).toBeGreaterThan(lostAt)
      expect(fence).toBeGreaterThan(held.fence)
      const after = await readClock(old)
      const moved = after.offsetMs - before.offsetMs
      const slack = before.uncertaintyMs + after.uncertaintyMs + NOISE_MS
      // The correction wears off: a millisecond in a second.
      const wornMs = (after.atMs - before.atMs) / 1_000
      if (aheadMs < 0 && aheadMs > -10_000) expect(moved).toBeGreaterThan(-slack - wornMs)
      if (aheadMs < -10_000) {
        expect(Math.abs(moved - aheadMs)).toBeLessThan(slack)
        expect(old.log).toContain('too far behind')
      }
      if (aheadMs > 0) expect(Math.abs(moved - aheadMs)).toBeLessThan(slack)
      expect(
        await young.run((state, session) => state.userSessions.get('realm', session).then(Boolean), id),
      ).toBe(true)
      const kept = await masterOf(topology).then((port) => ask(port, ['GET', 'authstate:clock']))
      expect(kept === null).toBe(aheadMs !== -3_000)
    },
  )

  async function masterOf(topology: Topology, sentinel = topology.sentinels[0]?.port): Promise<number> {
    const words = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', topology.name]
    const said = await ask(sentinel as number, words)
    return Number(said.match(/\d{4,5}/g)?.at(-1))
  }
})

describeWith(hostClock, 'a Cluster whose masters go by clocks of their own', () => {
  test('has one clock: nothing is refused that began later, nothing slips through, nothing ends early', {
    timeout: 300_000,
  }, async () => {
    const clocks = [0, 500, -500].map((aheadMs) => new HostClock(aheadMs))
    const topology = await start('cluster', { replicas: 0, env: (n) => clocks[n]?.env ?? {} })
    onTestFinished(() => topology.stop())
    const startNode = (aheadMs: number) =>
      StateNode.start(
        {
          provider: 'redis',
          redis: { nodes: [...topology.startupNodes], commandTimeoutMs: 30_000, connectTimeoutMs: 60_000 },
        },
        new HostClock(aheadMs).env,
      )
    const [first, second] = (await Promise.all([startNode(60_000), startNode(-60_000)])) as [
      StateNode,
      StateNode,
    ]
    onTestFinished(async () => {
      await Promise.all([first.stop(), second.stop()])
    })
    await expectAgreement(first, second)
    for (let n = 0; n < 20; n++) {
      const userId = `user-${n}`
      const authenticatedAt = await second.run((state) => state.clock.now())
      await first.run((state, user) => state.userSessions.removeByUser('realm', user), userId)
      const late = await second.run((state, session) => state.userSessions.create('realm', session), {
        userId,
        loginUsername: 'x',
        authenticatedAt,
      })
      expect(late.outcome).toBe('refused')
      const next = await first.run(
        (state, user) => state.userSessions.create('realm', { userId: user, loginUsername: 'x' }),
        userId,
      )
      expect(next.outcome).toBe('created')
      const kept = await first.run(async (state, user) => {
        await state.actionTokens.put('realm', 'code', user, { lifespanMs: 10_000 })
        return state.actionTokens.get('realm', 'code', user).then(Boolean)
      }, userId)
      expect(kept).toBe(true)
    }
  })
})

describeWith(hostClock, 'a Cluster whose slot of the clock is moved to a master with another clock', () => {
  /** How long a question may take to reach the master on a busy machine, in ms: little beside what the masters are apart. */
  const ASKING_MS = 250
  type Watched = { last: number; back: number; readings: number; stop: boolean }
  /** Reads the clock at every turn of the event loop from now on. */
  const watch = (state: AuthState, _: unknown, shared: Record<string, unknown>) => {
    const clock = state.clock as AuthState['clock'] & { nowUs(): number }
    const watched: Watched = { last: clock.nowUs(), back: 0, readings: 0, stop: false }
    shared['watched'] = watched
    const read = () => {
      const now = clock.nowUs()
      watched.back = Math.max(watched.back, watched.last - now)
      watched.last = now
      watched.readings += 1
      if (!watched.stop) setImmediate(read)
    }
    read()
  }
  const watched = (_: AuthState, __: unknown, shared: Record<string, unknown>) => {
    const { back, readings } = shared['watched'] as Watched
    return { back, readings }
  }
  const measure = (state: AuthState) =>
    (state.clock as AuthState['clock'] & { measure(): Promise<void> }).measure()

  test('time goes on and never back, and all nodes agree', { timeout: 300_000 }, async () => {
    const aheadMs = [0, -3_000, -1_000]
    const topology = await start('cluster', {
      replicas: 0,
      env: (n) => new HostClock(aheadMs[n] ?? 0).env,
    })
    onTestFinished(() => topology.stop())
    const masters = topology.nodes.map(({ port }) => new Redis(port, topology.host))
    onTestFinished(() => {
      for (const item of masters) item.disconnect()
    })
    const startNode = async () => {
      const redis = { nodes: [...topology.startupNodes], commandTimeoutMs: 30_000, connectTimeoutMs: 60_000 }
      const node = await StateNode.start({ provider: 'redis', redis })
      onTestFinished(() => node.stop())
      await node.run(watch)
      return node
    }
    const nodes = [await startNode(), await startNode()]
    const measureAll = () => Promise.all(nodes.map((node) => node.run(measure)))
    const slot = Number(await masters[0]?.call('CLUSTER', 'KEYSLOT', 'authstate:clock'))
    const slots = await masters[0]?.cluster('SLOTS')
    const owner = slots?.find(([from, to]) => from <= slot && slot <= to)?.[2]?.[1]
    let at = topology.nodes.findIndex(({ port }) => port === owner)
    // Once around, and once more: to each master from the one before it.
    for (let move = 0; move < 6; move++) {
      const before = await Promise.all(nodes.map(readClock))
      await moveSlot(masters, slot, measureAll)
      const step = (aheadMs[(at + 1) % 3] ?? 0) - (aheadMs[at] ?? 0)
      at = (at + 1) % 3
      await measureAll()
      await expectAgreement(...nodes)
      // A node that comes now goes by what the others know.
      if (move < 3) {
        nodes.push(await startNode())
        await expectAgreement(...nodes)
      }
      for (const [n, { offsetMs, uncertaintyMs, atMs }] of before.entries()) {
        const after = await readClock(nodes[n] as StateNode)
        // A correction lacks what the question took to reach the master.
        const slack = uncertaintyMs + after.uncertaintyMs + ASKING_MS
        // It wears off: a millisecond in a second.
        const wornMs = (after.atMs - atMs) / 1_000
        expect(after.offsetMs - offsetMs).toBeGreaterThan(-slack - wornMs)
        expect(after.offsetMs - offsetMs).toBeLessThan(slack + Math.max(0, step))
      }
    }
    for (const node of nodes) {
      const { back, readings } = await node.run(watched)
      expect(back).toBe(0)
      expect(readings).toBeGreaterThan(100)
      await node.run((state) => state.userSessions.create('realm', { userId: 'u', loginUsername: 'x' }))
    }
    expect(await nodes[0]?.run((state) => state.userSessions.count('realm'))).toBe(nodes.length)
  })
})

describe('without Redis', () => {
  test("the clock is the host's, or the one that was given", async () => {
    const { createAuthState } = await import('../src/index.js')
    const { systemClock } = await import('@authstate/spi')
    const memory = await createAuthState()
    onTestFinished(() => memory.close())
    expect(memory.clock).toBe(systemClock)
    const given = { now: () => 5 }
    const state = await createAuthState({ clock: given })
    onTestFinished(() => state.close())
    expect(state.clock).toBe(given)
  })
})
