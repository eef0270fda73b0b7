// The page, the dashboard and the alerts ask for what the metrics of @authstate/telemetry have.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { METRICS, promNameOf } from '../packages/telemetry/src/index.js'
import { Changes } from '../tools/sync/changes.js'
import { ALERTS, alertsFile, anchorOf } from '../tools/sync/telemetry/alerts.js'
import { dashboardFile, ROWS } from '../tools/sync/telemetry/dashboard.js'
import { telemetryFiles } from '../tools/sync/telemetry/files.js'
import { faultsOf } from '../tools/sync/telemetry/promql.js'
import { root } from './lib/tracked.js'

const written = new Changes((path) => readFileSync(join(root, path), 'utf8'))
const page = written.text('docs/telemetry.md')

test('the page, the dashboard and the alerts are as `npm run sync` writes them', () => {
  const changes = new Changes((path) => written.text(path))
  telemetryFiles(changes)
  expect(changes.paths).toEqual([])
})

test('the page has every metric under both of its names', () => {
  for (const metric of METRICS) expect(page).toContain(`| \`${metric.name}\` | \`${promNameOf(metric)}\` |`)
})

test('every metric is on the dashboard', () => {
  const shown = dashboardFile()
  for (const metric of METRICS) expect(shown).toContain(promNameOf(metric))
})

test('every expression of the dashboard and of the alerts asks for what there is', () => {
  const expressions = [
    ...ALERTS.map(({ expression }) => expression),
    ...ROWS.flatMap(({ panels }) => panels.flatMap(({ lines }) => lines.map(([expression]) => expression))),
  ]
  expect(expressions.length).toBeGreaterThan(30)
  expect(expressions.flatMap(faultsOf)).toEqual([])
})

test('every alert says what to do, under a heading of the page', () => {
  const headings = new Set([...page.matchAll(/^### (.+)$/gm)].map(([, heading = '']) => anchorOf(heading)))
  for (const { name, runbook } of ALERTS)
    expect([name, headings.has(anchorOf(runbook))]).toEqual([name, true])
  expect(new Set(ALERTS.map(({ name }) => name)).size).toBe(ALERTS.length)
})

test.each([
  ['rate(authstate_lock_total[5m])', 'no metric is called authstate_lock_total'],
  ['authstate_call_duration_seconds', 'no metric is called authstate_call_duration_seconds'],
  ['authstate_locks_total{realm="acme"}', 'authstate_locks_total has no label realm'],
  ['authstate_locks_total{scope="address"}', 'authstate_locks_total has no scope "address"'],
  ['authstate_locks_total{scope=~"user|address"}', 'authstate_locks_total has no scope "address"'],
  ['sum by (kind, spi) (authstate_locks_total)', 'no metric of it has the label spi'],
  ['up == 0', 'asks for no metric'],
])('what there is not is found: %s', (expression, fault) => {
  expect(faultsOf(expression)).toEqual([expect.stringContaining(fault)])
})

test('a rule or a panel that asks for what there is not is not written', () => {
  const [alert] = ALERTS
  if (alert === undefined) throw new Error('there are no alerts')
  expect(() => alertsFile([{ ...alert, expression: 'authstate_none_total' }])).toThrow(
    `${alert.name}: no metric`,
  )
  const panel = { title: 'P', unit: 'ops', lines: [['authstate_none_total', '']] } as const
  expect(() => dashboardFile([{ title: 'R', panels: [panel] }])).toThrow('P: no metric')
})
