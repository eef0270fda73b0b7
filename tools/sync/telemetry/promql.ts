import {
  METRICS,
  type NamedMetric,
  promLabelOf,
  promNameOf,
} from '../../../packages/telemetry/src/metrics.js'

/** Labels that Prometheus gives every series, and the bound of a bucket. */
const GIVEN = ['instance', 'job', 'le']

const SUFFIXES = ['_bucket', '_count', '_sum'] as const

const byName = new Map(
  (METRICS as readonly NamedMetric[]).flatMap((metric) => {
    const name = promNameOf(metric)
    const names = metric.kind === 'histogram' ? SUFFIXES.map((suffix) => name + suffix) : [name]
    return names.map((one) => [one, metric] as const)
  }),
)

/** What is wrong with an expression: metrics that are in no table, labels that a metric has not, values that a label cannot have. */
export function faultsOf(expression: string): string[] {
  // A label may begin as a metric does.
  const bare = expression.replace(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, '')
  const used = [...bare.matchAll(/\b((?:authstate|db)_\w+)(?:\{([^}]*)\})?/g)]
  if (used.length === 0) return [`asks for no metric: ${expression}`]
  const metrics = used.map(([, name = '']) => byName.get(name))
  const unknown = used.flatMap(([, name = ''], index) =>
    metrics[index] === undefined ? [`no metric is called ${name}`] : [],
  )
  const selected = used.flatMap(([, name = '', selectors = ''], index) =>
    [...selectors.matchAll(/(\w+)\s*(=~?|!=|!~)\s*"([^"]*)"/g)].flatMap(
      ([, label = '', operator, text = '']) =>
        wrongLabel(name, metrics[index], label, operator?.endsWith('~') ? text.split('|') : [text]),
    ),
  )
  const grouped = [...expression.matchAll(/\b(?:by|without|on)\s*\(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list
      .split(',')
      .map((label) => label.trim())
      .filter((label) => label !== '')
      .flatMap((label) =>
        metrics.some((metric) => wrongLabel('', metric, label, []).length === 0)
          ? []
          : [`no metric of it has the label ${label}: ${expression}`],
      ),
  )
  return [...unknown, ...selected, ...grouped]
}

function wrongLabel(
  name: string,
  metric: NamedMetric | undefined,
  label: string,
  texts: readonly string[],
): string[] {
  if (GIVEN.includes(label) || metric === undefined) return []
  const [, values] = Object.entries(metric.attributes).find(([key]) => promLabelOf(key) === label) ?? []
  if (values === undefined) return [`${name} has no label ${label}`]
  if (typeof values === 'string') return []
  return texts.filter((text) => !values.includes(text)).map((text) => `${name} has no ${label} "${text}"`)
}
