import { ProviderError } from '@authstate/spi'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readArguments } from '../src/cli/arguments.js'
import { readEntries } from '../src/cli/entries.js'
import { jsonReport } from '../src/cli/json-report.js'
import { junitReport } from '../src/cli/junit.js'
import { table } from '../src/cli/tables.js'
import { UsageError } from '../src/cli/usage-error.js'
import { ConformanceFailure, type Guarantee } from '../src/index.js'
import { memoryTallies, tallySpi, tallySuite } from './fixtures/tally.js'
import { wellFormed } from './fixtures/xml.js'

/** Runs and lets only the error pass that is told to the user. */
function orUsageError<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof UsageError && !(error instanceof ProviderError)) return undefined
    throw error
  }
}

describe('arguments', () => {
  test('all of them', () => {
    const argv = 'm.js --spi a,b-c --level=basic --level expiry,cluster --case x --list --seed 7 --timeout 90'
    expect(readArguments([...argv.split(' '), '--junit', 'j.xml', '--json', 'r.json'])).toEqual({
      module: 'm.js',
      spis: ['a', 'b-c'],
      levels: ['basic', 'expiry', 'cluster'],
      case: 'x',
      list: true,
      junit: 'j.xml',
      json: 'r.json',
      seed: 7,
      timeoutMs: 90,
      help: false,
      version: false,
    })
  })

  test('none of them', () => {
    expect(readArguments([])).toMatchObject({ module: undefined, spis: [], levels: [], list: false })
    expect(readArguments(['-h'])).toMatchObject({ help: true })
  })

  test.each([
    [['a.js', 'b.js'], "one module at a time: got 'a.js', 'b.js'"],
    [['--list=yes'], '--list takes no value'],
    [['--seed'], '--seed needs a value'],
    [['--junit', '--json', 'x'], '--junit needs a value'],
    [['--seed', '-1'], '--seed needs a value'],
    [['--seed', 'x'], '"--seed" must be a whole number'],
    [['--seed', '2147483648'], '"--seed" must be a whole number'],
    [['--timeout', '0'], "--timeout: '0' is no number of milliseconds"],
    [['--spi', '../../etc'], "--spi: '../../etc' is not the name of an SPI"],
    [['--level', ''], '--level needs a value'],
    [['--level', 'basic,'], "--level: there is no level ''"],
    [['--lst'], "no option '--lst'"],
    [['-x'], "no option '-x'"],
  ])('%j is refused', (argv, message) => {
    expect(() => readArguments(argv)).toThrow(message)
  })

  test('whatever is typed is understood or refused as a usage error', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('--', '-', '--spi', '--level', '--list', '--seed', '--no-list', '--spi=', '__proto__'),
      fc.string().map((text) => `--${text}`),
    )
    fc.assert(fc.property(fc.array(word), (argv) => void orUsageError(() => readArguments(argv))))
  })
})

describe('entries of a module', () => {
  const entry = { spi: tallySpi, name: 'x', factories: [memoryTallies()], suite: tallySuite }

  test('default or targets, one or several, by token or by name, ready targets too', () => {
    const target = { name: 'ready', open: async () => ({}) }
    expect(readEntries({ default: entry }).map(({ spi, name }) => [spi, name])).toEqual([['tally', 'x']])
    expect(readEntries({ default: { targets: [entry] } })).toHaveLength(1)
    expect(readEntries({ targets: [entry, { ...entry, spi: 'tally' }] })).toHaveLength(2)
    expect(readEntries({ default: { spi: 'tally', target } })[0]).toMatchObject({ name: 'ready' })
  })

  test.each([
    [{}, 'neither a default export nor "targets"'],
    [{ default: [] }, 'describes no provider'],
    [{ default: memoryTallies }, 'the entry of the module: must be an object'],
    [{ default: [entry, null] }, 'entry 2 of the module: must be an object'],
    [{ default: { ...entry, factory: [] } }, "no property 'factory'. Known: 'spi'"],
    [{ default: { ...entry, spi: 'Not Kebab' } }, '"spi" must be'],
    [{ default: { ...entry, suite: {} } }, '"suite" must come from defineSuite'],
    [{ default: { ...entry, spi: 'other' } }, `"suite" is one of 'tally'`],
    [{ default: { ...entry, name: '' } }, '"name" must be a text'],
    [{ default: { ...entry, factories: memoryTallies() } }, '"factories" must be a list'],
    [{ default: { spi: 'action-token', name: 'x', factories: [memoryTallies()] } }, "they are of 'tally'"],
    [{ default: { ...entry, leaveOut: 'all' } }, '"leaveOut" must be an object'],
    [{ default: { ...entry, nodes: 'two' } }, `"nodes" must be 'one' or 'many'`],
    [{ default: { spi: 'tally', target: {} } }, '"target" must be a target'],
  ])('%o is refused', (exported, message) => {
    expect(() => readEntries(exported)).toThrow(message)
  })

  test('whatever is exported is understood or refused as a usage error', () => {
    const nearly = fc.record(
      Object.fromEntries(
        [...Object.keys(entry), 'leaveOut', 'nodes', 'target', '__proto__'].map((key) => [
          key,
          fc.anything(),
        ]),
      ),
      { requiredKeys: [] },
    )
    const exported = fc.oneof(
      fc.anything(),
      fc.record({ default: fc.oneof(nearly, fc.array(nearly), fc.anything()) }),
      fc.record({ targets: fc.oneof(fc.array(nearly), fc.anything()) }),
    )
    fc.assert(fc.property(exported, (value) => void orUsageError(() => readEntries(value))))
  })
})

describe('reports', () => {
  const guarantee = (text: string): Guarantee => ({
    spi: 'tally',
    target: text,
    guarantee: text,
    level: 'basic',
    source: text,
  })
  const runOf = (text: string) => {
    const failure = new ConformanceFailure(guarantee(text), new Error(text), [text], 1)
    return {
      spi: 'tally',
      target: text,
      results: [
        { ...guarantee(text), durationMs: 1, outcome: 'passed' } as const,
        { ...guarantee(text), durationMs: 1, outcome: 'failed', failure } as const,
        { ...guarantee(text), durationMs: 1, outcome: 'left out', reason: text } as const,
      ],
    }
  }

  test('whatever a provider says, JUnit stays XML and says the same', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({
        unit: fc.constantFrom('<', '&', '"', ']]>', '\u0000', '\ufffe', '\ud800', '\r', '\n', 'é'),
      }),
    )
    fc.assert(
      fc.property(text, (said) => {
        const elements = wellFormed(junitReport([runOf(said)]))
        expect(elements.filter(({ name }) => name === 'testcase')).toHaveLength(3)
      }),
    )
    const plain = `a <b> & "c" ']]>' é`
    const elements = wellFormed(junitReport([runOf(plain)]))
    expect(elements.find(({ name }) => name === 'skipped')?.attributes).toEqual({ message: plain })
    expect(elements.find(({ name }) => name === 'failure')?.text).toContain(`error      Error: ${plain}`)
    expect(elements.find(({ name }) => name === 'testsuites')?.attributes).toMatchObject({
      tests: '3',
      failures: '1',
      skipped: '1',
    })
  })

  test('the JSON report is for programs', () => {
    const head = { version: '1.2.3', node: '20.0.0', seed: 9 }
    expect(JSON.parse(jsonReport([runOf('x')], head))).toMatchObject({
      format: 1,
      ...head,
      totals: { passed: 1, failed: 1, leftOut: 1 },
      targets: [
        {
          cases: [
            { outcome: 'passed' },
            { outcome: 'failed', failure: { steps: ['x'], seed: 1 } },
            { outcome: 'left out', reason: 'x' },
          ],
        },
      ],
    })
  })

  test('columns are as wide as what is in them', () => {
    expect(table([['a', 'bbb'], ['cc', 7], ['d']])).toBe('a   bbb\ncc    7\nd\n')
  })
})
