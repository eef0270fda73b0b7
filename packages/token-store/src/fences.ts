import { StoreUnavailableError } from '@authstate/spi'
import type { WebSession } from '@authstate/web-session'
import { digestOf } from './digest.js'
import type { TokenStoreState } from './options.js'

/** Up to when something is refused, ms since the epoch; 0 for never. */
export interface Fence {
  /** Sessions that began then or before. */
  readonly before: number
  /** Access tokens that were issued then or before. */
  readonly notBefore: number
}

/** What a session says that can end it. */
export interface Fenced {
  readonly id: string
  readonly subject: string
  readonly sid?: string | undefined
  readonly startedAt: number
}

/** Writers that raise one fence at once: each that loses was beaten by one that did not. */
const MAX_TRIES = 200

const NO_FENCE: Fence = { before: 0, notBefore: 0 }

/**
 * What ends sessions wherever they are: marks of single sessions, and instants up to which all of somebody's are ended.
 *
 * A mark stands as long as a session can live. An instant only rises, on whatever nodes and in whatever order.
 */
export class Fences {
  readonly #state: TokenStoreState
  readonly #realmId: string
  readonly #fenceRealmId: string
  readonly #issuer: string
  readonly #sessionMs: number

  constructor(state: TokenStoreState, realmId: string, issuer: string, sessionMs: number) {
    this.#state = state
    this.#realmId = realmId
    // A realm of their own: they are no sessions, and nobody counts or lists them as such.
    this.#fenceRealmId = digestOf('fences', realmId)
    this.#issuer = issuer
    this.#sessionMs = sessionMs
  }

  /** Marks a session of the provider, or one of ours, as ended. */
  async mark(kind: 'sid' | 'session', name: string): Promise<void> {
    await this.#state.actionTokens.revoke(this.#realmId, this.#idOf(kind, name), {
      lifespanMs: this.#sessionMs,
    })
  }

  isMarked(kind: 'sid' | 'session', name: string): Promise<boolean> {
    return this.#state.actionTokens.isRevoked(this.#realmId, this.#idOf(kind, name))
  }

  /** The fence of everybody. */
  async ofAll(): Promise<Fence> {
    return fenceIn(await this.#read(this.#idOf('issuer', '')))
  }

  /** Whether a session was ended by whatever can end it. */
  async isEnded({ id, subject, sid, startedAt }: Fenced, all?: Promise<Fence>): Promise<boolean> {
    const [fence, his, isSid, isSession] = await Promise.all([
      all ?? this.ofAll(),
      this.#read(this.#idOf('subject', subject)).then(fenceIn),
      sid === undefined ? false : this.isMarked('sid', sid),
      this.isMarked('session', id),
    ])
    return isSid || isSession || startedAt <= Math.max(fence.before, his.before)
  }

  /** Ends sessions of a user, or of everybody, that began then or before. */
  raiseBefore(subject: string | undefined, at: number): Promise<number> {
    const id = subject === undefined ? this.#idOf('issuer', '') : this.#idOf('subject', subject)
    return this.#raise(id, 'before', at)
  }

  /** @returns the not-before that is in force */
  raiseNotBefore(at: number): Promise<number> {
    return this.#raise(this.#idOf('issuer', ''), 'notBefore', at)
  }

  #read(id: string): Promise<WebSession | undefined> {
    return this.#state.webSessions.get(this.#fenceRealmId, id)
  }

  /** Over the version that was read and no other, so that of two instants the later one stays. */
  async #raise(id: string, field: keyof Fence, at: number): Promise<number> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const held = await this.#read(id)
      const fence = fenceIn(held)
      if (fence[field] >= at) return fence[field]
      const { outcome } = await this.#state.webSessions.save(this.#fenceRealmId, id, {
        data: { ...fence, [field]: at },
        lifespanMs: this.#sessionMs,
        ifVersion: held?.version ?? 0,
      })
      if (outcome === 'stored') return at
      if (outcome === 'refused') break
    }
    throw new StoreUnavailableError('token-store: an end could not be stored', { applied: 'no' })
  }

  #idOf(kind: string, name: string): string {
    return digestOf(kind, this.#issuer, name)
  }
}

function fenceIn(held: WebSession | undefined): Fence {
  if (held === undefined) return NO_FENCE
  const { before, notBefore } = held.data
  return {
    before: typeof before === 'number' ? before : 0,
    notBefore: typeof notBefore === 'number' ? notBefore : 0,
  }
}

/** Whether a not-before refuses an access token: it counts whole seconds, as tokens do. */
export const isBeforeFence = (issuedAt: number, notBefore: number): boolean =>
  notBefore > 0 && Math.floor(issuedAt / 1_000) <= Math.floor(notBefore / 1_000)
