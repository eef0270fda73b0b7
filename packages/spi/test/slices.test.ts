import { expect, test } from 'vitest'
import { entriesOfNow, inSlices, SLICE } from '../src/internal.js'

test('others have a turn after each slice, and no turn has more than a slice of work', async () => {
  let turn = 0
  let isOver = false
  const next = () => {
    turn += 1
    if (!isOver) setImmediate(next)
  }
  setImmediate(next)
  const perTurn = new Map<number, number>()
  const taken: number[] = []
  await inSlices(Array(10 * SLICE).keys(), (item) => {
    taken.push(item)
    perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1)
  })
  isOver = true
  expect(taken).toEqual([...Array(10 * SLICE).keys()])
  expect(Math.max(...perTurn.values())).toBeLessThanOrEqual(SLICE)
  expect(perTurn.size).toBeGreaterThanOrEqual(10)
})

test('steps that take long end a slice before its time', async () => {
  let nowMs = 0
  let turns = 0
  let isOver = false
  const next = () => {
    turns += 1
    if (!isOver) setImmediate(next)
  }
  setImmediate(next)
  await inSlices(
    Array(160).keys(),
    () => (nowMs += 1),
    () => nowMs,
  )
  isOver = true
  expect(turns).toBeGreaterThanOrEqual(9)
})

test('what a step throws ends the walk', async () => {
  const taken: number[] = []
  await expect(
    inSlices([1, 2, 3], (item) => {
      taken.push(item)
      if (item === 2) throw new Error('broken')
    }),
  ).rejects.toThrow('broken')
  expect(taken).toEqual([1, 2])
})

test('the first step of a slice sees what others did in their turn', async () => {
  const map = new Map(Array.from({ length: 3 * SLICE }, (_, n) => [n, 'old']))
  const change = () => {
    for (const key of map.keys()) map.set(key, 'new')
  }
  const seen: string[] = []
  await inSlices(
    entriesOfNow(map),
    ([key, value]) => {
      if (key === 0) setImmediate(change)
      seen[key] = value
    },
    () => 0,
  )
  expect(seen.lastIndexOf('old')).toBe(SLICE - 1)
  expect(seen.indexOf('new')).toBe(SLICE)
})

test('a walk ends while others add, and sees each entry as it is by then', async () => {
  const map = new Map(Array.from({ length: 3 * SLICE }, (_, n) => [n, 'old']))
  const seen = new Map<number, string>()
  await inSlices(entriesOfNow(map), ([key, value]) => {
    seen.set(key, value)
    map.delete(key)
    map.set(3 * SLICE + key, 'new')
    if (key === 0) {
      map.set(SLICE, 'changed')
      map.delete(SLICE + 1)
    }
  })
  for (let key = 0; key < 3 * SLICE; key++) {
    const expected = key === SLICE ? 'changed' : 'old'
    expect(seen.get(key), String(key)).toBe(key === SLICE + 1 ? undefined : expected)
  }
  // One that went meanwhile leaves its place to one that came.
  expect(seen.size).toBe(3 * SLICE)
})
