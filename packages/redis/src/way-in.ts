import { faultInAddress, faultOfName, PASSED_ON } from './passed-on.js'

/** The ways to Redis, of which a configuration names one. */
export const WAYS = ['url', 'client', 'sentinels', 'nodes'] as const
export type Way = (typeof WAYS)[number]

/** A property that has no effect, or two that say the same in different words. */
export interface Contradiction {
  readonly path: (string | number)[]
  readonly message: string
}

/** What is looked at of a `redis` section; no value is ever repeated. */
export interface Combination {
  readonly url?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly credentials?: unknown
  readonly sentinelUsername?: string | undefined
  readonly sentinelPassword?: string | undefined
  readonly sentinelTls?: unknown
  readonly name?: string | undefined
  readonly db?: number | undefined
  readonly tls?: unknown
  readonly ioredis?: Record<string, unknown> | undefined
  readonly minReplicas: number
  readonly replicaTimeoutMs?: number | undefined
}

const OURS_TO_MAKE: readonly Way[] = ['url', 'sentinels', 'nodes']

/** With which ways in a property has an effect. What is not named here has one with all of them. */
const WORKS_WITH: Readonly<Partial<Record<keyof Combination, readonly Way[]>>> = {
  name: ['sentinels'],
  sentinelUsername: ['sentinels'],
  sentinelPassword: ['sentinels'],
  sentinelTls: ['sentinels'],
  // A Cluster has number 0 only.
  db: ['url', 'sentinels'],
  username: OURS_TO_MAKE,
  password: OURS_TO_MAKE,
  credentials: OURS_TO_MAKE,
  tls: OURS_TO_MAKE,
  ioredis: OURS_TO_MAKE,
}

/** Options of ioredis that this library sets, by the property with which they can be set here; `''`: by none. */
const OVERRULED: Readonly<Record<string, string>> = {
  host: 'url',
  port: 'url',
  path: 'url',
  username: 'username',
  password: 'password',
  db: 'db',
  tls: 'tls',
  sentinels: 'sentinels',
  name: 'name',
  sentinelUsername: 'sentinelUsername',
  sentinelPassword: 'sentinelPassword',
  sentinelTLS: 'sentinelTls',
  enableTLSForSentinelMode: 'tls',
  connectTimeout: 'connectTimeoutMs',
  slotsRefreshTimeout: 'connectTimeoutMs',
  sentinelCommandTimeout: 'commandTimeoutMs',
  lazyConnect: '',
  role: '',
  readOnly: '',
  scaleReads: '',
  enableOfflineQueue: '',
  autoResendUnfulfilledCommands: '',
  maxRetriesPerRequest: '',
  retryStrategy: '',
  reconnectOnError: '',
  sentinelRetryStrategy: '',
  clusterRetryStrategy: '',
  clusterNodeRetryStrategy: '',
  retryDelayOnFailover: '',
  disconnectTimeout: '',
  Connector: '',
}

/** What of a configuration would be ignored, given the way in. */
export function contradictions(config: Combination, way: Way): Contradiction[] {
  return [
    ...withoutEffect(config, way),
    ...unknown(config.tls, ['tls'], PASSED_ON.tls),
    ...unknown(config.sentinelTls, ['sentinelTls'], PASSED_ON.tls),
    ...unknown(config.ioredis, ['ioredis'], [...PASSED_ON.server, ...PASSED_ON.cluster]),
    ...unknown(config.ioredis?.['redisOptions'], ['ioredis', 'redisOptions'], PASSED_ON.server),
    ...ofAnother(config.ioredis, way),
    ...overruled(config.ioredis, ['ioredis']),
    ...overruled(config.ioredis?.['redisOptions'], ['ioredis', 'redisOptions']),
    ...(way === 'url' && config.url !== undefined ? inAddress(config.url, config) : []),
    ...(way === 'sentinels' ? openSecret(config) : []),
    ...(config.credentials === undefined ? [] : besideCredentials(config)),
    ...(config.minReplicas === 0 && config.replicaTimeoutMs !== undefined
      ? [{ path: ['replicaTimeoutMs'], message: 'has no effect while minReplicas is 0' }]
      : []),
  ]
}

function withoutEffect(config: Combination, way: Way): Contradiction[] {
  return Object.entries(WORKS_WITH).flatMap(([property, ways]) => {
    if (config[property as keyof Combination] === undefined || ways.includes(way)) return []
    const remedy = way === 'client' && ways === OURS_TO_MAKE ? ': set it on the client that you give' : ''
    return [{ path: [property], message: `has no effect with ${way}${remedy}` }]
  })
}

function overruled(options: unknown, path: string[]): Contradiction[] {
  if (typeof options !== 'object' || options === null) return []
  return Object.keys(options).flatMap((name) => {
    const property = Object.hasOwn(OVERRULED, name) ? OVERRULED[name] : undefined
    return property === undefined ? [] : [{ path: [...path, name], message: whoSets(property) }]
  })
}

/** Names that whatever gets the options would ignore. What is overruled has a sentence of its own. */
function unknown(options: unknown, path: string[], known: readonly string[]): Contradiction[] {
  if (typeof options !== 'object' || options === null) return []
  return Object.keys(options).flatMap((name) => {
    const isOverruled = path[0] === 'ioredis' && Object.hasOwn(OVERRULED, name)
    const message = isOverruled ? undefined : faultOfName(name, known)
    return message === undefined ? [] : [{ path: [...path, name], message }]
  })
}

/** What ioredis takes for a Cluster only, beside one server; and what it takes for one server, beside a Cluster. */
function ofAnother(options: Record<string, unknown> = {}, way: Way): Contradiction[] {
  const [known, other, remedy] =
    way === 'nodes'
      ? [PASSED_ON.cluster, PASSED_ON.server, ': say it in ioredis.redisOptions']
      : [PASSED_ON.server, PASSED_ON.cluster, '']
  return Object.keys(options)
    .filter((name) => other.includes(name) && !known.includes(name) && !Object.hasOwn(OVERRULED, name))
    .map((name) => ({
      path: ['ioredis', name],
      message: `has no effect with ${way}${name === 'redisOptions' ? ': say it in ioredis' : remedy}`,
    }))
}

const whoSets = (property: string): string =>
  property === '' ? 'has no effect: this library sets it' : `has no effect: say it with ${property}`

/** Of the sentinels' password: with TLS to Redis, a reader does not expect it to be sent without TLS. */
function openSecret({ tls, sentinelPassword, sentinelTls }: Combination): Contradiction[] {
  if (!tls || sentinelPassword === undefined || sentinelTls !== undefined) return []
  const message =
    'must be said where tls and sentinelPassword are given: true or options of tls.connect for sentinels that speak TLS, ' +
    'false to send their password unencrypted'
  return [{ path: ['sentinelTls'], message }]
}

/** The user that connects is given once. */
function besideCredentials({ url = '', username, password }: Combination): Contradiction[] {
  const address = URL.canParse(url) ? new URL(url) : undefined
  const given = [
    ...(username === undefined ? [] : ['username']),
    ...(password === undefined ? [] : ['password']),
    ...(address?.username || address?.password ? ['the address'] : []),
  ]
  if (given.length === 0) return []
  const message = `gives the user that connects, and so does ${given.join(' and ')}: give it once`
  return [{ path: ['credentials'], message }]
}

function inAddress(url: string, config: Combination): Contradiction[] {
  if (url.startsWith('unix:')) {
    return config.tls ? [{ path: ['tls'], message: 'has no effect with a unix socket' }] : []
  }
  const address = URL.canParse(url) ? new URL(url) : undefined
  if (address === undefined) return []
  const twice = (property: 'username' | 'password' | 'db', isInAddress: boolean) =>
    isInAddress && config[property] !== undefined
      ? [{ path: [property], message: 'is given in the address as well: say it once' }]
      : []
  const hasDb = address.pathname !== '' && address.pathname !== '/'
  return [
    ...twice('username', address.username !== ''),
    ...twice('password', address.password !== ''),
    ...twice('db', hasDb),
    ...(hasDb && !/^\/\d{1,6}$/.test(address.pathname)
      ? [{ path: ['url'], message: 'must end with the number of a database, such as /3, or with none' }]
      : []),
    ...(address.hash === '' ? [] : [{ path: ['url'], message: 'must not have a part behind "#"' }]),
    ...[...address.searchParams.keys()].flatMap((name) => {
      const property = Object.hasOwn(OVERRULED, name) ? OVERRULED[name] : undefined
      const message =
        property === undefined
          ? faultInAddress(name, PASSED_ON.server)
          : `its option "${name}" ${whoSets(property)}`
      return message === undefined ? [] : [{ path: ['url'], message }]
    }),
    ...(address.protocol === 'rediss:' && config.tls === false
      ? [{ path: ['tls'], message: 'must not be false where the address is rediss://' }]
      : []),
  ]
}
