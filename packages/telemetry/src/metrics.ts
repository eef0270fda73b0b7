import { PROVIDER_ANSWERS } from '@authstate/spi'

/** How a call can end: `ok`, the code of one of our errors, or what else was thrown. */
const OUTCOMES = [
  'ok',
  'ERR_PROVIDER_CONFIGURATION',
  'ERR_PROVIDER_CLOSED',
  'ERR_STORE_UNAVAILABLE',
  'ERR_STORE_CORRUPT',
  'ERR_CONFLICT',
  'ERR_LOADER_TIMEOUT',
  'ERR_INCOMPLETE',
  'TypeError',
  'RangeError',
  'error',
] as const

/** States of a link to another site. */
export const LINK_STATES = ['connecting', 'online', 'suspect', 'offline', 'syncing', 'blocked'] as const

/** What stands for whatever was not declared, and for what is beyond {@link MOST_SERIES}. */
export const OTHER = '_other'

/** Most combinations of attributes that one metric has in a process. What is beyond it is counted under {@link OTHER}. */
export const MOST_SERIES = 500

/**
 * Where the values of an attribute come from: a list, or a set that is closed when the state has started: names of SPIs,
 * providers, verbs, scripts and regions of caches, kinds of tokens that the application declared, addresses of Redis.
 */
export type AttributeValues = readonly string[] | 'code' | 'declared' | 'deployment'

/** One metric, as every exporter of this package makes it. */
export interface Metric {
  /** The name in OpenTelemetry. In Prometheus it is {@link promNameOf} it. */
  readonly name: string
  readonly kind: 'histogram' | 'counter' | 'gauge'
  /** In the spelling of UCUM: `s`, or what is counted in braces. */
  readonly unit: string
  readonly description: string
  /** The names of its attributes, with what each may be. No attribute is ever a realm, a user, a client or an address of one. */
  readonly attributes: Readonly<Record<string, AttributeValues>>
  /** Of a histogram: upper bounds, in the unit. */
  readonly buckets?: readonly number[]
  /** Read when somebody looks, rather than counted when it happens. */
  readonly isRead?: true
  /** Where one process has several states: what is made of their values. A sum, where it is not said. */
  readonly fold?: 'most' | 'least'
}

const of = <const M extends readonly Metric[]>(...metrics: M): M => metrics

/** Every metric of this package. The exporters, the page, the dashboard and the alerts follow from it. */
export const METRICS = of(
  {
    name: 'authstate.call.duration',
    kind: 'histogram',
    unit: 's',
    description: 'How long the verbs of the services took.',
    attributes: { spi: 'code', verb: 'code', provider: 'code', outcome: OUTCOMES },
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  },
  {
    name: 'authstate.answers',
    kind: 'counter',
    unit: '{answer}',
    description: 'What the verbs answered, where they answer a word.',
    attributes: { spi: 'code', verb: 'code', answer: PROVIDER_ANSWERS },
  },
  {
    name: 'authstate.writes.refused',
    kind: 'counter',
    unit: '{write}',
    description:
      'Writes that were refused, because they would have brought back what was ended, or because of a limit.',
    attributes: { spi: 'code', verb: 'code' },
  },
  {
    name: 'db.client.operation.duration',
    kind: 'histogram',
    unit: 's',
    description: 'How long commands to Redis took.',
    attributes: {
      'db.system.name': ['redis'],
      'db.operation.name': 'code',
      'db.stored_procedure.name': 'code',
      'db.response.status_code': 'code',
      'error.type': 'code',
      'server.address': 'deployment',
      'server.port': 'deployment',
    },
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
  },
  {
    name: 'authstate.tokens.replayed',
    kind: 'counter',
    unit: '{token}',
    description: 'Single-use tokens that were presented again after they had been used.',
    attributes: { kind: 'declared' },
  },
  {
    name: 'authstate.sessions.created',
    kind: 'counter',
    unit: '{session}',
    description: 'Sessions, and logins under way, that this node made.',
    attributes: {
      spi: ['user-session', 'auth-session', 'web-session'],
      kind: ['online', 'offline', 'login', 'web'],
    },
  },
  {
    name: 'authstate.sessions.ended',
    kind: 'counter',
    unit: '{session}',
    description: 'Sessions, and logins under way, that this node ended, or whose end it found.',
    attributes: {
      spi: ['user-session', 'auth-session', 'web-session'],
      kind: ['online', 'offline', 'login', 'web'],
      reason: [
        'removed',
        'user',
        'broker-session',
        'realm',
        'limit',
        'last-client',
        'expired',
        'last-tab',
        'finished',
        'replaced',
        'label',
      ],
    },
  },
  {
    name: 'authstate.locks',
    kind: 'counter',
    unit: '{lock}',
    description: 'Lock-outs after failed logins.',
    attributes: { kind: ['temporary', 'permanent'], scope: ['user', 'network'] },
  },
  {
    name: 'authstate.cache.requests',
    kind: 'counter',
    unit: '{request}',
    description: 'Questions to the realm cache: answered by it, by the source, or past it.',
    isRead: true,
    attributes: { region: 'declared', result: ['hit', 'miss', 'stale', 'bypass'] },
  },
  {
    name: 'authstate.cache.entries',
    kind: 'gauge',
    unit: '{entry}',
    description: 'Entries of the realm cache.',
    isRead: true,
    attributes: { region: 'declared' },
  },
  {
    name: 'authstate.cache.outages',
    kind: 'counter',
    unit: '{outage}',
    description: 'Times that a region could not trust what it held, because messages might be missing.',
    isRead: true,
    attributes: { region: 'declared' },
  },
  {
    name: 'authstate.cluster.nodes',
    kind: 'gauge',
    unit: '{node}',
    description: 'Nodes that live, as this one sees it.',
    isRead: true,
    attributes: {},
    fold: 'most',
  },
  {
    name: 'authstate.channel.live',
    kind: 'gauge',
    unit: '{channel}',
    description: '1 while the work channel of the cluster is followed without a gap, else 0.',
    isRead: true,
    attributes: {},
    fold: 'least',
  },
  {
    name: 'authstate.redis.commands',
    kind: 'counter',
    unit: '{command}',
    description: 'Commands sent to Redis.',
    isRead: true,
    attributes: {},
  },
  {
    name: 'authstate.redis.failures',
    kind: 'counter',
    unit: '{command}',
    description: 'Commands that failed, for whatever reason, those that could not be sent included.',
    isRead: true,
    attributes: {},
  },
  {
    name: 'authstate.redis.reloads',
    kind: 'counter',
    unit: '{script}',
    description: 'Scripts whose source had to be sent again.',
    isRead: true,
    attributes: {},
  },
  {
    name: 'authstate.redis.pending',
    kind: 'gauge',
    unit: '{command}',
    description: 'Commands that wait for their answer now.',
    isRead: true,
    attributes: {},
  },
  {
    name: 'authstate.site.link',
    kind: 'gauge',
    unit: '{link}',
    description: '1 for the state that the link to another site is in, and 0 for the others.',
    isRead: true,
    attributes: { site: 'deployment', state: LINK_STATES },
    fold: 'most',
  },
  {
    name: 'authstate.site.behind',
    kind: 'gauge',
    unit: '{record}',
    description: 'Records that another site has not heard of.',
    isRead: true,
    attributes: { site: 'deployment' },
    fold: 'most',
  },
  {
    name: 'authstate.site.unguarded',
    kind: 'counter',
    unit: '{decision}',
    description:
      'Decisions about tokens in the place of another site, which was offline and may have decided otherwise.',
    isRead: true,
    attributes: { site: 'deployment' },
  },
  {
    name: 'authstate.site.lag',
    kind: 'gauge',
    unit: 's',
    description: 'How long a change waited until other sites were told of it, or it was remembered for them.',
    isRead: true,
    attributes: { site: 'deployment' },
    fold: 'most',
  },
  {
    name: 'authstate.site.rtt',
    kind: 'gauge',
    unit: 's',
    description: 'How long the last question to another site took.',
    isRead: true,
    attributes: { site: 'deployment' },
    fold: 'most',
  },
  {
    name: 'authstate.site.clock.offset',
    kind: 'gauge',
    unit: 's',
    description: 'By how much the clock of another site is ahead of that of this one.',
    isRead: true,
    attributes: { site: 'deployment' },
    fold: 'most',
  },
  {
    name: 'authstate.records.unreadable',
    kind: 'counter',
    unit: '{record}',
    description:
      'Reads that found what another version stored, or what could not be decoded: absent for the caller.',
    isRead: true,
    attributes: { spi: 'code' },
  },
)

/** The name of a metric of this package. */
export type MetricName = (typeof METRICS)[number]['name']

/** A metric of {@link METRICS}. */
export type NamedMetric = Metric & { readonly name: MetricName }

/** The declaration of a metric. */
export const metricOf = (name: MetricName): Metric => METRICS.find((metric) => metric.name === name) as Metric

/** The name that a metric has in Prometheus: with `_`, the unit, and `_total` where it only grows. */
export function promNameOf({ name, kind, unit }: Pick<Metric, 'name' | 'kind' | 'unit'>): string {
  const spelled = name.replaceAll('.', '_')
  return `${spelled}${unit === 's' ? '_seconds' : ''}${kind === 'counter' ? '_total' : ''}`
}

/** The name that an attribute has as a label in Prometheus. */
export const promLabelOf = (attribute: string): string => attribute.replaceAll('.', '_')
