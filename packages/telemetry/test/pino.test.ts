import { tracingChannel } from 'node:diagnostics_channel'
import { StoreUnavailableError } from '@authstate/spi'
import { createAuthState } from 'authstate'
import { memoryUserSessions } from 'authstate/user-session'
import { expect, onTestFinished, test } from 'vitest'
import { QUIET_MS, type Time } from '../src/limiter.js'
import { writeLines } from '../src/lines.js'
import { instrument, type LineLogger } from '../src/pino.js'
import { realms } from './every-verb.js'
import { linesOfPino } from './observers.js'

/** Time that passes when a test says so. */
class Waiting implements Time {
  #waiting: { readonly run: () => void }[] = []
  setTimeout = ((run: () => void) => {
    const one = { run, unref: () => one }
    this.#waiting.push(one)
    return one
  }) as never
  clearTimeout = ((one: { run: () => void }) => {
    this.#waiting = this.#waiting.filter((other) => other !== one)
  }) as never
  pass(): void {
    for (const { run } of this.#waiting.splice(0)) run()
  }
  get length(): number {
    return this.#waiting.length
  }
}

/** A store that fails as often as it is told to. */
function failing() {
  const factory = memoryUserSessions()
  return {
    ...factory,
    create: async (...args: Parameters<typeof factory.create>) => {
      const provider = await factory.create(...args)
      const fail = async () => {
        throw new StoreUnavailableError('user-session.get: ada’s session is away', { applied: 'no' })
      }
      return Object.assign(provider, { get: fail, count: fail })
    },
  }
}

async function written(providers: Parameters<typeof createAuthState>[0] = {}) {
  const { logger, lines } = linesOfPino()
  const time = new Waiting()
  const state = await createAuthState({ realms, node: { name: 'n1' }, ...providers })
  onTestFinished(() => state.close())
  const stop = writeLines(state, logger, time)
  return { state, time, stop, lines: () => lines.splice(0).map((line) => JSON.parse(line)) }
}

test('a failure of the store is one line, and one more per ten seconds with how many there were', async () => {
  expect(QUIET_MS).toBe(10_000)
  const { state, time, lines, stop } = await written({ providers: [failing()] })
  const fail = async (times: number) => {
    for (let n = 0; n < times; n++) await state.userSessions.get('acme', 'x'.repeat(24)).catch(() => {})
  }
  await fail(40)
  await state.userSessions.count('acme').catch(() => {})
  expect(lines()).toEqual([
    expect.objectContaining({
      level: 50,
      msg: 'authstate: user-session get failed',
      component: 'authstate',
      node: 'n1',
      spi: 'user-session',
      verb: 'get',
      provider: 'memory',
      outcome: 'ERR_STORE_UNAVAILABLE',
      durationMs: expect.any(Number),
    }),
  ])
  time.pass()
  expect(lines()).toEqual([
    expect.objectContaining({
      level: 50,
      msg: 'authstate: calls failed',
      outcome: 'ERR_STORE_UNAVAILABLE',
      count: 40,
    }),
  ])
  time.pass()
  expect(lines()).toEqual([])
  expect(time.length).toBe(0)
  await fail(3)
  expect(lines()).toHaveLength(1)
  stop()
  expect(lines()).toEqual([expect.objectContaining({ count: 2 })])
  expect(time.length).toBe(0)
  await fail(1)
  expect(lines()).toEqual([])
  for (const name of ['call', 'command'])
    expect(tracingChannel(`authstate:${name}`).hasSubscribers, name).toBe(false)
})

test('what an operator has to know is a line each, without whom it is about', async () => {
  const { state, lines } = await written()
  await state.loginFailures.recordFailure('acme', 'ada')
  await state.loginFailures.clear('acme', 'ada')
  await state.actionTokens.put('acme', 'code', 'k', { lifespanMs: 60_000, family: 'grant' })
  for (let time = 0; time < 3; time++) await state.actionTokens.consume('acme', 'code', 'k')
  await state.actionTokens.revokeFamily('acme', 'grant')
  await state.userSessions.get('acme', 'x'.repeat(24))
  expect(
    lines().map(({ level, msg, event, scope, reason, cause }) => ({
      level,
      msg,
      event,
      scope,
      reason,
      cause,
    })),
  ).toEqual([
    {
      level: 40,
      msg: 'authstate: locked out after failed logins',
      event: 'temporary-lock',
      scope: 'user',
      reason: 'failures',
    },
    { level: 30, msg: 'authstate: a lock-out ended', event: 'unlock', scope: 'user', cause: 'cleared' },
    { level: 40, msg: 'authstate: a token was presented that had been used', event: 'replayed' },
    { level: 30, msg: 'authstate: the tokens of a grant were withdrawn', event: 'family-revoked' },
  ])
})

test('a logger that fails harms nobody', async () => {
  const failing: LineLogger = {
    info: () => {},
    warn: () => {
      throw new Error('full')
    },
    error: (async () => {
      throw new Error('full')
    }) as never,
  }
  const state = await createAuthState({ realms })
  onTestFinished(() => state.close())
  onTestFinished(instrument(state, { logger: failing }))
  await state.loginFailures.recordFailure('acme', 'ada')
  await expect(state.userSessions.get('acme', 7 as never)).rejects.toThrow(TypeError)
  await new Promise(setImmediate)
})

test('misuse is told by name', async () => {
  const state = await createAuthState()
  onTestFinished(() => state.close())
  expect(() => instrument(state, {} as never)).toThrow('"options.logger.info"')
  expect(() => instrument(state, { logger: console, level: 'info' } as never)).toThrow(
    '"options" has no property',
  )
})
