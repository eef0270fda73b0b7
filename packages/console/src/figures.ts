import type { Clock } from '@authstate/spi'
import { type AuthState, loginFailureSpi, userSessionSpi } from 'authstate'

/** What is counted of a realm, or, of `failed`, of the node. */
export type FigureName = 'sessions' | 'logins' | 'locks' | 'failed'

const SLOT_MS = 120_000
const SLOTS = 180
const HOUR_SLOTS = 3_600_000 / SLOT_MS

/** How far back {@link Figures} goes. */
export const HISTORY_MS = SLOTS * SLOT_MS

/** Most realms whose figures are kept. */
export const MOST_REALMS = 20

/** What this node saw in the last six hours, in steps of two minutes. It asks no store. */
export class Figures {
  readonly #clock: Clock
  readonly #state: AuthState
  /** By name and realm, then by the number of the slot. */
  readonly #slots = new Map<string, Map<number, number>>()
  readonly #firstSlot: number
  readonly #stops: readonly ((() => void) | undefined)[]
  #realms: ReadonlySet<string> = new Set()
  #failedBefore: number

  constructor(state: AuthState) {
    this.#state = state
    this.#clock = state.clock
    this.#firstSlot = this.#slot()
    this.#failedBefore = this.#failed()
    const lock = ({ realmId }: { readonly realmId: string }) => this.#add('locks', realmId, 1)
    const failures = state.find(loginFailureSpi)
    this.#stops = [
      state.find(userSessionSpi)?.on('created', ({ realmId, offline }) => {
        if (!offline) this.#add('logins', realmId, 1)
      }),
      failures?.on('temporary-lock', lock),
      failures?.on('permanent-lock', lock),
    ]
  }

  /** Of which realms it counts from now on: the first ones of these. */
  follow(realms: readonly string[]): void {
    this.#realms = new Set(realms.slice(0, MOST_REALMS))
  }

  /** Notes how many sessions of a realm live now. */
  sample(realmId: string, sessions: number): void {
    if (this.#realms.has(realmId)) this.#of('sessions', realmId).set(this.#slot(), sessions)
  }

  /** Notes how many commands have failed since the last time. */
  sampleFailed(): void {
    const failed = this.#failed()
    this.#put('failed', '', failed - this.#failedBefore)
    this.#failedBefore = failed
  }

  /** The values of six hours, the present last, over some realms; absent where nothing is known. */
  series(name: FigureName, realms: readonly string[] = ['']): (number | undefined)[] {
    const last = this.#slot()
    return Array.from({ length: SLOTS }, (_, n) => {
      const slot = last - SLOTS + 1 + n
      const values = realms.map((realm) => this.#slots.get(keyOf(name, realm))?.get(slot))
      if (values.every((value) => value === undefined)) {
        return name === 'sessions' || slot < this.#firstSlot ? undefined : 0
      }
      return values.reduce<number>((sum, value = 0) => sum + value, 0)
    })
  }

  /** What came together in the last hour. */
  lastHour(name: Exclude<FigureName, 'sessions'>, realms?: readonly string[]): number {
    return this.series(name, realms)
      .slice(-HOUR_SLOTS)
      .reduce<number>((sum, value = 0) => sum + value, 0)
  }

  close(): void {
    for (const stop of this.#stops) stop?.()
  }

  #failed(): number {
    const { failed = 0 } = (this.#state.stats()['redis'] ?? {}) as { readonly failed?: number }
    return failed
  }

  #slot(): number {
    return Math.floor(this.#clock.now() / SLOT_MS)
  }

  #add(name: FigureName, realmId: string, by: number): void {
    if (this.#realms.has(realmId)) this.#put(name, realmId, by)
  }

  #put(name: FigureName, realmId: string, by: number): void {
    const slots = this.#of(name, realmId)
    const slot = this.#slot()
    slots.set(slot, (slots.get(slot) ?? 0) + by)
  }

  #of(name: FigureName, realmId: string): Map<number, number> {
    const key = keyOf(name, realmId)
    const slots = this.#slots.get(key) ?? new Map<number, number>()
    this.#slots.set(key, slots)
    for (const slot of slots.keys()) {
      if (slot > this.#slot() - SLOTS) break
      slots.delete(slot)
    }
    return slots
  }
}

const keyOf = (name: FigureName, realmId: string): string => `${name} ${realmId}`
