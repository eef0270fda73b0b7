import type { RedisConfig } from './options.js'
import type { claimLayout } from './scripts.js'

/** The latest layout that this version reads and writes; a node that meets a later one stops. */
export const LAYOUT_VERSION = 2

/** The oldest one. */
const OLDEST_LAYOUT = 1

/** How long a layout is recorded before it is written: nodes that cannot read it have noticed by then, and have stopped. */
export const WRITTEN_AFTER_MS = 15_000

/** What a deployment has recorded of itself. */
export type RecordedLayout = Pick<ClaimedLayout, 'partitions' | 'version'>

/** Which layout may be written: what is recorded, once every node that cannot read it has stopped. */
export function writtenLayout(
  { version, raisedAt }: Pick<ClaimedLayout, 'version' | 'raisedAt'>,
  now: number,
): number {
  return now - raisedAt >= WRITTEN_AFTER_MS ? version : OLDEST_LAYOUT
}

/** The same, with the consumers of changes. */
export type ClaimedLayout = ReturnType<(typeof claimLayout)['decode']>

/** Why a node cannot work with what the deployment has recorded, with both numbers; `undefined`: it can. */
export function layoutMistake(
  recorded: RecordedLayout,
  { prefix, partitions }: Pick<RedisConfig, 'prefix' | 'partitions'>,
): string | undefined {
  if (!(recorded.version >= OLDEST_LAYOUT && recorded.version <= LAYOUT_VERSION)) {
    return `redis: the keys under prefix "${prefix}" have layout ${recorded.version}, this version reads ${OLDEST_LAYOUT} to ${LAYOUT_VERSION}`
  }
  if (recorded.partitions === partitions) return undefined
  return (
    `redis.partitions: this node is configured with ${partitions}, the deployment under prefix ` +
    `"${prefix}" has ${recorded.partitions}; the number cannot change while it holds data`
  )
}

/** The error of a node that finds consumers of changes which its configuration does not name. */
export function unknownConsumerText(
  names: readonly string[],
  { prefix }: Pick<RedisConfig, 'prefix'>,
): string {
  const list = names.map((name) => `"${name}"`).join(', ')
  return (
    `redis.changes: the deployment under prefix "${prefix}" tells ${list} of changes, of which this node does not know: ` +
    'name it in redis.changes.consumers, as on the other nodes, or in redis.changes.drop to end that'
  )
}

/** The warning about consumers that a running node names and that are not recorded as it asks. */
export function unrecordedConsumerText(names: readonly string[]): string {
  const list = names.map((name) => `"${name}"`).join(', ')
  return (
    `redis.changes: ${list} of redis.changes.consumers is no longer recorded, or not with all that it asks for, and not ` +
    'everything is noted for it: another node was started with it in redis.changes.drop, or Redis has lost what was recorded; ' +
    'name it in one of both on all nodes, and start them again'
  )
}
