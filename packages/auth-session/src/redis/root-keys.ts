import type { KeySpace } from '@authstate/redis'
import { partitionOf } from '@authstate/spi'
import type { RootName } from '../store.js'

/** Spells the keys of this SPI: docs/storage/auth-session.md describes each. */
export class RootKeys {
  readonly #keys: KeySpace

  constructor(keys: KeySpace) {
    this.#keys = keys
  }

  get partitions(): readonly number[] {
    return this.#keys.all
  }

  /**
   * A root and the index of its realm.
   *
   * @throws {RangeError} the id names no partition of this deployment
   */
  root({ realmId, id }: RootName): { readonly root: string; readonly realm: string } {
    const partition = partitionOf(id) ?? Number.NaN
    return {
      root: this.#keys.key(partition, 'auth', realmId, id),
      realm: this.#keys.key(partition, 'auth-realm', realmId),
    }
  }

  /** The index of a realm in one partition, and the base to which the ids in it are appended. */
  realm(partition: number, realmId: string): { readonly realm: string; readonly roots: string } {
    return {
      realm: this.#keys.key(partition, 'auth-realm', realmId),
      roots: this.#keys.key(partition, 'auth', realmId, ''),
    }
  }
}
