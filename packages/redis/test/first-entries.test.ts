import { comparePositions, type PagePosition } from '@authstate/spi'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EntriesStep, firstEntries } from '../src/first-entries.js'

const START: PagePosition = { score: 0, id: '' }

/** An index over several partitions. `asked` holds what each round trip asked for. */
function indexOf(partitions: readonly (readonly PagePosition[])[]) {
  const asked: (readonly EntriesStep[])[] = []
  const ask = async (steps: readonly EntriesStep[]) => {
    asked.push(steps)
    return steps.map(({ partition, after, limit }) => {
      const behind = (partitions[partition] ?? []).filter((entry) => comparePositions(entry, after) > 0)
      const entries = behind.slice(0, limit)
      return { entries, next: behind.length > limit ? entries.at(-1) : undefined }
    })
  }
  return { ask, asked, numbers: partitions.map((_, partition) => partition) }
}

const entry = (score: number, id: string): PagePosition => ({ score, id })

describe('the first entries of an index in several partitions', () => {
  test('are those of one index that holds them all, however they are spread', async () => {
    const positions = fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.nat(15)), { maxLength: 120 })
    const wanted = fc.integer({ min: 1, max: 40 })
    const place = fc.integer({ min: 0, max: 30 })
    await fc.assert(
      fc.asyncProperty(positions, wanted, place, async (spread, most, score) => {
        const partitions: PagePosition[][] = Array.from({ length: 16 }, () => [])
        for (const [index, [of, partition]] of spread.entries())
          partitions[partition]?.push(entry(of, `${index}`))
        for (const partition of partitions) partition.sort(comparePositions)
        const { ask, numbers } = indexOf(partitions)
        const after = entry(score, '')
        const all = partitions.flat().sort(comparePositions)
        const behind = all.filter((position) => comparePositions(position, after) > 0)
        expect(await firstEntries(numbers, after, most, ask)).toEqual(behind.slice(0, most))
      }),
      { numRuns: 300 },
    )
  })

  test('a page of 20 asks each of 64 partitions for 3, in one round trip', async () => {
    const partitions = Array.from({ length: 64 }, (_, partition) =>
      Array.from({ length: 100 }, (_entry, round) =>
        entry(round * 64 + partition + 1, `${partition}-${round}`),
      ),
    )
    const { ask, asked, numbers } = indexOf(partitions)
    expect(await firstEntries(numbers, START, 21, ask)).toHaveLength(21)
    expect(asked.map((steps) => steps.map(({ limit }) => limit))).toEqual([Array(64).fill(3)])
  })

  test('where one partition has them all, that one alone is asked again', async () => {
    const partitions = Array.from({ length: 64 }, (_, partition) =>
      Array.from({ length: 30 }, (_entry, round) =>
        entry(partition === 5 ? round + 1 : 1_000 + round, `${partition}-${round}`),
      ),
    )
    const { ask, asked, numbers } = indexOf(partitions)
    const found = await firstEntries(numbers, START, 21, ask)
    expect(found.map(({ score }) => score)).toEqual(Array.from({ length: 21 }, (_, round) => round + 1))
    const again = asked.slice(1).map((steps) => steps.map(({ partition, limit }) => [partition, limit]))
    expect(again).toEqual([[[5, 6]], [[5, 12]]])
  })

  test('one partition is asked for all at once', async () => {
    const { ask, asked, numbers } = indexOf([[entry(1, 'a'), entry(2, 'b')]])
    expect(await firstEntries(numbers, START, 21, ask)).toHaveLength(2)
    expect(asked.map((steps) => steps.map(({ limit }) => limit))).toEqual([[21]])
  })
})
