import { hash } from 'node:crypto'
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
    if (index.kind === 'user') return this.#keys.key(partition, 'wm', realmId, nodeOf(tagOf(index.userId)))
    if (index.kind === 'label') return this.#keys.key(partition, 'wl', realmId, index.name, index.value)
    return this.#keys.key(partition, 'wr', realmId)
  }

  /** The index that the first format had for each user. */
  former(partition: number, realmId: string, userId: string): string {
    return this.#keys.key(partition, 'wu', realmId, userId)
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

/** The `digestOf` a session, its id and, in the index of a realm, the `tagOf` its user, by what indexes call it. */
export const digestIn = (member: string): string => member.slice(0, DIGEST_CHARACTERS)
export const idIn = (member: string): string => unescapePart(member.slice(DIGEST_CHARACTERS, endOfId(member)))
export const tagIn = (member: string): string => member.slice(endOfId(member) + 1)

function endOfId(member: string): number {
  const colon = member.indexOf(':')
  return colon === -1 ? member.length : colon
}

/** What indexes call a user: three characters, of which few others have the same. Scripts reckon it as well. */
export function tagOf(userId: string): string {
  const digest = Number.parseInt(hash('sha1', escapePart(userId), 'hex').slice(0, 5), 16)
  return (digest % 36 ** 3).toString(36).padStart(3, '0')
}

/** Which of the indexes of users has those of a tag. */
function nodeOf(tag: string): string {
  return (Number.parseInt(tag, 36) % INDEXES_OF_USERS).toString(16).padStart(2, '0')
}

/** In each partition: so many keep an index short, in which Redis needs half as much for an entry. */
const INDEXES_OF_USERS = 64
