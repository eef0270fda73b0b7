import { escapePart, type KeySpace, unescapePart } from '@authstate/redis'
import { DIGEST_CHARACTERS, digestOf } from '../rules.js'
import type { SessionIndex, SessionName } from '../store.js'

/** Spells the keys of this SPI: docs/storage/web-session.md describes each. */
export class SessionKeys {
  readonly #keys: KeySpace

  constructor(keys: KeySpace) {
    this.#keys = keys
  }

  get partitions(): readonly number[] {
    return this.#keys.all
  }

  record({ realmId, id }: SessionName): string {
    return this.#keys.key(this.#keys.partitionFor(id), 'wo', realmId, id)
  }

  /** A session and the index of its realm. */
  session({ realmId, id }: SessionName): { readonly record: string; readonly realm: string } {
    const partition = this.#keys.partitionFor(id)
    return {
      record: this.#keys.key(partition, 'wo', realmId, id),
      realm: this.#keys.key(partition, 'wr', realmId),
    }
  }

  index(partition: number, index: SessionIndex): string {
    const { realmId } = index
    if (index.kind === 'user') return this.#keys.key(partition, 'wu', realmId, index.userId)
    if (index.kind === 'label') return this.#keys.key(partition, 'wl', realmId, index.name, index.value)
    return this.#keys.key(partition, 'wr', realmId)
  }

  fence(partition: number, realmId: string, userId: string): string {
    return this.#keys.key(partition, 'wf', realmId, userId)
  }

  /** Sessions that may bear an alias. */
  pointer(realmId: string, alias: string): string {
    return this.#keys.key(this.#keys.partitionFor(alias), 'wp', realmId, alias)
  }

  /** What indexes call a session. */
  member(id: string): string {
    return digestOf(id) + escapePart(id)
  }
}

/** The `digestOf` a session, and its id, by what indexes call it. */
export const digestIn = (member: string): string => member.slice(0, DIGEST_CHARACTERS)
export const idIn = (member: string): string => unescapePart(member.slice(DIGEST_CHARACTERS))
