import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { QUICK_TARGETS, TARGETS } from '../benchmarks/src/measures.js'
import { OptionError, type Options, readOptions } from '../benchmarks/src/options.js'
import { bandOfMedian, inTurns, median, quantile } from '../benchmarks/src/statistics.js'

const root = join(import.meta.dirname, '..')
const read = (...args: string[]) => readOptions(args) as Options

describe('npm run bench', () => {
  test('measures all that there is, in 21 rounds', () => {
    const { wanted, ...options } = read()
    expect(options).toEqual({ rounds: 21, quick: false, check: false, full: false, page: false })
    expect(TARGETS.filter(wanted)).toEqual(TARGETS)
    const targets = [
      ...Array.from({ length: 12 }, (_, n) => `D${n + 1}`),
      ...Array.from({ length: 15 }, (_, n) => `R${n}`),
    ]
    expect(TARGETS).toEqual([...targets, 'scale', 'setups', 'sites', 'storms'])
  })

  test('measures what is named, and says what can be', () => {
    expect(TARGETS.filter(read('--only', 'R5, D1,storms').wanted)).toEqual(['D1', 'R5', 'storms'])
    expect(QUICK_TARGETS).toEqual(['D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D10', 'D12'])
    expect(() => read('--only', 'R99')).toThrow(/"R99"; there are D1, .*, R14, scale, setups, sites, storms/)
    expect(() => read('--only', '')).toThrow(OptionError)
    expect(() => read('--quick', '--only', 'R1')).toThrow(/"R1"; --quick measures D1, .*, D12$/)
  })

  test.each([
    [['--rounds', '0']],
    [['--rounds', '2.5']],
    [['--rounds', 'many']],
    [['--rounds', '']],
    [['--quick', '--full']],
    [['--page', '--quick']],
    [['--page', '--only', 'R1']],
    [['--json', join(tmpdir(), 'no-such-folder', 'figures.json')]],
    [['--json', tmpdir()]],
    [['--before', tmpdir()]],
    [['--before', join(tmpdir(), 'no-such-folder')]],
    [['--before', root, '--quick']],
    [['--before', root, '--page']],
    [['--fast']],
    [['R1']],
  ])('refuses %j before anything is measured', (args) => {
    expect(() => read(...args)).toThrow(OptionError)
  })

  test('explains itself', () => expect(readOptions(['--help'])).toBe('help'))
})

describe('figures', () => {
  test('everybody has one turn in a round, and no neighbour is the same all the time', () => {
    const names = ['a', 'b', 'c']
    const turns = inTurns(names, 60)
    expect(turns).toHaveLength(60)
    for (const round of turns) expect([...round].sort()).toEqual(names)
    expect(new Set(turns.map((round) => round.join())).size).toBe(6)
    expect(inTurns(names, 60)).toEqual(turns)
  })

  test('a quantile lies between its neighbours; the band of a median holds it', () => {
    const values = [5, 1, 4, 2, 3]
    expect([median(values), quantile(values, 0), quantile(values, 0.9)]).toEqual([3, 1, 4.6])
    const [low, high] = bandOfMedian(values)
    expect(low).toBeLessThanOrEqual(3)
    expect(high).toBeGreaterThanOrEqual(3)
    expect(bandOfMedian([7, 7, 7])).toEqual([7, 7])
  })
})
