import { type Answer, beganBefore, nextStep, type Realm } from '@authstate/spi'
import { isPromiseLike, SLICE, slices } from '@authstate/spi/internal'
import { userLives } from './expiry.js'
import * as memos from './memos.js'
import type { Found, SessionRecords, StepReads, StepResult } from './session-records.js'
import * as steps from './steps.js'
import type { EndedIndex, Removal, SessionIndex } from './store.js'
import { liveClient, type StoredSession } from './stored.js'

/** Takes a step on a session, and tells what it did. */
type Change = <T>(reads: StepReads, step: (found: Found) => StepResult<T>) => Answer<T>

/** Ends, or changes, many sessions of a store over records, one after the other. */
export class RecordWalks {
  readonly #records: SessionRecords
  readonly #change: Change
  #isStopped = false

  constructor(records: SessionRecords, change: Change) {
    this.#records = records
    this.#change = change
  }

  async endAll(index: EndedIndex, { mark, except }: Removal, now: number) {
    const { realmId, offline, kind, name } = index
    const endsTokens = mark !== '' && kind === 'realm' && !offline
    if (endsTokens)
      await this.#records.remember([memos.endedName(realmId)], (held) => memos.endFamilies(held, mark, now))
    if (mark !== '') {
      const fence = memos.markName(realmId, offline, kind === 'user' ? name : undefined)
      const raise = async () => this.#records.remember([fence], (held) => memos.raiseMark(held, mark, now))
      await nextStep(raise(), endsTokens)
    }
    const reason = kind === 'brokerSession' ? 'broker-session' : kind
    const stays = ({ id, core, beginning }: StoredSession): boolean =>
      id === except ||
      // Since it was listed it may have begun anew, or another one stands under its id.
      (kind === 'brokerSession' && core.brokerSessionId !== name) ||
      (kind === 'user' && core.userId !== name) ||
      (mark !== '' && !beganBefore(beginning, mark))
    return this.#walk(
      index,
      now,
      (session) => (stays(session) ? steps.NOTHING : { answer: 1, ends: [{ session, reason }] }),
      // One that cannot be read does not say when it began.
      { isBegun: mark !== '', dropsUnreadable: (id) => id !== except },
    )
  }

  detachAll(realmId: string, clientId: string, offline: boolean, now: number) {
    return this.#walk({ realmId, offline, kind: 'client', name: clientId }, now, (session) =>
      liveClient(session, clientId, now) ? steps.detach(session, clientId, 'client', 1, now) : steps.NOTHING,
    )
  }

  async recompute(realmId: string, realm: Realm, now: number) {
    let changed = 0
    for (const offline of [false, true]) {
      const lives = userLives(realm, offline)
      changed += await this.#walk(
        { realmId, offline, kind: 'realm', name: '' },
        now,
        (session) =>
          steps.recomputeIn(session, lives, realm, now) ? { answer: 1, keeps: [session] } : steps.NOTHING,
        { isBegun: offline },
      )
    }
    return changed
  }

  async sweep(now: number, onSwept: (count: number) => void) {
    await this.#records.forget(now)
    const paced = slices()
    while (!this.#isStopped) {
      const names = await this.#records.over(now, SLICE)
      let [swept, gone] = [0, 0]
      try {
        for (const { realmId, id, offline } of names) {
          const others = paced()
          if (others) await others
          if (this.#isStopped) break
          const name = { realmId, id, offline }
          const change = this.#change({ ...name, now }, ({ session }) => steps.sweepIn(session, name, now))
          const taken = isPromiseLike(change) ? await change : change
          if (taken !== 'stays') gone += 1
          if (taken === 'ended') swept += 1
        }
      } finally {
        // Also what ended before a step that failed.
        onSwept(swept)
      }
      if (names.length < SLICE || gone === 0) return
    }
  }

  stop() {
    this.#isStopped = true
  }

  /**
   * A step on each living session of a listing.
   *
   * @param options.isBegun The verb has taken another step before.
   * @param options.dropsUnreadable Whether a session goes if it cannot be read.
   * @returns the sum of the answers
   */
  async #walk(
    index: SessionIndex,
    now: number,
    step: (session: StoredSession) => StepResult<number>,
    options: { readonly isBegun?: boolean; readonly dropsUnreadable?: (id: string) => boolean } = {},
  ): Promise<number> {
    const { realmId, offline } = index
    let [sum, isBegun] = [0, options.isBegun ?? false]
    const paced = slices()
    try {
      for (const id of await this.#records.ids(index, now)) {
        const others = paced()
        if (others) await others
        const name = { realmId, id, offline }
        const answer = this.#change({ ...name, now }, (found) => {
          if (found.session === undefined && options.dropsUnreadable?.(id))
            return { answer: 0, drops: [name] }
          const session = steps.living(found.session, now)
          return session === undefined ? steps.NOTHING : step(session)
        })
        sum += isPromiseLike(answer) ? await answer : answer
        isBegun = true
      }
      return sum
    } catch (error) {
      // What failed alone may not have been applied; what came before was.
      return nextStep<never>(Promise.reject(error), isBegun)
    }
  }
}
