import { faultsOf } from './promql.js'

interface Panel {
  readonly title: string
  readonly description?: string
  readonly unit: 's' | 'ops' | 'short' | 'percentunit'
  /** Expressions, each with the text that names its lines. */
  readonly lines: readonly (readonly [expression: string, legend: string])[]
}

interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

/** Only what the chosen instances tell. */
const HERE = 'instance=~"$instance"'

const rate = (metric: string, by: string, selectors = ''): string =>
  `sum by (${by}) (rate(${metric}{${HERE}${selectors}}[$__rate_interval]))`

const quantile = (q: number, metric: string, by: string): string =>
  `histogram_quantile(${q}, sum by (le, ${by}) (rate(${metric}_bucket{${HERE}}[$__rate_interval])))`

export const ROWS: readonly Row[] = [
  {
    title: 'Calls',
    panels: [
      {
        title: 'Calls',
        unit: 'ops',
        lines: [[rate('authstate_call_duration_seconds_count', 'spi'), '{{spi}}']],
      },
      {
        title: 'Calls that failed',
        unit: 'ops',
        lines: [
          [
            rate('authstate_call_duration_seconds_count', 'spi, outcome', ',outcome!="ok"'),
            '{{spi}} {{outcome}}',
          ],
        ],
      },
      {
        title: 'How long calls take, one in a hundred',
        unit: 's',
        lines: [[quantile(0.99, 'authstate_call_duration_seconds', 'spi'), '{{spi}}']],
      },
      {
        title: 'The ten slowest verbs',
        unit: 's',
        lines: [
          [`topk(10, ${quantile(0.99, 'authstate_call_duration_seconds', 'spi, verb')})`, '{{spi}} {{verb}}'],
        ],
      },
    ],
  },
  {
    title: 'Sessions',
    panels: [
      {
        title: 'Sessions made',
        unit: 'ops',
        lines: [[rate('authstate_sessions_created_total', 'kind'), '{{kind}}']],
      },
      {
        title: 'Sessions ended',
        unit: 'ops',
        lines: [[rate('authstate_sessions_ended_total', 'kind, reason'), '{{kind}} {{reason}}']],
      },
      {
        title: 'What verbs answered',
        unit: 'ops',
        lines: [[rate('authstate_answers_total', 'spi, answer'), '{{spi}} {{answer}}']],
      },
      {
        title: 'Writes that were refused',
        description: 'They would have brought back what was ended, or exceed a limit.',
        unit: 'ops',
        lines: [[rate('authstate_writes_refused_total', 'spi, verb'), '{{spi}} {{verb}}']],
      },
    ],
  },
  {
    title: 'Security',
    panels: [
      {
        title: 'Tokens presented again',
        unit: 'ops',
        lines: [
          [rate('authstate_tokens_replayed_total', 'kind'), '{{kind}}'],
          [rate('authstate_answers_total', 'verb', ',answer="reused"'), '{{verb}}'],
        ],
      },
      {
        title: 'Lock-outs',
        unit: 'ops',
        lines: [[rate('authstate_locks_total', 'kind, scope'), '{{kind}} {{scope}}']],
      },
    ],
  },
  {
    title: 'Caches and nodes',
    panels: [
      {
        title: 'Answered by the cache',
        unit: 'percentunit',
        lines: [
          [
            `${rate('authstate_cache_requests_total', 'region', ',result="hit"')} / ${rate('authstate_cache_requests_total', 'region')}`,
            '{{region}}',
          ],
        ],
      },
      {
        title: 'Entries',
        unit: 'short',
        lines: [[`sum by (region) (authstate_cache_entries{${HERE}})`, '{{region}}']],
      },
      {
        title: 'Times that caches were not trusted',
        unit: 'ops',
        lines: [[rate('authstate_cache_outages_total', 'region'), '{{region}}']],
      },
      {
        title: 'Nodes, as each sees them, and whether it hears the others',
        unit: 'short',
        lines: [
          [`max by (instance) (authstate_cluster_nodes{${HERE}})`, 'nodes {{instance}}'],
          [`min by (instance) (authstate_channel_live{${HERE}})`, 'hears {{instance}}'],
        ],
      },
    ],
  },
  {
    title: 'Redis',
    panels: [
      {
        title: 'Commands, and those that failed',
        unit: 'ops',
        lines: [
          [rate('authstate_redis_commands_total', 'instance'), 'sent {{instance}}'],
          [rate('authstate_redis_failures_total', 'instance'), 'failed {{instance}}'],
        ],
      },
      {
        title: 'How long commands take, one in a hundred',
        unit: 's',
        lines: [
          [
            `topk(10, ${quantile(0.99, 'db_client_operation_duration_seconds', 'db_operation_name, db_stored_procedure_name')})`,
            '{{db_operation_name}} {{db_stored_procedure_name}}',
          ],
        ],
      },
      {
        title: 'What Redis refused',
        unit: 'ops',
        lines: [
          [
            rate('db_client_operation_duration_seconds_count', 'error_type', ',error_type!=""'),
            '{{error_type}}',
          ],
        ],
      },
      {
        title: 'Waiting, sent again, and not readable',
        unit: 'short',
        lines: [
          [`sum by (instance) (authstate_redis_pending{${HERE}})`, 'waiting {{instance}}'],
          [`sum(increase(authstate_redis_reloads_total{${HERE}}[$__rate_interval]))`, 'scripts sent again'],
          [
            `sum by (spi) (increase(authstate_records_unreadable_total{${HERE}}[$__rate_interval]))`,
            'not readable {{spi}}',
          ],
        ],
      },
    ],
  },
  {
    title: 'Other sites',
    panels: [
      {
        title: 'How each link stands',
        unit: 'short',
        lines: [[`max by (site, state) (authstate_site_link{${HERE}})`, '{{site}} {{state}}']],
      },
      {
        title: 'What other sites have not heard of',
        unit: 'short',
        lines: [[`max by (site) (authstate_site_behind{${HERE}})`, '{{site}}']],
      },
      {
        title: 'How late other sites hear of a change, and how long a question takes',
        unit: 's',
        lines: [
          [`max by (site) (authstate_site_lag_seconds{${HERE}})`, 'late {{site}}'],
          [`max by (site) (authstate_site_rtt_seconds{${HERE}})`, 'question {{site}}'],
        ],
      },
      {
        title: 'How far clocks of other sites are off',
        unit: 's',
        lines: [[`max by (site) (abs(authstate_site_clock_offset_seconds{${HERE}}))`, '{{site}}']],
      },
      {
        title: 'Decisions about tokens in the place of a site that is offline',
        unit: 'ops',
        lines: [
          [`sum by (site) (rate(authstate_site_unguarded_total{${HERE}}[$__rate_interval]))`, '{{site}}'],
        ],
      },
    ],
  },
]

const WIDTH = 12
const HEIGHT = 8
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana puts what is chosen in its place
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' }

/**
 * The dashboard as Grafana imports it.
 *
 * @throws {Error} a panel asks for what no metric has
 */
export function dashboardFile(rows: readonly Row[] = ROWS): string {
  const faults = rows.flatMap(({ panels }) =>
    panels.flatMap(({ title, lines }) =>
      lines.flatMap(([expression]) => faultsOf(expression).map((fault) => `${title}: ${fault}`)),
    ),
  )
  if (faults.length > 0) throw new Error(faults.join('\n'))
  let id = 0
  let y = 0
  const panels: object[] = []
  for (const { title, panels: inRow } of rows) {
    id += 1
    panels.push({
      id,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: 2 * WIDTH, h: 1 },
      panels: [],
    })
    y += 1
    for (const [index, panel] of inRow.entries()) {
      id += 1
      const gridPos = { x: (index % 2) * WIDTH, y: y + Math.floor(index / 2) * HEIGHT, w: WIDTH, h: HEIGHT }
      panels.push(panelOf(id, panel, gridPos))
    }
    y += Math.ceil(inRow.length / 2) * HEIGHT
  }
  const dashboard = {
    uid: 'authstate',
    title: 'authstate',
    description: 'Written by `npm run sync` from the table of metrics of @authstate/telemetry.',
    tags: ['authstate'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    templating: { list: [datasourceVariable, instanceVariable] },
    panels,
  }
  return `${JSON.stringify(dashboard, null, 2)}\n`
}

const panelOf = (id: number, { title, description = '', unit, lines }: Panel, gridPos: object): object => ({
  id,
  type: 'timeseries',
  title,
  description,
  datasource: DATASOURCE,
  gridPos,
  fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
  options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  targets: lines.map(([expr, legendFormat], index) => ({
    refId: String.fromCharCode(65 + index),
    datasource: DATASOURCE,
    expr,
    legendFormat,
  })),
})

const datasourceVariable = {
  name: 'datasource',
  label: 'Data source',
  type: 'datasource',
  query: 'prometheus',
}

const instanceVariable = {
  name: 'instance',
  label: 'Instance',
  type: 'query',
  datasource: DATASOURCE,
  query: 'label_values(authstate_call_duration_seconds_count, instance)',
  refresh: 2,
  multi: true,
  includeAll: true,
  allValue: '.*',
  current: { text: 'All', value: '$__all' },
}
