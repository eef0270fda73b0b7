import { readFileSync } from 'node:fs'
import type { BruteForceSettings } from '@authstate/spi'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { loginFailureConfig } from '../src/config.js'
import { DEFAULT_POLICY, simulate } from '../src/index.js'

// Holds docs/brute-force.md to the code.
const page = readFileSync(new URL('../../../docs/brute-force.md', import.meta.url), 'utf8')

/** The rows of the table under a heading, cell by cell, without its head. */
function table(heading: string): string[][] {
  const section = page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('|'))
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}

const unquoted = (cell = '') => cell.replaceAll('`', '')

/** `{ a: 1_000, b: 'X' }` as written in a cell. */
function settingsOf(cell: string): BruteForceSettings {
  return Object.fromEntries(
    [...cell.matchAll(/(\w+): (?:'(\w+)'|([\d_]+))/g)].map(([, name, text, number]) => [
      name,
      text ?? Number(number?.replaceAll('_', '')),
    ]),
  )
}

describe('docs/brute-force.md', () => {
  test('names every setting with its default', () => {
    const documented = Object.fromEntries(
      table('Settings of a realm').map(([name, , byDefault]) => [unquoted(name), unquoted(byDefault)]),
    )
    const defaults = { enabled: false, ...DEFAULT_POLICY }
    expect(documented).toEqual(
      Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, String(value)])),
    )
  })

  test('names every property of the address rule with its default', () => {
    const documented = Object.fromEntries(
      table('By network address').map(([name, , byDefault]) => [unquoted(name), unquoted(byDefault)]),
    )
    const defaults = v.parse(loginFailureConfig, { address: {} }).address ?? {}
    expect(documented).toEqual(
      Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, String(value)])),
    )
  })

  test.each(table('Worked numbers'))('works out: %s', (cell, ...waits) => {
    const counts = (/^\| settings \|(.*)\|$/m.exec(page)?.[1] ?? '').split('|').map(Number)
    const settings = { ...settingsOf(cell ?? ''), maxDeltaTimeMs: Number.MAX_SAFE_INTEGER }
    // Each failure comes when the longest lock there can be has ended, and is not quick.
    const everyMs = 901_000
    const history = Array.from(
      { length: Math.max(...counts) },
      (_, n) => ({ type: 'failure', at: (n + 1) * everyMs }) as const,
    )
    const steps = simulate(settings, history)
    const worked = counts.map((n) => {
      const { until, event } = steps[n - 1] ?? {}
      return until === undefined ? 0 : (until - (event?.at ?? 0)) / 1_000
    })
    expect(worked.map(String)).toEqual(waits)
  })

  test('explains every reason there is', () => {
    const documented = table('Why is this user locked?').map(([reason]) => unquoted(reason))
    const contract = readFileSync(new URL('../src/contract.ts', import.meta.url), 'utf8')
    const union = contract.split('export type LockReason =')[1]?.split('\n\n')[0] ?? ''
    expect(documented).toEqual([...union.matchAll(/\| '([\w-]+)'/g)].map(([, reason]) => reason))
  })
})
