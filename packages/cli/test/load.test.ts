import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { drive, type Pace, type Plan } from '../src/load/drive.js'
import { Histogram } from '../src/load/histogram.js'
import { command, folderWith, type Given } from './support.js'

/** Time that goes on only when somebody waits, and what is to happen in it. */
class FakePace implements Pace {
  #now = 0
  readonly #due: { at: number; run: () => void }[] = []
  now = () => this.#now
  after(ms: number): Promise<void> {
    return new Promise((run) => this.#due.push({ at: this.#now + ms, run }))
  }
  pause = async (ms: number) => {
    this.#now += Math.max(ms, 0.01)
    for (const entry of this.#due.splice(0)) {
      if (entry.at <= this.#now) entry.run()
      else this.#due.push(entry)
    }
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  }
}

const run = (
  plan: Partial<Plan>,
  operate: (pace: FakePace, n: number) => Promise<void>,
  signal = new AbortController().signal,
) => {
  const pace = new FakePace()
  return drive(
    { rps: 100, durationMs: 10_000, maxInFlight: 5_000, ...plan },
    (n) => operate(pace, n),
    (error) => (error as Error).name,
    pace,
    signal,
  )
}

describe('a load', () => {
  test('a percentile is off by one and a half percent at most', () => {
    const histogram = new Histogram()
    for (let n = 1; n <= 10_000; n++) histogram.add(n / 10)
    for (const share of [0.5, 0.9, 0.99, 0.999]) {
      expect(Math.abs(histogram.percentile(share) / (share * 1_000) - 1)).toBeLessThan(0.016)
    }
    expect([histogram.max, histogram.percentile(1), new Histogram().percentile(0.99)]).toEqual([
      1_000, 1_000, 0,
    ])
  })

  test('a server that answers in time is measured as it is', async () => {
    const { due, done, perSecond, times, errors } = await run({}, (pace) => pace.after(5))
    expect([due, done, errors]).toEqual([1_000, 1_000, {}])
    expect(Math.round(perSecond)).toBe(100)
    expect(times.p50).toBeGreaterThanOrEqual(4.9)
    expect(times.max).toBeLessThan(11)
  })

  test('who would have come while a server stalls is counted with the time they would have waited', async () => {
    // It answers nothing between second 2 and second 4.
    const { done, times } = await run({ maxInFlight: 10 }, (pace) => {
      const stalledFor = pace.now() >= 2_000 && pace.now() < 4_000 ? 4_000 - pace.now() : 1
      return pace.after(stalledFor)
    })
    expect(done).toBe(1_000)
    // Two hundred of a thousand were due in these two seconds, though only ten could be asked.
    expect(times.p90).toBeGreaterThan(900)
    expect(times.p99).toBeGreaterThan(1_850)
    expect(times.p50).toBeLessThan(20)
  })

  test('errors are counted by kind, and no more kinds than a few are told apart', async () => {
    const { done, errors } = await run({}, async (_, n) => {
      if (n % 10 === 0) throw Object.assign(new Error('secret'), { name: `Kind${n}` })
      if (n % 10 === 1) throw new TypeError('secret')
    })
    expect(done).toBe(800)
    expect(errors['TypeError']).toBe(100)
    expect(Object.keys(errors).length).toBeLessThanOrEqual(21)
    expect(errors['other']).toBeGreaterThan(50)
  })

  test('a server that never answers ends it, and what is left is told', async () => {
    const { done, errors } = await run({ maxInFlight: 50 }, () => new Promise(() => {}))
    expect([done, errors]).toEqual([0, { 'not started': 950, unfinished: 50 }])
  })
})

const KEYRING = { current: 'a', keys: { a: 'a secret of these tests, 32 bytes or more' } }

describeWith(redis, 'a load on Redis', () => {
  const raw = openRedis()
  afterAll(() => raw.disconnect())

  async function beside() {
    const prefix = `cli-${randomUUID()}`
    const config = { provider: 'redis', redis: { url: redisUrl(), prefix }, keyring: KEYRING }
    const cwd = await folderWith({ 'authstate.config.json': JSON.stringify(config) })
    const load = (line: string, given: Given = {}) => command(`load ${line}`.split(' '), { cwd, ...given })
    const records = async () =>
      (await raw.keys(`${prefix}:{*`)).filter((key) => /:(us|auth|ao|lf):/.test(key))
    return { load, records }
  }

  test.each(['login-storm', 'refresh-storm', 'mixed'])('%s ends what it made', async (scenario) => {
    const { load, records } = await beside()
    const { code, out } = await load(
      `--scenario ${scenario} --rps 100 --minutes 0.008 --sessions 20 --p99 60000 --json --yes`,
    )
    const verdict = JSON.parse(out)
    expect(verdict).toMatchObject({ scenario, due: 48, done: 48, errors: {} })
    expect([code, verdict.fit]).toEqual(verdict.busy > 0.9 ? [1, false] : [0, true])
    expect(await records()).toEqual([])
  })

  test('Ctrl-C prints what was measured, and ends what was made', async () => {
    const { load, records } = await beside()
    const stop = new AbortController()
    const running = load('--rps 50 --minutes 60 --yes --sessions 10', { interrupted: stop.signal })
    while ((await records()).length < 10) await new Promise((resolve) => setImmediate(resolve))
    stop.abort()
    const { code, out } = await running
    expect(code).toBe(130)
    expect(out).toMatch(/times +p50 .*\n[\s\S]*verdict +none: interrupted/)
    expect(await records()).toEqual([])
  })

  test('what is not met is said, and ends with 1', async () => {
    const { load } = await beside()
    const { code, out } = await load('--rps 3000 --minutes 0.002 --p99 1 --scenario login-storm --yes')
    expect(code).toBe(1)
    expect(out).toMatch(/verdict +it does not hold\n +\S/)
  })

  test.each([
    ['--scenario logon-storm --yes', 3, "Did you mean 'login-storm'?"],
    ['--scenari mixed --yes', 3, '--scenario'],
    ['--rps 0 --yes', 2, '--rps'],
    ['--minutes never --yes', 2, '--minutes'],
    ['--rps 10', 6, '--yes'],
    ['--yes --url redis://127.0.0.1:1', 4, ''],
  ])('%s ends with %i', async (line, code, said) => {
    const { load } = await beside()
    const answer = await load(line)
    expect([answer.code, answer.err]).toEqual([code, expect.stringContaining(said)])
  })
})
