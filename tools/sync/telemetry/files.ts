import {
  METRICS,
  type NamedMetric,
  promLabelOf,
  promNameOf,
} from '../../../packages/telemetry/src/metrics.js'
import { type Changes, table } from '../changes.js'
import { ALERTS, alertsFile, anchorOf, RUNBOOKS } from './alerts.js'
import { dashboardFile } from './dashboard.js'

const FOLDER = 'packages/telemetry'

/** The table of metrics on the page about telemetry, the dashboard and the alerts: all from one declaration. */
export function telemetryFiles(changes: Changes): void {
  changes.fill(RUNBOOKS, 'metrics', metricsTable())
  changes.fill(RUNBOOKS, 'alerts', alertsTable())
  const text = changes.text(RUNBOOKS)
  const headings = new Set([...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading)))
  const missing = ALERTS.filter(({ runbook }) => !headings.has(anchorOf(runbook)))
  if (missing.length > 0)
    throw new Error(`${RUNBOOKS}: has no heading ${missing.map(({ runbook }) => `"${runbook}"`).join(', ')}`)
  changes.set(`${FOLDER}/alerts.yaml`, alertsFile())
  changes.set(`${FOLDER}/grafana/authstate.json`, dashboardFile())
}

const metricsTable = (): string[] =>
  table(
    ['metric', 'in Prometheus', 'kind', 'attributes', 'what'],
    (METRICS as readonly NamedMetric[]).map((metric) => {
      const attributes = Object.keys(metric.attributes).map((name) =>
        promLabelOf(name) === name ? `\`${name}\`` : `\`${name}\` (\`${promLabelOf(name)}\`)`,
      )
      const unit = metric.unit === 's' ? `${metric.kind}, s` : metric.kind
      return [
        `\`${metric.name}\``,
        `\`${promNameOf(metric)}\``,
        unit,
        attributes.join(', '),
        metric.description,
      ]
    }),
  )

const alertsTable = (): string[] =>
  table(
    ['alert', 'when', 'what to do'],
    ALERTS.map(({ name, summary, runbook }) => [
      `\`${name}\``,
      summary,
      `[${runbook}](#${anchorOf(runbook)})`,
    ]),
  )
