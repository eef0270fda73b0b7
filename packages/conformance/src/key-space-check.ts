import assert from 'node:assert/strict'
import { assertOptions, type Known } from '@authstate/spi'
import type { Inspector } from './inspector.js'

/** What the keys of an SPI must satisfy at any time. The kind of a key is its part behind the partition. */
export interface KeySpaceRules {
  /** Kinds of sorted sets: the key of the record that a member stands for, given the index's key up to its partition. */
  readonly indexes: Readonly<Record<string, (member: string, head: string, key: string) => string>>
  /** Kinds that are no index. */
  readonly records: readonly string[]
  /** Kinds that may live for ever. */
  readonly immortal?: readonly string[]
}

const RULES: Known<KeySpaceRules> = { indexes: true, records: true, immortal: true }

/** Told of keys as they are found: their kind, their type and, of a hash, its fields. */
export type KeyObserver = (kind: string, type: string, fields: readonly string[]) => void

/** Keys of one kind whose fields are read for an observer. */
const OBSERVED_PER_KIND = 50

/**
 * Throws unless every key lies in a partition, is of a known kind and will expire, and every living index entry has
 * its record.
 *
 * An entry whose score has passed stands for something gone; it waits for the next write to prune it.
 */
export async function checkKeySpace(
  inspector: Inspector,
  prefix: string,
  rules: KeySpaceRules,
  now: number,
  observe?: KeyObserver,
): Promise<void> {
  assertOptions<KeySpaceRules>(rules, 'rules', RULES)
  const faults: string[] = []
  const observed = new Map<string, number>()
  for (const key of await inspector.keys(prefix)) {
    const [, tag = '', kind = ''] = key.slice(prefix.length).split(':')
    if (!/^\{[0-9a-f]{2}\}$/.test(tag)) {
      // The record of the layout belongs to no partition, and nothing else does.
      if (key !== `${prefix}:layout`) faults.push('a key without a partition')
      continue
    }
    const recordOf = rules.indexes[kind]
    if (recordOf === undefined && !rules.records.includes(kind)) {
      faults.push(`a key of the unknown kind "${kind}"`)
      continue
    }
    const { type, ttlMs, members } = await inspector.read(key)
    if (type === 'none') continue
    if (ttlMs < 0 && !rules.immortal?.includes(kind)) faults.push(`a key of kind "${kind}" without a TTL`)
    const seen = observed.get(kind) ?? 0
    if (observe !== undefined && seen < OBSERVED_PER_KIND) {
      observed.set(kind, seen + 1)
      observe(kind, type, type === 'hash' ? Object.keys(await inspector.hash(key)) : [])
    }
    if (recordOf === undefined) continue
    if (type !== 'zset') faults.push(`a key of kind "${kind}" is no sorted set`)
    for (const [member, score] of members) {
      if (score > now && !(await inspector.exists(recordOf(member, `${prefix}:${tag}`, key)))) {
        faults.push(`an entry of index "${kind}" without its record`)
      }
    }
  }
  assert.deepEqual(faults, [], 'the key space is not in order')
}
