import { RecordingLogger } from '@authstate/conformance'
import { StoreUnavailableError } from '@authstate/spi'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DRIFT, intersected, measured, widened } from '../src/clock-interval.js'
import { DeploymentClock } from '../src/deployment-clock.js'

const START = 1_700_000_000_000_000

/** A host, a server and the way between them, all invented: time passes only when a test says so. */
class World {
  readonly logger = new RecordingLogger()
  /** us by the host's monotonic clock. */
  monotonic = 5_000_000
  /** What the host's wall clock is ahead of the monotonic one, in us. */
  wallAhead = START
  /** What the server's clock is ahead of the monotonic one, in us. */
  serverAhead = START
  up = 100
  down = 100
  readonly floors: number[] = []
  /** Done when the server has answered. */
  onceAsked = () => {}
  /** What is to be done later, with how to cancel it. */
  readonly timers = new Set<{ readonly ms: number; readonly run: () => void }>()
  failure: Error | undefined
  /** Holds answers back until it resolves. */
  gate: Promise<void> = Promise.resolve()
  readonly clock = new DeploymentClock({
    node: 'node-a',
    logger: this.logger,
    host: {
      monotonicMs: () => this.monotonic / 1000,
      wallMs: () => (this.monotonic + this.wallAhead) / 1000,
    },
    later: (ms, run) => {
      const timer = { ms, run }
      this.timers.add(timer)
      return () => void this.timers.delete(timer)
    },
    read: async ({ floorUs, seen, lowerUs = 0 }) => {
      this.floors.push(floorUs)
      this.monotonic += this.up
      if (this.corrects && seen !== undefined && seen === this.kept()) {
        this.correction = { us: Math.max(0, this.behind() - lowerUs), since: this.server() }
      }
      if (this.corrects && floorUs > this.server() + this.behind()) {
        this.correction = { us: floorUs - this.server(), since: this.server() }
      }
      const behindUs = Math.round(this.behind())
      const nowUs = this.server() + behindUs
      const { failure, isTooFarBehind } = this
      this.onceAsked()
      await this.gate
      this.monotonic += this.down
      if (failure !== undefined) throw failure
      return { nowUs, behindUs, isTooFarBehind, kept: this.kept() }
    },
  })
  /** Whether a server that is behind is corrected: one that is full is not. */
  corrects = true
  isTooFarBehind = false

  /** What the server has stored. */
  correction = { us: 0, since: 0 }

  behind(): number {
    const { us, since } = this.correction
    return Math.max(0, us - Math.max(0, this.server() - since) / 1000)
  }

  kept(): string {
    const { us, since } = this.correction
    return us === 0 ? '' : `${us} ${since}`
  }

  server(): number {
    return Math.round(this.monotonic + this.serverAhead)
  }

  /** How far the clock is off the server, in us. */
  error(): number {
    return this.clock.nowUs() - this.server()
  }

  warnings(): string[] {
    return this.logger.entries
      .filter(({ level }) => level === 'warn' || level === 'error')
      .map(({ message }) => message)
  }
}

describe('an interval', () => {
  const delay = fc.integer({ min: 0, max: 200_000 })

  test('holds the truth however the delay is divided, and cutting it down never loses it under the drift bound', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ up: delay, down: delay, pause: fc.integer({ min: 0, max: 60_000_000 }) }), {
          minLength: 1,
          maxLength: 30,
        }),
        fc.double({ min: -DRIFT, max: DRIFT, noNaN: true }),
        (steps, drift) => {
          let now = 0
          const truth = () => START + now * drift
          let known: ReturnType<typeof measured> | undefined
          for (const { up, down, pause } of steps) {
            now += pause
            const asked = now
            now += up
            const answer = now + truth()
            now += down
            const newer = measured(answer, asked, now)
            known = known === undefined ? newer : intersected(known, newer)
            expect(known).toBeDefined()
            const { low, high } = widened(known as typeof newer, now)
            // Doubles at this size are exact to a quarter of a microsecond.
            expect(low - 1).toBeLessThanOrEqual(truth())
            expect(high + 1).toBeGreaterThanOrEqual(truth())
          }
        },
      ),
    )
  })
})

describe('the clock of a deployment', () => {
  test('is that of the server, whatever the wall clock of the host says', async () => {
    for (const hours of [-24, -1, 0, 1, 240]) {
      const world = new World()
      world.wallAhead += hours * 3_600_000_000
      await world.clock.start()
      expect(Math.abs(world.error())).toBeLessThanOrEqual(world.clock.uncertaintyMs * 1000)
      expect(world.clock.now()).toBe(Math.floor(world.clock.nowUs() / 1000))
    }
  })

  test('cannot be started over a connection that is lost meanwhile: the error of a store that is away', async () => {
    const world = new World()
    world.onceAsked = () => world.clock.forget()
    const error = await world.clock.start().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(StoreUnavailableError)
    expect(error).toMatchObject({ applied: 'no' })
  })

  test('is off by no more than it says, over any delays', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 50_000 }), fc.integer({ min: 0, max: 50_000 })), {
          minLength: 2,
          maxLength: 10,
        }),
        async (delays) => {
          const world = new World()
          await world.clock.start()
          for (const [up, down] of delays) {
            Object.assign(world, { up, down })
            await world.clock.measure()
            world.monotonic += 5_000_000
            expect(Math.abs(world.error())).toBeLessThanOrEqual(world.clock.uncertaintyMs * 1000 + 1)
          }
        },
      ),
    )
  })

  test('a slow answer makes it no worse than age does', async () => {
    const world = new World()
    await world.clock.start()
    const before = world.clock.uncertaintyMs
    world.up = 900_000
    await world.clock.measure()
    expect(world.clock.uncertaintyMs).toBeLessThan(before + 1)
  })

  test('never goes back, over steps, lost connections and answers in any order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.integer({ min: -9_000_000, max: 9_000_000 }).map((us) => ({ what: 'server' as const, us })),
            fc.integer({ min: -9_000_000, max: 9_000_000 }).map((us) => ({ what: 'wall' as const, us })),
            fc.integer({ min: 0, max: 9_000_000 }).map((us) => ({ what: 'pass' as const, us })),
            fc.constant({ what: 'measure' as const, us: 0 }),
            fc.constant({ what: 'reconnect' as const, us: 0 }),
          ),
          { maxLength: 30 },
        ),
        async (steps) => {
          const world = new World()
          await world.clock.start()
          let last = world.clock.nowUs()
          for (const { what, us } of steps) {
            if (what === 'server') world.serverAhead += us
            if (what === 'wall') world.wallAhead += us
            if (what === 'pass') world.monotonic += us
            if (what === 'reconnect') world.clock.forget()
            if (what === 'measure' || what === 'reconnect') await world.clock.measure()
            const now = world.clock.nowUs()
            expect(now).toBeGreaterThanOrEqual(last)
            last = now
          }
        },
      ),
    )
  })

  test('what it holds back after a step is part of what it may be off', async () => {
    const world = new World()
    await world.clock.start()
    const before = world.clock.nowUs()
    world.clock.forget()
    world.serverAhead -= 3_000_000
    world.corrects = false
    await world.clock.measure()
    expect(world.clock.nowUs()).toBeGreaterThanOrEqual(before)
    expect(world.clock.uncertaintyMs).toBeGreaterThan(2_990)
    expect(world.error()).toBeLessThanOrEqual(world.clock.uncertaintyMs * 1000 + 1)
    world.monotonic += 4_000_000
    await world.clock.measure()
    expect(world.clock.uncertaintyMs).toBeLessThan(2)
  })

  test('asks a server that is behind to remember it: time runs on', async () => {
    const world = new World()
    await world.clock.start()
    const before = world.clock.nowUs()
    world.clock.forget()
    world.serverAhead -= 3_000_000
    await world.clock.measure()
    expect(world.floors.at(-1)).toBeGreaterThan(before - 10_000)
    expect(world.clock.nowUs() - before).toBeLessThan(10_000)
    expect(world.clock.uncertaintyMs).toBeLessThan(5)
    const { steps } = world.clock.state
    // It wears off on every node alike, so that no clock is held back and none is in doubt for it.
    for (let n = 0; n < 100; n++) {
      world.monotonic += 5_000_000
      const now = world.clock.nowUs()
      expect(Math.abs(now - world.server() - world.behind())).toBeLessThan(
        world.clock.uncertaintyMs * 1000 + 1,
      )
      expect(world.clock.uncertaintyMs).toBeLessThan(2)
      await world.clock.measure()
    }
    expect(world.clock.state.steps).toBe(steps)
    expect(world.behind()).toBeLessThan(2_600_000)
  })

  test('a question that took long to reach a server that is behind costs no time: it is asked again', async () => {
    const world = new World()
    await world.clock.start()
    for (const slowUs of [50_000, 400_000]) {
      const ahead = world.clock.nowUs() - world.monotonic
      world.clock.forget()
      world.serverAhead -= 1_000_000
      world.up = slowUs
      const asked = world.floors.length
      world.onceAsked = () => {
        world.up = 100
      }
      await world.clock.measure()
      expect(world.floors.length - asked).toBe(2)
      // What a question loses that is answered at once, and the slack of the floor.
      expect(Math.abs(world.clock.nowUs() - world.monotonic - ahead)).toBeLessThan(3_000)
      expect(world.clock.uncertaintyMs).toBeLessThan(3)
    }
  })

  test('a server that was set is believed, counted and told once', async () => {
    const world = new World()
    await world.clock.start()
    world.serverAhead += 5_000_000
    await world.clock.measure()
    expect(Math.abs(world.error())).toBeLessThan(1000)
    expect(world.clock.state.steps).toBe(1)
    await world.clock.measure()
    expect(world.clock.state.steps).toBe(1)
    expect(world.warnings()).toEqual([
      'the clock of Redis was set forward',
      expect.stringContaining('of this host'),
    ])
  })

  test('a server that is too far behind is believed, and said to be an error', async () => {
    const world = new World()
    await world.clock.start()
    world.clock.forget()
    world.serverAhead -= 3_600_000_000
    Object.assign(world, { isTooFarBehind: true, corrects: false })
    await world.clock.measure()
    expect(Math.abs(world.error())).toBeLessThan(1000)
    expect(world.warnings()[0]).toMatch(/too far behind/)
  })

  test('a node that just started does not rely on a correction until the others have seen it', async () => {
    const world = new World()
    world.correction = { us: 4_000_000, since: world.server() }
    await world.clock.start()
    expect(world.clock.uncertaintyMs).toBeGreaterThan(3_900)
    // It asks again soon, and not only in five seconds.
    expect(Math.min(...[...world.timers].map(({ ms }) => ms))).toBeLessThanOrEqual(250)
    // Another node mends it.
    world.correction = { us: 2_000_000, since: world.server() }
    world.monotonic += 250_000
    const before = world.clock.nowUs()
    await world.clock.measure()
    expect(world.clock.nowUs()).toBe(before)
    expect(world.clock.uncertaintyMs).toBeGreaterThan(3_500)
    world.monotonic += 2_500_000
    await world.clock.measure()
    expect(world.clock.uncertaintyMs).toBeLessThan(1)
    expect(world.error()).toBeLessThan(2_000_000)
  })

  test('a node that starts at a server that is behind, before the others have corrected it, hears of it soon', async () => {
    const world = new World()
    await world.clock.start()
    expect(Math.min(...[...world.timers].map(({ ms }) => ms))).toBeLessThanOrEqual(250)
    world.monotonic += 250_000
    // A node from before the failover has stored what the server is behind.
    world.correction = { us: 3_000_000, since: world.server() }
    await world.clock.measure()
    expect(world.error()).toBeGreaterThan(2_900_000)
    expect(world.behind()).toBeGreaterThan(2_900_000)
    world.monotonic += 2_500_000
    await world.clock.measure()
    expect(world.clock.uncertaintyMs).toBeLessThan(1)
    expect(Math.min(...[...world.timers].map(({ ms }) => ms))).toBe(5_000)
  })

  test('a node that started at a server that was behind never takes away what others correct later', async () => {
    const world = new World()
    await world.clock.start()
    world.monotonic += 60_000_000
    await world.clock.measure()
    world.correction = { us: 3_000_000, since: world.server() }
    for (let n = 0; n < 3; n++) {
      const before = world.clock.nowUs()
      await world.clock.measure()
      expect(world.clock.nowUs()).toBeGreaterThan(before)
      expect(world.behind()).toBeGreaterThan(2_900_000)
      expect(world.error()).toBeGreaterThan(2_900_000)
      world.monotonic += 5_000_000
    }
  })

  test('failovers back and forth between servers that are apart add nothing to the clock', async () => {
    const world = new World()
    await world.clock.start()
    for (let round = 0; round < 40; round++) {
      const before = world.clock.nowUs()
      const monotonic = world.monotonic
      world.clock.forget()
      world.serverAhead = START + ([0, -4_000_000, -2_000_000][round % 3] ?? 0)
      world.monotonic += 50_000
      await world.clock.measure()
      // The time of the deployment passes as the host's does: no step in either direction.
      const passed = world.clock.nowUs() - before
      expect(passed).toBeGreaterThanOrEqual(0)
      expect(Math.abs(passed - (world.monotonic - monotonic))).toBeLessThan(20_000)
    }
    expect(world.clock.nowUs() - START - world.monotonic).toBeLessThan(500_000)
  })

  test('a machine that was suspended measures once, without a floor, however often the time is read; marks wait', async () => {
    const world = new World()
    await world.clock.start()
    const asked = world.floors.length
    world.wallAhead += 10_000_000
    world.serverAhead += 10_000_000
    for (let n = 0; n < 50; n++) world.clock.now()
    const uncertainty = world.clock.uncertaintyMs
    expect(uncertainty).toBeLessThan(5)
    await world.clock.settled()
    expect(world.floors.slice(asked)).toEqual([0])
    expect(Math.abs(world.error())).toBeLessThan(1000)
    expect(world.clock.uncertaintyMs).toBeLessThan(5)
    // The server did not step, the host stood still.
    expect(world.clock.state.steps).toBe(0)
  })

  test('a jump while a question is under way makes its answer worthless', async () => {
    const world = new World()
    await world.clock.start()
    let answer = () => {}
    world.gate = new Promise((resolve) => {
      answer = resolve
    })
    const under = world.clock.measure()
    world.wallAhead += 10_000_000
    world.serverAhead += 10_000_000
    world.clock.now()
    const settled = world.clock.settled()
    world.gate = Promise.resolve()
    answer()
    await under
    await settled
    expect(Math.abs(world.error())).toBeLessThan(1000)
  })

  test('a connection that is lost makes the time unknown until it is measured on the next', async () => {
    const world = new World()
    await world.clock.start()
    expect(world.clock.isKnown).toBe(true)
    world.clock.forget()
    expect(world.clock.isKnown).toBe(false)
    expect(world.timers.size).toBe(0)
    await world.clock.measure()
    expect(world.clock.isKnown).toBe(true)
  })

  test('an answer of the connection before says nothing', async () => {
    const world = new World()
    await world.clock.start()
    let answer = () => {}
    world.gate = new Promise((resolve) => {
      answer = resolve
    })
    const stale = world.clock.measure()
    world.clock.forget()
    answer()
    await stale
    expect(world.clock.isKnown).toBe(false)
  })

  test('a measurement that fails is repeated, told once, and leaves no timer behind after the close', async () => {
    const world = new World()
    await world.clock.start()
    world.failure = new Error('LOADING')
    await world.clock.measure()
    await world.clock.measure()
    expect(world.warnings()).toEqual(['the clock of Redis could not be read; trying again'])
    const [timer] = world.timers
    expect(timer?.ms).toBeLessThan(1000)
    world.failure = undefined
    timer?.run()
    await world.clock.measure()
    expect(world.clock.failure).toBeUndefined()
    world.clock.close()
    expect(world.timers.size).toBe(0)
    await world.clock.measure()
    expect(world.timers.size).toBe(0)
  })

  test('a start that fails says why', async () => {
    const world = new World()
    world.failure = new Error('LOADING')
    await expect(world.clock.start()).rejects.toThrow('LOADING')
    world.clock.close()
    expect(world.timers.size).toBe(0)
  })

  test('a node warns of its own host, once as long as it is off, and names both times', async () => {
    const world = new World()
    world.wallAhead += 70_000_000
    await world.clock.start()
    await world.clock.measure()
    expect(world.warnings()).toEqual([
      'the clock of this host is 70000 ms ahead of the clock of the Redis deployment, which is used instead',
    ])
    expect(world.logger.entries[0]?.fields).toMatchObject({
      node: 'node-a',
      hostAheadMs: 70_000,
      host: expect.stringMatching(/^20.*Z$/),
      deployment: expect.stringMatching(/^20.*Z$/),
    })
    expect(world.clock.warning).toMatch(/^node "node-a": the clock of this host is 70000 ms ahead/)
    world.wallAhead -= 70_000_000
    expect(world.clock.warning).toBeUndefined()
    world.clock.now()
    await world.clock.settled()
    world.wallAhead -= 5_000_000
    world.clock.now()
    await world.clock.settled()
    expect(world.warnings().at(-1)).toContain('5000 ms behind')
  })
})
