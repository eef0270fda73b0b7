import {
  type CheckedPage,
  describedSchema,
  FirstPositions,
  isExpired,
  laterMark,
  type PagePosition,
  type ProviderFactory,
} from '@authstate/spi'
import { assertNoProperties, inSlices, Pruner } from '@authstate/spi/internal'
import { type WebSessionConfig, webSessionConfig } from './config.js'
import { type WebSessionProvider, webSessionSpi } from './contract.js'
import {
  afterRemoval,
  applySave,
  applyUpdate,
  digestOf,
  type EndedSession,
  isBehind,
  isOver,
  jsonOf,
  livingIn,
  NO_SLOT,
  type SaveConditions,
  type SessionChange,
  type SessionDraft,
  type SessionRecord,
  type Slot,
  type SlotStep,
  type StepTime,
  type StoredSession,
} from './rules.js'
import type { Removal, SessionIndex, SessionName, SessionPage, WebSessionStore } from './store.js'
import { WebSessions } from './web-sessions.js'

/** Keeps sessions in this process. They are lost with it and not shared. */
export function memoryWebSessions(): ProviderFactory<WebSessionProvider, WebSessionConfig>
export function memoryWebSessions(
  ...given: unknown[]
): ProviderFactory<WebSessionProvider, WebSessionConfig> {
  assertNoProperties(given, 'memoryWebSessions', webSessionSpi, 'memory')
  return {
    spi: webSessionSpi,
    id: 'memory',
    config: describedSchema(webSessionConfig),
    create: (context, config) => new WebSessions(context, config, new MemoryStore()),
  }
}

/** What is kept under one id. */
interface Entry extends SessionName {
  slot: Slot
  /** Once it was asked for. */
  digest?: string
}

/** Until when sign-ins of a user are refused that began before the mark. */
interface Fence {
  readonly mark: string
  readonly expiresAt: number
}

class MemoryStore implements WebSessionStore {
  readonly #entries = new Map<string, Entry>()
  /** Sessions by realm, user, label and alias. */
  readonly #indexes = new Map<string, Set<Entry>>()
  readonly #fences = new Map<string, Fence>()
  readonly #entryPruner = new Pruner(this.#entries)
  readonly #fencePruner = new Pruner(this.#fences)

  async save(name: SessionName, draft: SessionDraft, conditions: SaveConditions, time: StepTime) {
    const fence = this.#fence(name.realmId, draft.signIn?.userId, time.now)
    return this.#step(name, time, (slot) => applySave(slot, draft, conditions, fence, time))
  }

  async update(name: SessionName, change: SessionChange, time: StepTime) {
    const fence = this.#fence(name.realmId, change.signIn?.userId, time.now)
    return this.#step(name, time, (slot) => applyUpdate(slot, change, fence, time))
  }

  async load(name: SessionName) {
    const entry = this.#entries.get(textOf(name.realmId, name.id))
    return entry && storedOf(entry, entry.slot.session)
  }

  async find(realmId: string, alias: string, now: number) {
    let newest: { readonly entry: Entry; readonly session: SessionRecord } | undefined
    await inSlices(this.#indexes.get(textOf('alias', realmId, alias)) ?? NOTHING, (entry) => {
      const session = livingIn(entry.slot, now)
      if (session?.alias !== alias || session.createdAt < (newest?.session.createdAt ?? 0)) return
      newest = { entry, session }
    })
    return newest && storedOf(newest.entry, newest.session)
  }

  async remove(name: SessionName, generation: string | undefined, time: StepTime) {
    return this.#step(name, time, (slot) => {
      const session = livingIn(slot, time.now)
      const left = afterRemoval(slot, generation, time)
      const isEnded = session !== undefined && left.session === undefined
      return { reply: isEnded ? { id: name.id, userId: session.userId } : undefined, slot: left }
    })
  }

  async page(index: SessionIndex, { limit, after }: CheckedPage, now: number): Promise<SessionPage> {
    const first = new FirstPositions<PagePosition & { readonly entry: Entry }>(limit + 1)
    await inSlices([...this.#index(index)], (entry) => {
      const session = livingIn(entry.slot, now)
      if (session === undefined || !this.#index(index).has(entry)) return
      entry.digest ??= digestOf(entry.id)
      const position = { score: session.expiresAt, id: entry.digest, entry }
      if (isBehind(position, after)) first.add(position)
    })
    const found = first.inOrder()
    const shown = found.slice(0, limit)
    const items = shown.map(({ entry }) => storedOf(entry, livingIn(entry.slot, now)))
    return {
      items: items.filter((item) => item !== undefined),
      end: found.length > limit ? shown.at(-1) : undefined,
    }
  }

  async count(realmId: string, now: number) {
    let living = 0
    await inSlices([...this.#index({ realmId, kind: 'realm' })], ({ slot }) => {
      if (livingIn(slot, now) !== undefined) living += 1
    })
    return living
  }

  async endAll(
    index: SessionIndex,
    { mark, except }: Removal,
    time: StepTime,
    onEnded: (session: EndedSession) => void,
  ) {
    const { now, tombstoneMs } = time
    if (index.kind === 'user' && mark !== undefined) {
      const text = textOf(index.realmId, index.userId)
      const held = this.#fence(index.realmId, index.userId, now)
      this.#fences.set(text, { mark: laterMark(held, mark), expiresAt: now + tombstoneMs })
      this.#fencePruner.prune(({ expiresAt }) => isExpired(expiresAt, now))
    }
    // What is there now: what comes while these end began later.
    const those = [...this.#index(index)].map((entry) => ({ entry, session: entry.slot.session }))
    await inSlices(those, ({ entry, session }) => {
      if (entry.id === except || session?.generation !== entry.slot.session?.generation) return
      if (!this.#index(index).has(entry)) return
      const living = livingIn(entry.slot, now)
      this.#keep(entry, afterRemoval(entry.slot, undefined, time))
      if (living !== undefined) onEnded({ id: entry.id, userId: living.userId })
    })
  }

  async close() {
    for (const map of [this.#entries, this.#indexes, this.#fences]) map.clear()
  }

  #step<R>({ realmId, id }: SessionName, { now }: StepTime, step: (slot: Slot) => SlotStep<R>): R {
    const text = textOf(realmId, id)
    const entry = this.#entries.get(text) ?? { realmId, id, slot: NO_SLOT }
    const { reply, slot } = step(entry.slot)
    if (slot !== undefined) {
      this.#entries.set(text, entry)
      this.#keep(entry, slot)
      this.#entryPruner.prune((old) => this.#isForgotten(old, now))
    }
    return reply
  }

  /** Keeps a slot from now on, and changes the indexes with it. */
  #keep(entry: Entry, slot: Slot): void {
    const before = namesOf(entry)
    entry.slot = slot
    const after = namesOf(entry)
    for (const name of before) {
      if (after.includes(name)) continue
      const entries = this.#indexes.get(name)
      entries?.delete(entry)
      if (entries?.size === 0) this.#indexes.delete(name)
    }
    for (const name of after) {
      const entries = this.#indexes.get(name) ?? new Set()
      this.#indexes.set(name, entries.add(entry))
    }
  }

  #isForgotten(entry: Entry, now: number): boolean {
    if (!isOver(entry.slot, now)) return false
    this.#keep(entry, NO_SLOT)
    return true
  }

  #index(index: SessionIndex): ReadonlySet<Entry> {
    return this.#indexes.get(nameOf(index)) ?? NOTHING
  }

  #fence(realmId: string, userId: string | undefined, now: number): string | undefined {
    const fence = userId === undefined ? undefined : this.#fences.get(textOf(realmId, userId))
    return fence === undefined || isExpired(fence.expiresAt, now) ? undefined : fence.mark
  }
}

const NOTHING: ReadonlySet<Entry> = new Set()

const textOf = (...parts: string[]): string => JSON.stringify(parts)

function nameOf(index: SessionIndex): string {
  if (index.kind === 'user') return textOf('user', index.realmId, index.userId)
  if (index.kind === 'label') return textOf('label', index.realmId, index.name, index.value)
  return textOf('realm', index.realmId)
}

/** The indexes in which an entry stands. */
function namesOf({ realmId, slot: { session } }: Entry): string[] {
  if (session === undefined) return []
  const { userId, alias, labels } = session
  return [
    textOf('realm', realmId),
    ...(userId === '' ? [] : [textOf('user', realmId, userId)]),
    ...(alias === '' ? [] : [textOf('alias', realmId, alias)]),
    ...Object.entries(labels).map(([name, value]) => textOf('label', realmId, name, value)),
  ]
}

function storedOf({ id }: Entry, session: SessionRecord | undefined): StoredSession | undefined {
  if (session === undefined) return undefined
  const { fields, labels, ...head } = session
  return { ...head, id, labels: { ...labels }, data: jsonOf(fields) }
}
