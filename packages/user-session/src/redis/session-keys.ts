import { escapePart, type KeySpace } from '@authstate/redis'
import { partitionOf } from '@authstate/spi'

/** What an index gathers sessions by; the second letter of its keys. */
export type IndexKind = 'user' | 'client' | 'brokerUser' | 'brokerSession' | 'realm' | 'clients'

const LETTERS: Readonly<Record<IndexKind, string>> = {
  user: 'u',
  client: 'c',
  brokerUser: 'b',
  brokerSession: 'i',
  realm: 'r',
  clients: 'k',
}

const twin = (offline: boolean): string => (offline ? 'o' : 'u')

/** Spells the keys of this SPI: docs/storage/user-session.md describes each. */
export class SessionKeys {
  readonly #keys: KeySpace

  constructor(keys: KeySpace) {
    this.#keys = keys
  }

  get partitions(): readonly number[] {
    return this.#keys.all
  }

  partitionOfUser(userId: string): number {
    return this.#keys.partitionFor(userId)
  }

  /** `undefined` for an id that none of our nodes can have minted. */
  session(realmId: string, id: string, offline: boolean): string | undefined {
    const partition = partitionOf(id)
    if (partition === undefined || partition >= this.#keys.partitions) return undefined
    return this.#keys.key(partition, `${twin(offline)}s`, realmId, id)
  }

  /** A session that was just minted for a partition of ours. */
  minted(partition: number, realmId: string, id: string): string {
    return this.#keys.key(partition, 'us', realmId, id)
  }

  index(partition: number, kind: IndexKind, realmId: string, offline: boolean, name?: string): string {
    const letters = twin(offline) + LETTERS[kind]
    return name === undefined
      ? this.#keys.key(partition, letters, realmId)
      : this.#keys.key(partition, letters, realmId, name)
  }

  /** The mark that refuses late creations. @param userId Left out: of the whole realm. */
  fence(partition: number, realmId: string, offline: boolean, userId?: string): string {
    const letters = `${twin(offline)}f`
    return userId === undefined
      ? this.#keys.key(partition, letters, realmId)
      : this.#keys.key(partition, letters, realmId, userId)
  }

  /** When the sessions of which realms may be over. */
  due(partition: number): string {
    return this.#keys.key(partition, 'ux')
  }

  /** The node that sweeps a partition. */
  lease(partition: number): string {
    return this.#keys.key(partition, 'ul')
  }

  /** A family of refresh tokens that belongs to no stored session, and what says which of its realm were ended. */
  family(realmId: string, family: string): { readonly family: string; readonly ended: string } {
    const partition = this.#keys.partitionFor(family)
    return {
      family: this.#keys.key(partition, 'ut', realmId, family),
      ended: this.#keys.key(partition, 'ue', realmId),
    }
  }
}

/** How the scripts know a realm's twins: `u` or `o` and the realm. */
export function placeOf(realmId: string, offline: boolean): string {
  return `${twin(offline)}:${escapePart(realmId)}`
}
