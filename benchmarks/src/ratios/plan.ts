// The ratios R0 to R12 and R14 as data: who runs beside whom, on which operation, and what the ratio must be.
import type { Cell, Group } from './comparison.js'

/** What the tables call the runners. */
export const OURS = 'authstate'
const BROUGHT = 'authstate, client brought'
const ALL_READ = 'authstate, every client read'
const IOREDIS5 = 'authstate on ioredis 5'
const BROUGHT5 = 'authstate on ioredis 5, client brought'
const RAW = 'raw ioredis 6'
/** As `RAW`, but what it stores was made into text beforehand, which no application can do. */
const RAW_TEXT = 'raw ioredis 6, text ready'
const RAW_BATCHED = 'raw ioredis 6, batched'
/** One script with the same keys and bytes that only writes, batched. */
const FLOOR = 'floor script'
const CONNECT_REDIS = 'connect-redis 9'
const RATE_LIMITER = 'rate-limiter-flexible 11'
const RATE_LIMITER_BATCHED = 'rate-limiter-flexible 11, batched'
const OIDC = 'oidc-provider adapter'
const OIDC_BATCHED = 'oidc-provider adapter, batched'

const cell = (operation: string, runners: readonly string[], callers = 64): Cell => ({
  operation,
  callers,
  runners,
})

const sessions: Group = {
  name: 'user sessions',
  runners: {
    [OURS]: { subject: 'user-sessions', variant: 'batched' },
    [BROUGHT]: { subject: 'user-sessions', variant: 'plain' },
    [ALL_READ]: { subject: 'user-sessions', variant: 'clients read' },
    [IOREDIS5]: { subject: 'user-sessions', variant: 'ioredis 5' },
    [BROUGHT5]: { subject: 'user-sessions', variant: 'ioredis 5 plain' },
    [RAW]: { subject: 'raw-ioredis' },
    [RAW_BATCHED]: { subject: 'raw-ioredis', variant: 'batched' },
    [RAW_TEXT]: { subject: 'raw-ioredis', variant: 'text ready' },
    [FLOOR]: { subject: 'floor-scripts' },
    [CONNECT_REDIS]: { subject: 'connect-redis' },
    [OIDC]: { subject: 'oidc-provider-adapter' },
    [OIDC_BATCHED]: { subject: 'oidc-provider-adapter', variant: 'batched' },
  },
  cells: {
    get: cell('get', [OURS, ALL_READ, BROUGHT, IOREDIS5, BROUGHT5, RAW, RAW_BATCHED, CONNECT_REDIS, OIDC]),
    'get one client': cell('get one client', [OURS, BROUGHT, RAW, RAW_BATCHED]),
    'light touch': cell('light touch', [
      ...[OURS, BROUGHT, IOREDIS5, BROUGHT5, RAW, RAW_BATCHED, FLOOR],
      CONNECT_REDIS,
    ]),
    'full touch': cell('full touch', [OURS, BROUGHT, RAW, RAW_BATCHED, FLOOR]),
    // Last: it fills the server.
    create: cell('create', [
      ...[OURS, BROUGHT, RAW, RAW_BATCHED, RAW_TEXT, FLOOR],
      ...[CONNECT_REDIS, OIDC, OIDC_BATCHED],
    ]),
  },
  ratios: [
    { target: 'R1', cell: 'get', of: OURS, over: RAW_BATCHED, throughput: 0.6, cpu: 1.6 },
    { target: 'R1', cell: 'get', of: BROUGHT, over: RAW, throughput: 0.6, cpu: 1.8 },
    { target: 'R2', cell: 'get one client', of: OURS, over: RAW_BATCHED, throughput: 0.6, cpu: 1.6 },
    { target: 'R2', cell: 'get one client', of: BROUGHT, over: RAW, throughput: 0.6 },
    {
      target: 'R3',
      cell: 'create',
      of: OURS,
      over: FLOOR,
      throughput: 0.5,
      cpu: 1.6,
      server: 1.6,
      goal: { server: 1.4 },
    },
    { target: 'R3', cell: 'create', of: OURS, over: RAW_BATCHED, throughput: 0.3, cpu: 2 },
    { target: 'R4', cell: 'light touch', of: OURS, over: FLOOR, throughput: 0.6, cpu: 1.8, server: 1.6 },
    { target: 'R4', cell: 'full touch', of: OURS, over: FLOOR, throughput: 0.5, cpu: 1.8, server: 1.9 },
    { target: 'R5', cell: 'get', of: OURS, over: CONNECT_REDIS, throughput: 1.3, cpu: 0.8 },
    {
      target: 'R5',
      cell: 'create',
      of: OURS,
      over: CONNECT_REDIS,
      throughput: 0.65,
      cpu: 0.8,
      goal: { throughput: 0.75 },
    },
    { target: 'R5', cell: 'light touch', of: OURS, over: CONNECT_REDIS, throughput: 1.5, cpu: 0.7 },
    { target: 'R8', cell: 'create', of: OURS, over: OIDC, throughput: 1.2, cpu: 0.4 },
    { target: 'R8', cell: 'create', of: OURS, over: OIDC_BATCHED, throughput: 0.8, cpu: 0.6 },
  ],
}

const applications: Group = {
  name: 'sessions of applications',
  runners: {
    [OURS]: { subject: 'web-sessions', variant: 'batched' },
    [BROUGHT]: { subject: 'web-sessions', variant: 'plain' },
    [CONNECT_REDIS]: { subject: 'connect-redis' },
  },
  cells: {
    'get of an application': cell('get of an application', [OURS, BROUGHT, CONNECT_REDIS]),
    'touch of an application': cell('touch of an application', [OURS, BROUGHT, CONNECT_REDIS]),
    'save of an application': cell('save of an application', [OURS, BROUGHT, CONNECT_REDIS]),
  },
  ratios: [
    { target: 'R14', cell: 'get of an application', of: OURS, over: CONNECT_REDIS, throughput: 1.5 },
    { target: 'R14', cell: 'touch of an application', of: OURS, over: CONNECT_REDIS, throughput: 0.8 },
    { target: 'R14', cell: 'save of an application', of: OURS, over: CONNECT_REDIS, throughput: 0.5 },
  ],
}

const failures: Group = {
  name: 'login failures',
  runners: {
    [OURS]: { subject: 'login-failures', variant: 'batched' },
    [BROUGHT]: { subject: 'login-failures', variant: 'plain' },
    [RATE_LIMITER]: { subject: 'rate-limiter-flexible' },
    [RATE_LIMITER_BATCHED]: { subject: 'rate-limiter-flexible', variant: 'batched' },
    [RAW]: { subject: 'raw-ioredis' },
    [FLOOR]: { subject: 'floor-scripts' },
  },
  cells: {
    failure: cell('failure', [OURS, BROUGHT, RATE_LIMITER, RATE_LIMITER_BATCHED, RAW, FLOOR]),
  },
  ratios: [
    { target: 'R6', cell: 'failure', of: OURS, over: RATE_LIMITER, throughput: 1, cpu: 0.95, server: 1.5 },
    { target: 'R6', cell: 'failure', of: OURS, over: RATE_LIMITER_BATCHED, throughput: 0.6, cpu: 1.6 },
    { target: 'R6', cell: 'failure', of: OURS, over: FLOOR, throughput: 0.6, cpu: 1.8, server: 2.2 },
    { target: 'R6', cell: 'failure', of: BROUGHT, over: RATE_LIMITER, throughput: 0.6, cpu: 1.7 },
  ],
}

const tokens: Group = {
  name: 'single use',
  runners: {
    [OURS]: { subject: 'action-tokens', variant: 'batched' },
    [BROUGHT]: { subject: 'action-tokens', variant: 'plain' },
    [RAW]: { subject: 'raw-ioredis' },
    [RAW_BATCHED]: { subject: 'raw-ioredis', variant: 'batched' },
    [FLOOR]: { subject: 'floor-scripts' },
    [OIDC]: { subject: 'oidc-provider-adapter' },
    [OIDC_BATCHED]: { subject: 'oidc-provider-adapter', variant: 'batched' },
  },
  cells: {
    'single use': cell('single use', [OURS, BROUGHT, RAW, RAW_BATCHED, FLOOR, OIDC, OIDC_BATCHED]),
  },
  ratios: [
    { target: 'R7', cell: 'single use', of: OURS, over: RAW, throughput: 1.1, cpu: 0.9 },
    { target: 'R7', cell: 'single use', of: OURS, over: FLOOR, throughput: 0.6, cpu: 1.8, server: 2 },
    { target: 'R7', cell: 'single use', of: BROUGHT, over: RAW, throughput: 0.7 },
    { target: 'R7', cell: 'single use', of: OURS, over: OIDC, throughput: 4, cpu: 0.25 },
    { target: 'R7', cell: 'single use', of: OURS, over: OIDC_BATCHED, throughput: 2, cpu: 0.4 },
  ],
}

const BATCHED = 'ioredis 6, batched'
const PLAIN = 'ioredis 6, plain'
const BATCHED5 = 'ioredis 5, batched'
const PLAIN5 = 'ioredis 5, plain'

const batching: Group = {
  name: 'batched writes',
  runners: {
    [BATCHED]: { subject: 'raw-ioredis', variant: 'batched' },
    [PLAIN]: { subject: 'raw-ioredis' },
    [BATCHED5]: { subject: 'raw-ioredis', variant: 'ioredis 5 batched' },
    [PLAIN5]: { subject: 'raw-ioredis', variant: 'ioredis 5' },
  },
  cells: {
    'PEXPIRE, 64 callers': cell('pexpire', [BATCHED, PLAIN]),
    'GET, 64 callers': cell('get text', [BATCHED, PLAIN, BATCHED5, PLAIN5]),
    'script, 64 callers': cell('script', [BATCHED, PLAIN, BATCHED5, PLAIN5]),
    'GET, 1 caller': cell('get text', [BATCHED, PLAIN], 1),
    'script, 1 caller': cell('script', [BATCHED, PLAIN], 1),
  },
  ratios: [
    // Whom a machine favours: the dearer a system call, the more a batch saves.
    { target: 'R0', cell: 'PEXPIRE, 64 callers', of: BATCHED, over: PLAIN, throughput: 1 },
    { target: 'R9', cell: 'GET, 64 callers', of: BATCHED, over: PLAIN, throughput: 1.2, cpu: 0.8 },
    { target: 'R9', cell: 'script, 64 callers', of: BATCHED, over: PLAIN, throughput: 1.2, cpu: 0.8 },
    { target: 'R9', cell: 'GET, 1 caller', of: BATCHED, over: PLAIN, throughput: 0.85 },
    { target: 'R9', cell: 'script, 1 caller', of: BATCHED, over: PLAIN, throughput: 0.85 },
  ],
}

const SPLIT = 'every key in a slot of its own'
const SPLIT_PLAIN = 'every key in a slot of its own, not batched'

const cluster: Group = {
  name: 'Cluster of three masters',
  cluster: true,
  runners: {
    [OURS]: { subject: 'user-sessions', variant: 'cluster' },
    [SPLIT]: { subject: 'split-slots', variant: 'batched' },
    [SPLIT_PLAIN]: { subject: 'split-slots' },
  },
  cells: {
    'Cluster: full touch': cell('full touch', [OURS, SPLIT, SPLIT_PLAIN]),
    'Cluster: create': cell('create', [OURS, SPLIT, SPLIT_PLAIN]),
  },
  ratios: [
    { target: 'R12', cell: 'Cluster: create', of: OURS, over: SPLIT, throughput: 1.2, cpu: 0.7 },
    { target: 'R12', cell: 'Cluster: create', of: OURS, over: SPLIT_PLAIN, throughput: 1.8, cpu: 0.45 },
    { target: 'R12', cell: 'Cluster: full touch', of: OURS, over: SPLIT, throughput: 1, cpu: 0.7 },
    { target: 'R12', cell: 'Cluster: full touch', of: OURS, over: SPLIT_PLAIN, throughput: 1.8, cpu: 0.45 },
  ],
}

const LRU = 'lru-cache 11'
const BENTO = 'bentocache 1.6'

const hits: Group = {
  name: 'hits of a local cache',
  runners: {
    [OURS]: { subject: 'realm-cache-hits' },
    [LRU]: { subject: 'lru-cache-hits' },
    [BENTO]: { subject: 'bentocache-hits' },
  },
  cells: {
    'hit, at once': { ...cell('hit', [OURS, LRU], 1), pace: 'thousand' },
    'hit, awaited': { ...cell('awaited hit', [OURS, LRU, BENTO], 1), pace: 'thousand awaited' },
  },
  ratios: [
    { target: 'R10', cell: 'hit, at once', of: OURS, over: LRU, throughput: 0.6 },
    { target: 'R10', cell: 'hit, awaited', of: OURS, over: LRU, throughput: 0.7 },
    { target: 'R10', cell: 'hit, awaited', of: OURS, over: BENTO, throughput: 15 },
  ],
}

const PUBSUB = 'pub/sub'
/** What a log that survives a lost connection costs with nothing around it: no target, but what the target is to be seen beside. */
const STREAM = 'a stream by hand'

const invalidations: Group = {
  name: 'invalidations between two processes',
  runners: {
    [OURS]: { subject: 'realm-cache-invalidations', partner: true },
    [PUBSUB]: { subject: 'pubsub-messages', partner: true },
    [STREAM]: { subject: 'stream-messages', partner: true },
    [BENTO]: { subject: 'bentocache-invalidations', partner: true },
  },
  cells: {
    'invalidation, there and back': {
      ...cell('there and back', [OURS, PUBSUB, STREAM, BENTO], 1),
      slotMs: 300,
    },
  },
  ratios: [
    { target: 'R11', cell: 'invalidation, there and back', of: OURS, over: PUBSUB, p50: 1.5, p99: 2.5 },
    { target: 'R11', cell: 'invalidation, there and back', of: OURS, over: BENTO, p50: 1 },
  ],
}

export const groups: readonly Group[] = [
  batching,
  sessions,
  applications,
  failures,
  tokens,
  hits,
  invalidations,
  cluster,
]
