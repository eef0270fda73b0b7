import { type KeySpace, unescapePart } from '@authstate/redis'
import type { TokenName } from '../store.js'

/** A key and the partition it lies in. */
export interface PlacedKey {
  readonly partition: number
  readonly key: string
}

/** The keys of one partition that concern a realm. */
export interface RealmKeys {
  /** What every key of the partition starts with. */
  readonly head: string
  readonly realm: string
  /** Families that are refused. */
  readonly refused: string
  readonly families: string
  readonly subjects: string
}

/** Spells the keys of this SPI: docs/storage/action-token.md describes each. */
export class TokenKeys {
  readonly #keys: KeySpace

  constructor(keys: KeySpace) {
    this.#keys = keys
  }

  get partitions(): readonly number[] {
    return this.#keys.all
  }

  token({ realmId, kind, key }: TokenName): PlacedKey {
    const partition = this.#keys.partitionFor(key)
    return { partition, key: this.#keys.key(partition, 'ao', realmId, kind, key) }
  }

  /** How often something was tried. */
  count({ realmId, kind, key }: TokenName): PlacedKey {
    const partition = this.#keys.partitionFor(key)
    return { partition, key: this.#keys.key(partition, 'ac', realmId, kind, key) }
  }

  /** The mark of a revoked token id. */
  revoked(realmId: string, tokenId: string): PlacedKey {
    const partition = this.#keys.partitionFor(tokenId)
    return { partition, key: this.#keys.key(partition, 'av', realmId, tokenId) }
  }

  realm(partition: number, realmId: string): string {
    return this.#keys.key(partition, 'ar', realmId)
  }

  ofRealm(partition: number, realmId: string): RealmKeys {
    return {
      head: this.#keys.key(partition, ''),
      realm: this.realm(partition, realmId),
      refused: this.#keys.key(partition, 'ax', realmId),
      families: this.#keys.key(partition, 'af', realmId, ''),
      subjects: this.#keys.key(partition, 'as', realmId, ''),
    }
  }

  family(partition: number, realmId: string, family: string): string {
    return this.#keys.key(partition, 'af', realmId, family)
  }

  subject(partition: number, realmId: string, subject: string): string {
    return this.#keys.key(partition, 'as', realmId, subject)
  }

  /** What indexes hold: a key without its head, so that a client's key prefix is no part of it. */
  tail(partition: number, key: string): string {
    return key.slice(this.#keys.key(partition, '').length)
  }
}

/** Which token a tail names; `undefined` for what is none of this version. */
export function namedBy(tail: string): TokenName | undefined {
  const [of, realmId, kind, key] = tail.split(':')
  if (of !== 'ao' || realmId === undefined || kind === undefined || key === undefined) return undefined
  return { realmId: unescapePart(realmId), kind: unescapePart(kind), key: unescapePart(key) }
}
