import { isExpired, Pruner } from '@authstate/spi'
import type { TabData, TabHead } from '../rules.js'

export interface StoredTab {
  head: TabHead
  data: TabData
}

export interface StoredRoot {
  readonly id: string
  readonly realmId: string
  readonly createdAt: number
  updatedAt: number
  expiresAt: number
  /** In the order in which they were added. */
  readonly tabs: Map<string, StoredTab>
}

/** The roots of this process, by realm and id. */
export class StoredRoots {
  readonly #roots = new Map<string, StoredRoot>()
  readonly #pruner = new Pruner(this.#roots)

  living(realmId: string, id: string, now: number): StoredRoot | undefined {
    const root = this.#roots.get(nameOf(realmId, id))
    return root && !isExpired(root.expiresAt, now) ? root : undefined
  }

  put(root: StoredRoot): void {
    this.#roots.set(nameOf(root.realmId, root.id), root)
  }

  remove(root: StoredRoot): void {
    this.#roots.delete(nameOf(root.realmId, root.id))
  }

  ofRealm(realmId: string): StoredRoot[] {
    return [...this.#roots.values()].filter((root) => root.realmId === realmId)
  }

  /** Looks at a few roots, other ones each time, and forgets those that have expired. */
  prune(now: number): void {
    this.#pruner.prune((root) => isExpired(root.expiresAt, now))
  }

  clear(): void {
    this.#roots.clear()
  }
}

/** Of tabs of one instant the first added comes first. */
export function oldestFirst({ tabs }: StoredRoot): StoredTab[] {
  return [...tabs.values()].sort((a, b) => a.head.createdAt - b.head.createdAt)
}

const nameOf = (realmId: string, id: string): string => JSON.stringify([realmId, id])
