import { type Clock, ConfigurationError, type Logger } from '@authstate/spi'
import type { RedisClient } from '../client.js'
import type { RedisConfig } from '../options.js'
import { accessChecks } from './checks/access.js'
import { durabilityChecks } from './checks/durability.js'
import { memoryChecks } from './checks/memory.js'
import { paceChecks } from './checks/pace.js'
import type { Finding } from './contract.js'
import { type Facts, type Latency, numberIn } from './facts.js'
import { type Check, findingOf } from './judge.js'
import { addressOf, infoOf, linkOf, nodesOf } from './servers.js'

/**
 * The checks that one INFO to each master answers. The eviction policy is checked all the time, and
 * rights and layout before this: they are reported elsewhere.
 */
const AT_START: readonly string[] = [
  'eviction.seen',
  'memory.headroom',
  'memory.fragmentation',
  'persistence',
  'replication.role',
  'replication.replicas',
  'server.version',
  'connection.tls',
  'connection.password',
  'scripts',
]

/** What `strict` refuses: how the deployment is set up. What comes and goes with its load must not keep a node from coming back. */
const REFUSED: readonly string[] = ['server.version', 'connection.tls', 'connection.password']

const CHECKS: readonly Check[] = [
  ...memoryChecks,
  ...durabilityChecks,
  ...accessChecks,
  ...paceChecks,
].filter(({ id }) => AT_START.includes(id))

/** What a node examines when it starts. */
export interface StartParts {
  readonly client: RedisClient
  readonly config: RedisConfig
  /** That of the deployment. */
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * The cheap half of the doctor, in one round trip: what is wrong is logged as a warning each, the rest of what could be better in
 * one line. What the user of Redis may not ask is left to the doctor.
 *
 * @throws {ConfigurationError} with `strict`: the server is too old, or what is sent to another host can be read there or needs no
 *   password
 */
export async function examineAtStart(parts: StartParts): Promise<void> {
  const { config, logger } = parts
  const facts = await factsAtStart(parts)
  const findings = CHECKS.map((check) => findingOf(check, facts))
  const grave = findings.filter(isGrave)
  const refused = config.strict ? grave.filter(({ id }) => REFUSED.includes(id)) : []
  if (refused.length > 0) {
    throw new ConfigurationError(refused.map((finding) => `redis.strict: ${textOf(finding)}`).join('\n'))
  }
  for (const finding of grave)
    logger.warn({ check: finding.id, ...finding.measured }, `Redis: ${textOf(finding)}`)
  const lesser = findings.filter((finding) => finding.verdict === 'warn' && !isGrave(finding))
  const unknown = findings.filter(({ verdict }) => verdict === 'unknown')
  if (lesser.length + unknown.length === 0) return
  const checks = lesser.map(({ id }) => id)
  logger.info(
    { checks, unknown: unknown.map(({ id }) => id) },
    'Redis works, and some of it could be better: authstate doctor says what',
  )
}

/** What fails, and sessions that everybody on the way can read. */
const isGrave = ({ id, verdict, measured }: Finding): boolean =>
  verdict === 'fail' || (id === 'connection.tls' && verdict === 'warn' && measured['days'] === undefined)

const textOf = ({ message, fix = '' }: Finding): string => `${message}; ${fix}`

const NOT_TIMED: Latency = { count: 0, p50Ms: 0, p99Ms: 0 }

async function factsAtStart({ client, config, clock }: StartParts): Promise<Facts> {
  const nodes = nodesOf(client)
  const infos = await Promise.all(nodes.map(infoOf))
  const servers = nodes.map((node, index) => {
    const info = infos[index]
    return { address: addressOf(node), info, evictedLater: info && (numberIn(info, 'evicted_keys') ?? 0) }
  })
  return {
    config,
    mode: client.isCluster ? 'cluster' : 'standalone',
    servers,
    link: linkOf(nodes, config),
    clock: { now: clock.now(), aheadMs: 0, uncertaintyMs: 0 },
    missingRights: undefined,
    excessRights: undefined,
    settings: undefined,
    layout: undefined,
    ping: NOT_TIMED,
    script: NOT_TIMED,
    cluster: undefined,
    sentinels: [],
    advice: [],
    sample: undefined,
  }
}
