import { expect, test } from 'vitest'
import { allSteps, StoreUnavailableError } from '../src/index.js'

const failed = (applied: 'no' | 'unknown', message: string = applied) =>
  new StoreUnavailableError(message, { applied })

test('the values, in order', async () => {
  expect(await allSteps([Promise.resolve(1), Promise.resolve(2)])).toEqual([1, 2])
  expect(await allSteps([], true)).toEqual([])
})

test.each([
  ['all refused', [failed('no', 'first'), failed('no', 'second')], false, 'no', 'first'],
  ['one of them done', [1, failed('no')], false, 'unknown', 'no; other parts of it may have been done'],
  [
    'one unknown',
    [failed('no'), failed('unknown')],
    false,
    'unknown',
    'no; other parts of it may have been done',
  ],
  ['unknown first', [failed('unknown', 'first'), failed('no')], false, 'unknown', 'first'],
  [
    'all refused, behind a step that was taken',
    [failed('no')],
    true,
    'unknown',
    'no; other parts of it may have been done',
  ],
])('%s: what may have been applied is told of the whole', async (_, steps, isBegun, applied, message) => {
  const promises = steps.map((item) => (item instanceof Error ? Promise.reject(item) : Promise.resolve(item)))
  await expect(allSteps(promises, isBegun)).rejects.toMatchObject({
    code: 'ERR_STORE_UNAVAILABLE',
    applied,
    message,
  })
})

test('another error is thrown as it is, after every step has ended', async () => {
  let ended = false
  const slow = new Promise((resolve) => setImmediate(resolve)).then(() => {
    ended = true
  })
  const odd = new TypeError('odd')
  await expect(allSteps([Promise.reject(odd), slow])).rejects.toBe(odd)
  expect(ended).toBe(true)
})
