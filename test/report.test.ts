import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  failures,
  leftOut,
  missing,
  type Report,
  readReport,
  storeTable,
  totals,
} from '../tools/lib/report.mjs'
import { root } from './lib/tracked.js'

const file = (name: string, status: string, cases: readonly [titles: string, status: string][]) => ({
  name: join(root, name),
  status,
  assertionResults: cases.map(([titles, caseStatus]) => {
    const parts = titles.split(' > ')
    return { ancestorTitles: parts.slice(0, -1), title: parts.at(-1) ?? '', status: caseStatus }
  }),
})

const report: Report = {
  testResults: [
    file('a.test.ts', 'passed', [
      ['memory > action-token conformance: memory > put > stores', 'passed'],
      ['redis > action-token conformance: redis > put > stores', 'passed'],
      ['redis > action-token conformance: redis > put > counts', 'failed'],
      ['x > action-token conformance: redis with keyPrefix > put > stores', 'passed'],
      ['action-token conformance: a new store > put > stores', 'passed'],
      ['redis cluster [could not run: cluster: none here]', 'skipped'],
    ]),
    file('b.test.ts', 'passed', [
      ['b > other [could not run: cluster: none here]', 'skipped'],
      ['b > left out', 'pending'],
    ]),
    file('broken.test.ts', 'failed', []),
  ],
}

test('cases are counted, and a file that cannot be loaded is a failure', () => {
  expect(totals(report)).toEqual({ passed: 4, failed: 2, skipped: 3 })
})

test('what failed is told with its reason, and no more of a long one than says it', () => {
  const stack = Array.from({ length: 100 }, (_, line) => `line ${line}`).join('\n')
  const [failedCase, hook, nothing] = [
    file('a.test.ts', 'failed', [['a > b', 'failed']]),
    { ...file('hook.test.ts', 'failed', [['a > b', 'passed']]), message: 'afterAll: no' },
    file('c.test.ts', 'passed', [['a > b', 'passed']]),
  ]
  const heard = failures({
    testResults: [
      {
        ...failedCase,
        assertionResults: failedCase.assertionResults.map((item) => ({ ...item, failureMessages: [stack] })),
      },
      hook,
      nothing,
    ],
  })
  expect(heard).toHaveLength(2)
  expect(heard[0]).toMatch(/^a\.test\.ts > a > b\n {4}line 0\n {4}line 1\n/)
  expect(heard[0]?.split('\n').length).toBeLessThan(20)
  expect(heard[1]).toBe('hook.test.ts\n    afterAll: no')
  expect(failures(undefined)).toEqual([])
})

test('what could not run is listed by reason, and what was skipped without one as well', () => {
  const cluster = ['cluster: none here', ['a.test.ts > redis cluster', 'b.test.ts > b > other']]
  expect(missing(report, { filtered: false })).toEqual([
    cluster,
    ['skipped without a reason', ['b.test.ts > b > left out']],
  ])
  expect(missing(report, { filtered: true })).toEqual([cluster])
})

test('what a store does not claim is listed, and is nothing that could not run', () => {
  const suite = 'realm-cache conformance: memory'
  const unclaimed: Report = {
    testResults: [
      file('c.test.ts', 'passed', [
        [`${suite} > left out, 1 case: there is one node`, 'skipped'],
        [`${suite} > put > stores`, 'passed'],
      ]),
    ],
  }
  expect(leftOut(unclaimed)).toEqual([`${suite}: left out, 1 case: there is one node`])
  expect(missing(unclaimed, { filtered: false })).toEqual([])
  expect(leftOut(report)).toEqual([])
})

test('the table counts what ran on each store', () => {
  expect(
    storeTable(report)
      ?.split('\n')
      .map((line) => line.trim().split(/\s{2,}/)),
  ).toEqual([
    ['suite', 'memory', 'redis', 'redis with keyPrefix', 'redis cluster', 'ioredis 5', 'other'],
    ['action-token', '1', '2', '1', '-', '-', '1'],
  ])
})

test('without a report there is nothing to count', () => {
  expect(readReport(join(root, 'no-such-report.json'))).toBeUndefined()
  expect(totals(undefined)).toEqual({ passed: 0, failed: 0, skipped: 0 })
  expect(storeTable(undefined)).toBeUndefined()
})
