// Reads vitest's JSON report: how many cases ran on which store, what could not run, the totals.
import { existsSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { root } from './run.mjs'
import { table } from './table.mjs'

/** Longest first: `redis` is the beginning of two others. */
const STORES = ['redis with keyPrefix', 'redis cluster', 'ioredis 5', 'memory', 'redis']
const COLUMNS = ['memory', 'redis', 'redis with keyPrefix', 'redis cluster', 'ioredis 5']
const SUITE = /(?:^| )(\S+) conformance: (.+)$/
/** The title of a test that tools/testing/capabilities.ts put in place of what could not run. */
const MISSING = /^(.*) \[could not run: (.+)\]$/
/** The title a suite registers for cases that a target does not claim, with the target's reason. */
const LEFT_OUT = /^left out, \d+ cases?: (.+)$/

const NONE = '-'

const SKIPPED = new Set(['skipped', 'pending', 'todo', 'disabled'])

/** Reads the report; undefined when vitest did not get so far as to write one. */
export const readReport = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined)

const casesOf = (report) =>
  (report?.testResults ?? []).flatMap((file) =>
    file.assertionResults.map((test) => ({
      file: relative(root, file.name),
      titles: [...test.ancestorTitles, test.title],
      status: test.status,
      messages: test.failureMessages ?? [],
    })),
  )

/** Files that failed with no case that did: they could not be loaded, or a hook failed. */
const brokenFiles = (report) =>
  (report?.testResults ?? []).filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )

export function totals(report) {
  const cases = casesOf(report)
  const count = (wanted) => cases.filter((c) => wanted(c.status)).length
  return {
    passed: count((s) => s === 'passed'),
    failed: count((s) => s === 'failed') + brokenFiles(report).length,
    skipped: count((s) => SKIPPED.has(s)),
  }
}

const LINES_OF_A_FAILURE = 12

/** What failed and why, for the end of a log of which only the end may be kept: the beginning of each message. */
export function failures(report) {
  const say = (name, messages) =>
    [name, ...messages.flatMap((one) => one.split('\n').slice(0, LINES_OF_A_FAILURE))].join('\n    ')
  const cases = casesOf(report)
    .filter(({ status }) => status === 'failed')
    .map(({ file, titles, messages }) => say([file, ...titles].join(' > '), messages))
  const files = brokenFiles(report).map((file) => say(relative(root, file.name), [file.message ?? '']))
  return [...cases, ...files]
}

/** What could not run: every reason, with the tests it concerns. */
export function missing(report, { filtered }) {
  const reasons = new Map()
  for (const { file, titles, status } of casesOf(report)) {
    if (!SKIPPED.has(status)) continue
    const [, what, reason] = MISSING.exec(titles.at(-1)) ?? []
    if (reason === undefined && (filtered || LEFT_OUT.test(titles.at(-1)))) continue // vitest's -t skips all others
    const name = [file, ...titles.slice(0, -1), what ?? titles.at(-1)].join(' > ')
    const key = reason ?? 'skipped without a reason'
    reasons.set(key, [...(reasons.get(key) ?? []), name])
  }
  return [...reasons].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Cases of suites that a target does not claim: a line each. They are no failure, and not passed over in silence. */
export function leftOut(report) {
  return casesOf(report).flatMap(({ titles, status }) =>
    SKIPPED.has(status) && LEFT_OUT.test(titles.at(-1)) ? [`${titles.at(-2)}: ${titles.at(-1)}`] : [],
  )
}

/** Rows of suites, columns of stores, numbers of passed cases; undefined when no suite ran. */
export function storeTable(report) {
  const rows = new Map()
  for (const { titles, status } of casesOf(report)) {
    const [, spi, rest] = SUITE.exec(titles.join(' ')) ?? []
    if (spi === undefined || SKIPPED.has(status)) continue
    const store = STORES.find((s) => rest === s || rest.startsWith(`${s} `)) ?? 'other'
    const row = rows.get(spi) ?? {}
    row[store] = (row[store] ?? 0) + 1
    rows.set(spi, row)
  }
  if (rows.size === 0) return undefined
  const columns = [...COLUMNS, ...([...rows.values()].some((r) => r.other) ? ['other'] : [])]
  const body = [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([spi, row]) => [spi, ...columns.map((column) => row[column] ?? NONE)])
  return table([['suite', ...columns], ...body])
}
