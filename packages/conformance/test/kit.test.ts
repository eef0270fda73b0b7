import { expect, test } from 'vitest'
import { FakeClock, RecordingLogger, together } from '../src/index.js'

test('a fake clock moves only when told to, also backwards', async () => {
  const clock = new FakeClock(1_000)
  await new Promise((resolve) => setImmediate(resolve))
  expect(clock.now()).toBe(1_000)
  clock.advance(5)
  expect(clock.now()).toBe(1_005)
  clock.advance(-10)
  expect(clock.now()).toBe(995)
  clock.set(7)
  expect(clock.now()).toBe(7)
  expect(new FakeClock().now()).toBe(1_700_000_000_000)
})

test('a recording logger keeps what it is told, by methods that stand alone', () => {
  const logger = new RecordingLogger()
  const { debug, info, warn, error } = logger
  for (const log of [debug, info, warn, error]) log({ n: 1 }, 'said')
  expect(logger.entries).toEqual(
    ['debug', 'info', 'warn', 'error'].map((level) => ({ level, fields: { n: 1 }, message: 'said' })),
  )
})

test('together starts every call before one of them goes on', async () => {
  let started = 0
  const seen = await together(5, async (index) => {
    started += 1
    await Promise.resolve()
    return [index, started]
  })
  expect(seen).toEqual([0, 1, 2, 3, 4].map((index) => [index, 5]))
})

test('together waits for all, then throws the first failure', async () => {
  let ended = 0
  const calls = together(3, async (index) => {
    if (index < 2) throw new Error(`failure ${index}`)
    await new Promise((resolve) => setImmediate(resolve))
    ended += 1
  })
  await expect(calls).rejects.toThrow('failure 0')
  expect(ended).toBe(1)
})
