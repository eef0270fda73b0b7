import { faultsOf } from './promql.js'

/** A rule of Prometheus. */
export interface Alert {
  readonly name: string
  readonly expression: string
  /** For how long it must hold. */
  readonly forAtLeast: string
  readonly severity: 'critical' | 'warning'
  readonly summary: string
  /** The heading on the page about telemetry that says what to do. */
  readonly runbook: string
}

/** Where the runbooks are, from the root of the repository. */
export const RUNBOOKS = 'docs/telemetry.md'

/** The heading of a runbook, as the link to it is spelled. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replaceAll(' ', '-')

export const ALERTS: readonly Alert[] = [
  {
    name: 'AuthstateStoreUnavailable',
    expression:
      'sum by (instance) (rate(authstate_call_duration_seconds_count{outcome="ERR_STORE_UNAVAILABLE"}[5m])) > 0.1',
    forAtLeast: '2m',
    severity: 'critical',
    summary: 'Calls fail because Redis does not answer or refuses.',
    runbook: 'The store is unavailable',
  },
  {
    name: 'AuthstateRedisRefuses',
    expression:
      'sum by (db_response_status_code) (rate(db_client_operation_duration_seconds_count{db_response_status_code=~"OOM|READONLY|MISCONF|NOREPLICAS|NOPERM"}[5m])) > 0',
    forAtLeast: '1m',
    severity: 'critical',
    summary: 'Redis refuses writes: it is full, a replica, or lacks a right.',
    runbook: 'Redis refuses writes',
  },
  {
    name: 'AuthstateVerbsSlow',
    expression:
      'histogram_quantile(0.99, sum by (le, spi) (rate(authstate_call_duration_seconds_bucket[5m]))) > 0.25',
    forAtLeast: '5m',
    severity: 'warning',
    summary: 'One verb in a hundred takes longer than a quarter of a second.',
    runbook: 'Verbs are slow',
  },
  {
    name: 'AuthstateCommandsPileUp',
    expression: 'max by (instance) (authstate_redis_pending) > 1000',
    forAtLeast: '1m',
    severity: 'warning',
    summary: 'More than a thousand commands wait for Redis at once.',
    runbook: 'Verbs are slow',
  },
  {
    name: 'AuthstateTokensReplayed',
    expression: 'sum by (kind) (increase(authstate_tokens_replayed_total[10m])) > 5',
    forAtLeast: '0m',
    severity: 'warning',
    summary: 'Single-use tokens are presented again after they were used.',
    runbook: 'Tokens are presented again',
  },
  {
    name: 'AuthstateRefreshTokensReused',
    expression:
      'sum(increase(authstate_answers_total{verb=~"rotateRefreshToken|rotateTransientToken",answer="reused"}[10m])) > 5',
    forAtLeast: '0m',
    severity: 'warning',
    summary: 'Refresh tokens are presented again after they were rotated.',
    runbook: 'Tokens are presented again',
  },
  {
    name: 'AuthstateWritesRefused',
    expression:
      // In the first day of a deployment there is no day before: it counts as one without a refusal.
      'sum by (spi) (rate(authstate_writes_refused_total[10m])) > 0.1 + 3 * (sum by (spi) (rate(authstate_writes_refused_total[10m] offset 1d)) or 0 * sum by (spi) (rate(authstate_writes_refused_total[10m])))',
    forAtLeast: '10m',
    severity: 'warning',
    summary: 'Far more writes than a day ago would have brought back what was ended, or exceed a limit.',
    runbook: 'Writes are refused',
  },
  {
    name: 'AuthstateLockOuts',
    expression: 'sum by (scope) (increase(authstate_locks_total[10m])) > 50',
    forAtLeast: '0m',
    severity: 'warning',
    summary: 'Many users or networks are locked out: somebody guesses passwords.',
    runbook: 'Many are locked out',
  },
  {
    name: 'AuthstateChannelDown',
    expression: 'min by (instance) (authstate_channel_live) == 0',
    forAtLeast: '1m',
    severity: 'critical',
    summary: 'A node does not hear the others: its caches are passed by, its view of the nodes is old.',
    runbook: 'A node does not hear the others',
  },
  {
    name: 'AuthstateCacheOutages',
    expression: 'sum by (region) (increase(authstate_cache_outages_total[10m])) > 2',
    forAtLeast: '0m',
    severity: 'warning',
    summary: 'Caches empty themselves again and again.',
    runbook: 'A node does not hear the others',
  },
  {
    name: 'AuthstateNodesDisagree',
    expression: 'max(authstate_cluster_nodes) != min(authstate_cluster_nodes)',
    forAtLeast: '2m',
    severity: 'warning',
    summary: 'Nodes see different numbers of living nodes.',
    runbook: 'A node does not hear the others',
  },
  {
    name: 'AuthstateSiteBlocked',
    expression: 'max by (site) (authstate_site_link{state="blocked"}) > 0',
    forAtLeast: '1m',
    severity: 'critical',
    summary:
      'Another site is told nothing until somebody mends what is wrong: its clock, rights, configuration or data.',
    runbook: 'A link to another site is blocked',
  },
  {
    name: 'AuthstateSiteDown',
    expression: 'max by (site) (authstate_site_link{state=~"connecting|suspect|offline"}) > 0',
    forAtLeast: '5m',
    severity: 'warning',
    summary: 'Another site is told nothing; what changes is remembered.',
    runbook: 'Another site is away',
  },
  {
    name: 'AuthstateSiteBehind',
    expression:
      'max by (site) (authstate_site_behind) > 10000 and max by (site) (authstate_site_link{state="online"}) > 0',
    forAtLeast: '10m',
    severity: 'warning',
    summary: 'Another site is there, and does not hear of changes as fast as they come.',
    runbook: 'Another site is away',
  },
  {
    name: 'AuthstateSiteClock',
    expression: 'max by (site) (abs(authstate_site_clock_offset_seconds)) > 2',
    forAtLeast: '5m',
    severity: 'warning',
    summary: 'The clock of another site is off: of two values written at once the wrong one may stand.',
    runbook: 'A link to another site is blocked',
  },
  {
    name: 'AuthstateRecordsUnreadable',
    expression: 'sum by (spi) (increase(authstate_records_unreadable_total[10m])) > 0',
    forAtLeast: '0m',
    severity: 'warning',
    summary: 'Stored records cannot be read and count as absent.',
    runbook: 'Records cannot be read',
  },
]

/** A text of YAML, in the quotes that need no escapes. */
const quoted = (text: string): string =>
  text.includes('"') ? `'${text.replaceAll("'", "''")}'` : `"${text}"`

/**
 * The rules as a file of Prometheus.
 *
 * @throws {Error} a rule asks for what no metric has
 */
export function alertsFile(alerts: readonly Alert[] = ALERTS): string {
  const faults = alerts.flatMap(({ name, expression }) =>
    faultsOf(expression).map((fault) => `${name}: ${fault}`),
  )
  if (faults.length > 0) throw new Error(faults.join('\n'))
  const rules = alerts.flatMap(({ name, expression, forAtLeast, severity, summary, runbook }) => [
    `      - alert: ${name}`,
    `        expr: ${quoted(expression)}`,
    `        for: ${forAtLeast}`,
    '        labels:',
    `          severity: ${severity}`,
    '        annotations:',
    `          summary: ${quoted(summary)}`,
    `          runbook_url: ${quoted(`${RUNBOOKS}#${anchorOf(runbook)}`)}`,
  ])
  return `${['# Written by `npm run sync`.', 'groups:', '  - name: authstate', '    rules:', ...rules].join('\n')}\n`
}
