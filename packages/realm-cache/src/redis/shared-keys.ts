import { escapePart, type KeySpace } from '@authstate/redis'
import type { Invalidated } from '../rules.js'

/** What is untrue in one partition, with the keys that tell it there. */
export interface PartitionInvalidated {
  readonly keys: Readonly<Record<'generation' | 'values' | 'tags', string>>
  readonly escaped: Invalidated
}

/** Spells the keys of one region: docs/storage/realm-cache.md describes each. */
export class SharedKeys {
  readonly #keys: KeySpace
  readonly #region: string

  constructor(keys: KeySpace, region: string) {
    this.#keys = keys
    this.#region = region
  }

  value(key: string): Readonly<Record<'value' | 'generation' | 'tags', string>> {
    const partition = this.#keys.partitionFor(key)
    const { generation, tags } = this.#bases(partition)
    return { value: this.#keys.key(partition, 'rv', this.#region, key), generation, tags }
  }

  /** Where it has to be written: keys in their partitions, tags and everything in all of them. */
  inPartitions(invalidated: Invalidated | 'all'): readonly PartitionInvalidated[] {
    const { keys, tags } = invalidated === 'all' ? { keys: [], tags: [] } : invalidated
    const everywhere = invalidated === 'all' || tags.length > 0
    const escapedTags = tags.map(escapePart)
    const byPartition = new Map<number, string[]>(everywhere ? this.#keys.all.map((n) => [n, []]) : [])
    for (const key of keys) {
      const partition = this.#keys.partitionFor(key)
      const escapedKeys = byPartition.get(partition)
      if (escapedKeys === undefined) byPartition.set(partition, [escapePart(key)])
      else escapedKeys.push(escapePart(key))
    }
    return [...byPartition].map(([partition, escapedKeys]) => ({
      keys: this.#bases(partition),
      escaped: { keys: escapedKeys, tags: escapedTags },
    }))
  }

  #bases(partition: number): Readonly<Record<'generation' | 'values' | 'tags', string>> {
    return {
      generation: this.#keys.key(partition, 'rg', this.#region),
      values: this.#keys.key(partition, 'rv', this.#region, ''),
      tags: this.#keys.key(partition, 'rt', this.#region, ''),
    }
  }
}
