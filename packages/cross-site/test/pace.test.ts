// How fast a push goes on.
import { expect, test } from 'vitest'
import { Pace } from '../src/push/pace.js'

/** Whether records may pass at once. */
async function passes(pace: Pace): Promise<boolean> {
  const stopping = new AbortController()
  let isThrough = false
  const taken = pace.take(1, stopping.signal).then(() => {
    isThrough = true
  })
  await new Promise(setImmediate)
  const answer = isThrough
  stopping.abort()
  await taken
  return answer
}

test('records pass at once while Redis has time', async () => {
  const pace = new Pace(1_000_000)
  expect(await passes(pace)).toBe(true)
  pace.rest(0)
  expect(await passes(pace)).toBe(true)
})

test('a Redis that took long for records serves others before the next ones', async () => {
  const pace = new Pace(1_000_000)
  pace.rest(60_000)
  expect(await passes(pace)).toBe(false)
})
