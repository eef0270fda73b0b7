import type { Answer, PagePosition } from '@authstate/spi'
import type {
  DecodeSession,
  Found,
  Memo,
  MemoResult,
  SessionIndex,
  SessionName,
  SessionRecords,
  StepReads,
  StepResult,
  StoredSession,
} from '../src/for-stores.js'
import { MemoryRecords } from '../src/memory/records.js'

type Method = Exclude<keyof SessionRecords, 'close'>

/** Records that answer later and hand out copies, as a database does. */
export class LaterRecords implements SessionRecords {
  /** What happens before a step is taken; it may throw. */
  before: ((method: Method, about: unknown) => Answer<void>) | undefined
  /** Ids of sessions whose records cannot be read, and what stands there. */
  readonly damaged = new Map<string, string>()
  readonly #records = new MemoryRecords()
  #decode: DecodeSession = () => undefined

  reading(decode: DecodeSession): this {
    this.#decode = decode
    return this
  }

  read(name: SessionName) {
    return this.#later('read', name, () => this.#copyOf(this.#records.read(name)))
  }

  change<T>(reads: StepReads, step: (found: Found) => StepResult<T>) {
    return this.#later('change', reads, () => {
      const results: StepResult<T>[] = []
      this.#records.change(reads, ({ session, copy, rivals, memos }) => {
        const result = step({
          session: this.#copyOf(session),
          copy: this.#copyOf(copy),
          rivals: rivals.flatMap((rival) => this.#copyOf(rival) ?? []),
          memos,
        })
        results.push(result)
        const gone = [...(result.ends ?? []).map((ending) => ending.session), ...(result.drops ?? [])]
        const ends = gone.flatMap((name) => this.#records.read(name) ?? [])
        return { ...result, ends: ends.map((ended) => ({ session: ended, reason: 'removed' })) }
      })
      return results[0] as StepResult<T>
    })
  }

  remember<T>(names: readonly string[], step: (memos: readonly (Memo | undefined)[]) => MemoResult<T>) {
    return this.#later('remember', names, () => this.#records.remember(names, step))
  }

  list(index: SessionIndex, after: PagePosition, limit: number) {
    return this.#later('list', index, () =>
      this.#records
        .list(index, after, limit)
        .map(({ score, id, session }) => ({ score, id, session: this.#copyOf(session) })),
    )
  }

  count(index: SessionIndex, now: number) {
    return this.#later('count', index, () => this.#records.count(index, now))
  }

  ids(index: SessionIndex, now: number) {
    return this.#later('ids', index, () => [...this.#records.ids(index, now)])
  }

  clientCounts(realmId: string, offline: boolean, now: number) {
    return this.#later('clientCounts', realmId, () => this.#records.clientCounts(realmId, offline, now))
  }

  over(now: number, limit: number) {
    return this.#later('over', limit, () => this.#records.over(now, limit))
  }

  forget(now: number) {
    return this.#later('forget', now, () => this.#records.forget(now))
  }

  async #later<T>(method: Method, about: unknown, step: () => Answer<T>): Promise<T> {
    await this.before?.(method, about)
    await later()
    const answer = await step()
    await later()
    return answer
  }

  #copyOf(session: StoredSession | undefined): StoredSession | undefined {
    if (session === undefined) return undefined
    const damage = this.damaged.get(session.id)
    return damage === undefined ? cloned(session) : this.#decode(damage)
  }
}

/** Lets others that wait go first. */
async function later(): Promise<void> {
  for (let n = 0; n < 3; n++) await undefined
}

const cloned = (session: StoredSession): StoredSession => ({
  ...session,
  clients: new Map([...session.clients].map(([clientId, client]) => [clientId, { ...client }])),
  families: new Map(
    [...session.families].map(([clientId, families]) => [
      clientId,
      { ...families, known: new Map(families.known) },
    ]),
  ),
})
