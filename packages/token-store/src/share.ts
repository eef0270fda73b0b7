import type { ActionTokenProvider } from '@authstate/action-token'
import { type Clock, isExpired } from '@authstate/spi'

/** What nodes share of a refresh: which request does it, and the result. Each entry ends by itself. */
export interface Share {
  /** @returns `false` when there is one already: of N at once exactly one gets `true` */
  putIfAbsent(kind: string, key: string, text: string, lifespanMs: number): Promise<boolean>
  put(kind: string, key: string, text: string, lifespanMs: number): Promise<void>
  get(kind: string, key: string): Promise<string | undefined>
  remove(kind: string, key: string): Promise<void>
}

/** All nodes on one state. */
export function sharedBy(tokens: ActionTokenProvider, realmId: string): Share {
  return {
    putIfAbsent: (kind, key, text, lifespanMs) =>
      tokens.putIfAbsent(realmId, kind, key, { data: { text }, lifespanMs }),
    async put(kind, key, text, lifespanMs) {
      await tokens.put(realmId, kind, key, { data: { text }, lifespanMs })
    },
    async get(kind, key) {
      const text = (await tokens.get(realmId, kind, key))?.data['text']
      return typeof text === 'string' ? text : undefined
    },
    async remove(kind, key) {
      await tokens.remove(realmId, kind, key)
    },
  }
}

/** Most entries of a process without a state. */
const MAX_ENTRIES = 10_000

/** This process alone. */
export function ofThisProcess(clock: Clock): Share {
  const entries = new Map<string, { readonly text: string; readonly expiresAt: number }>()
  const nameOf = (kind: string, key: string) => `${kind}:${key}`
  const living = (name: string) => {
    const entry = entries.get(name)
    if (entry === undefined || !isExpired(entry.expiresAt, clock.now())) return entry
    entries.delete(name)
    return undefined
  }
  const put = (name: string, text: string, lifespanMs: number) => {
    for (const [old, { expiresAt }] of entries) {
      if (entries.size < MAX_ENTRIES && !isExpired(expiresAt, clock.now())) break
      entries.delete(old)
    }
    entries.set(name, { text, expiresAt: clock.now() + lifespanMs })
  }
  return {
    async putIfAbsent(kind, key, text, lifespanMs) {
      const name = nameOf(kind, key)
      if (living(name) !== undefined) return false
      put(name, text, lifespanMs)
      return true
    },
    async put(kind, key, text, lifespanMs) {
      put(nameOf(kind, key), text, lifespanMs)
    },
    async get(kind, key) {
      return living(nameOf(kind, key))?.text
    },
    async remove(kind, key) {
      entries.delete(nameOf(kind, key))
    },
  }
}
