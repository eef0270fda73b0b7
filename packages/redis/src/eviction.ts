import { internals, type RedisClient } from './client.js'

/** The one policy under which Redis keeps what it was given. */
const KEEPS = 'noeviction'

interface Informed {
  info(section: string): Promise<unknown>
}

/** What a server does when its memory is full; `undefined`: it does not say. */
export type EvictionPolicy = string | undefined

/**
 * The eviction policy of a server, or of the masters of a Cluster: the first that evicts, if one does; `undefined` when one does
 * not say its own.
 *
 * @throws what INFO was answered with
 */
export async function readPolicy(client: RedisClient): Promise<EvictionPolicy> {
  const nodes = client.isCluster ? (internals(client).nodes?.('master') ?? []) : [client]
  const policies = await Promise.all(
    nodes.map(async (node) => policyIn(String(await (node as unknown as Informed).info('memory')))),
  )
  return policies.find(evicts) ?? (policies.includes(undefined) ? undefined : policies[0])
}

/** Whether a policy evicts records. */
export const evicts = (policy: EvictionPolicy): boolean => policy !== undefined && policy !== KEEPS

/** What to tell an operator of a policy that evicts. */
export const evictionText = (policy: EvictionPolicy): string =>
  `Redis may evict what it was given (maxmemory-policy ${policy}): sessions, revocations and locks can be lost; set it to ${KEEPS}`

function policyIn(info: string): EvictionPolicy {
  return /^maxmemory_policy:([\w-]+)/m.exec(info)?.[1]
}
