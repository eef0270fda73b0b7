import { type Emitter, StoreUnavailableError } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import { type CheckedAsk, checkRefreshed } from './checks.js'
import { isBeforeFence } from './fences.js'
import type {
  AccessTokenOutcome,
  SetCookies,
  StoredSession,
  StoredTokens,
  TokenRefusal,
  TokenStoreEvents,
} from './interface.js'
import type { CheckedOptions, RefreshedTokens } from './options.js'
import { askForTokens, failureOf, restMs, revokeQuietly } from './provider-calls.js'

/** A session, how often its tokens were replaced, and the cookies that say so. */
export interface Held {
  readonly session: StoredSession
  readonly round: number
  readonly cookies: SetCookies
}

/** The request that got the right to ask the provider for tokens of a session. */
export interface Lead extends Held {
  readonly owner: string
  /** Failures in a row so far. */
  readonly failures: number
}

/** The result of a look at a session, for a request that wants other tokens. */
export type Claim =
  /** Its tokens need no replacement. */
  | { readonly state: 'ready'; readonly held: Held }
  /** Somebody asks the provider. */
  | { readonly state: 'wait'; readonly held: Held }
  /** The provider failed, and is left alone until then. */
  | { readonly state: 'resting'; readonly held: Held; readonly until: number }
  | { readonly state: 'lead'; readonly lead: Lead }
  | { readonly state: 'gone' }

/** What became of new tokens. */
export type Commit =
  | { readonly state: 'done'; readonly held: Held }
  /** The session ended meanwhile. */
  | { readonly state: 'gone' }
  /** Somebody else took the lead over. */
  | { readonly state: 'lost' }
  | { readonly state: 'too-large' }

/** Where sessions are kept, as far as a refresh is concerned. Each is done as a whole or not at all. */
export interface RefreshPort {
  /** What requests of this process share. */
  keyOf(session: StoredSession, round: number): string
  /** @param wants Whether tokens of a round are to be replaced. */
  claim(session: StoredSession, round: number, wants: (held: Held) => boolean): Promise<Claim>
  /** What another request of this process got, for the session of this one. */
  adopt(held: Held, session: StoredSession): Held
  /** Writes new tokens only while no other request leads and the session exists. */
  commit(lead: Lead, tokens: StoredTokens): Promise<Commit>
  /** Gives the lead back, and keeps others from asking until then. */
  rest(lead: Lead, until: number, failures: number): Promise<void>
  /** Ends the session, whose refresh token is worth nothing, unless somebody else took the lead over. */
  endOf(lead: Lead): Promise<'ended' | 'lost'>
}

/** The result for all requests of this process that wait for one session. */
type Turn =
  /** `isNew`: the provider was asked meanwhile, here or on another node. */
  | { readonly state: 'held'; readonly held: Held; readonly isNew: boolean }
  | { readonly state: 'gone' }
  | { readonly state: 'refused'; readonly reason: TokenRefusal }
  | {
      readonly state: 'unavailable'
      readonly held: Held
      readonly retryable: boolean
      readonly retryAfterMs: number
    }

/** A call for a token. */
interface Call extends CheckedAsk {
  readonly session: StoredSession
  readonly round: number
  readonly notBefore: number
  /** By the monotonic clock. */
  readonly deadline: number
}

const POLL_MS = 10
const POLL_JITTER_MS = 15
const RETRY_COMMIT_MS = 25
/** Answers that wait in this process for a store that does not answer. */
const MAX_UNSAVED = 1_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => timers.setTimeout(resolve, ms))

/** Tokens for requests: of all that find one at its end, on all nodes, one asks the provider. */
export class Refresher {
  readonly #options: CheckedOptions
  readonly #port: RefreshPort
  readonly #events: Emitter<TokenStoreEvents>
  readonly #raiseNotBefore: (at: number) => Promise<unknown>
  readonly #learn: (held: Held, notBefore: number) => void
  readonly #turns = new Map<string, Promise<Turn>>()
  /** Tokens that the provider gave and the store did not take, by session. */
  readonly #unsaved = new Map<string, { readonly lead: Lead; readonly tokens: StoredTokens }>()

  constructor(
    options: CheckedOptions,
    port: RefreshPort,
    events: Emitter<TokenStoreEvents>,
    raiseNotBefore: (at: number) => Promise<unknown>,
    learn: (held: Held, notBefore: number) => void,
  ) {
    this.#options = options
    this.#port = port
    this.#events = events
    this.#raiseNotBefore = raiseNotBefore
    this.#learn = learn
  }

  /**
   * A token of a session.
   *
   * @param round How often its tokens had been replaced when it was read.
   * @param clear Takes its cookie away.
   */
  async token(
    session: StoredSession,
    round: number,
    notBefore: number,
    ask: CheckedAsk,
    clear: SetCookies,
  ): Promise<AccessTokenOutcome> {
    const call: Call = { ...ask, session, round, notBefore, deadline: timers.monotonicMs() + ask.deadlineMs }
    const given: Held = { session, round, cookies: [] }
    if (this.#needOf(given, call) === 'good' && !this.#unsaved.has(session.id))
      return this.#answer(given, call)
    for (;;) {
      const turn = await this.#turnOf(call)
      if (turn === undefined) return { outcome: 'unavailable', retryable: true, retryAfterMs: POLL_MS }
      switch (turn.state) {
        case 'gone':
          return { outcome: 'ended', retryable: false, clear }
        case 'refused':
          return { outcome: 'refused', reason: turn.reason, retryable: false, cookies: [] }
        case 'unavailable': {
          if (this.#needOf(turn.held, call) !== 'spent') return this.#answer(turn.held, call)
          const { retryable, retryAfterMs } = turn
          return { outcome: 'unavailable', retryable, retryAfterMs }
        }
        case 'held': {
          const held = turn.held.round > round ? this.#port.adopt(turn.held, session) : turn.held
          if (this.#needOf(held, call) !== 'spent') return this.#answer(held, call)
          // A new token that is not enough is not asked for again. Who waited with others may want more of an old one than they did.
          if (turn.isNew || !this.#canRefresh(held.session.tokens))
            return {
              outcome: 'refused',
              reason: this.#reasonFor(turn.isNew, held, call),
              retryable: false,
              cookies: held.cookies,
            }
        }
      }
    }
  }

  /** Joins the requests of this process that wait for the session, or asks for them. `undefined`: it took too long. */
  #turnOf(call: Call): Promise<Turn | undefined> {
    const key = this.#port.keyOf(call.session, call.round)
    let turn = this.#turns.get(key)
    if (turn === undefined) {
      turn = this.#take(call).finally(() => this.#turns.delete(key))
      this.#turns.set(key, turn)
    } else {
      const held: Held = { session: call.session, round: call.round, cookies: [] }
      if (this.#needOf(held, call) === 'usable') return Promise.resolve({ state: 'held', held, isNew: false })
    }
    return this.#untilDeadline(turn, call.deadline)
  }

  async #untilDeadline(turn: Promise<Turn>, deadline: number): Promise<Turn | undefined> {
    let timer: ReturnType<typeof timers.setTimeout> | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = timers.setTimeout(() => resolve(undefined), Math.max(0, deadline - timers.monotonicMs()))
    })
    try {
      return await Promise.race([turn, late])
    } finally {
      timers.clearTimeout(timer)
    }
  }

  async #take(call: Call): Promise<Turn> {
    const unsaved = await this.#saveUnsaved(call.session.id)
    if (unsaved !== undefined) return { state: 'held', held: unsaved, isNew: true }
    let floor: number | undefined
    const wants = (held: Held): boolean => {
      floor ??= held.round
      return (
        this.#needOf(held, call) !== 'good' && held.round <= floor && this.#canRefresh(held.session.tokens)
      )
    }
    for (;;) {
      const claim = await this.#port.claim(call.session, call.round, wants)
      switch (claim.state) {
        case 'gone':
          return { state: 'gone' }
        case 'ready':
          return { state: 'held', held: claim.held, isNew: claim.held.round > (floor ?? claim.held.round) }
        case 'resting': {
          const retryAfterMs = Math.max(1, claim.until - this.#options.clock.now())
          return { state: 'unavailable', held: claim.held, retryable: true, retryAfterMs }
        }
        case 'wait':
          if (this.#needOf(claim.held, call) === 'usable')
            return { state: 'held', held: claim.held, isNew: false }
          if (timers.monotonicMs() >= call.deadline)
            return { state: 'unavailable', held: claim.held, retryable: true, retryAfterMs: POLL_MS }
          await pause(POLL_MS + Math.random() * POLL_JITTER_MS)
          break
        case 'lead': {
          const turn = await this.#lead(claim.lead, call)
          if (turn !== undefined) return turn
        }
      }
    }
  }

  /** `undefined`: somebody else took the lead over. */
  async #lead(lead: Lead, call: Call): Promise<Turn | undefined> {
    const { session } = lead
    const sessionId = session.id
    let refreshed: RefreshedTokens
    try {
      refreshed = await askForTokens(this.#options, session.tokens)
    } catch (error) {
      const failure = failureOf(error)
      this.#events.emit('refresh-failed', { sessionId, reason: failure })
      if (failure === 'invalid-grant') {
        if ((await this.#port.endOf(lead)) === 'lost') return undefined
        this.#events.emit('ended', { by: 'provider', count: 1 })
        return { state: 'gone' }
      }
      return this.#leaveAlone(lead, failure === 'unavailable')
    }
    const { tokens, notBefore } = await this.#checked(lead, refreshed)
    try {
      await this.#options.verify?.(tokens.accessToken as string)
    } catch {
      this.#events.emit('refresh-failed', { sessionId, reason: 'verify' })
      await this.#leaveAlone(lead, false)
      return { state: 'refused', reason: 'verify' }
    }
    const commit = await this.#commit(lead, tokens, call.deadline)
    if (notBefore !== undefined) await this.#raiseNotBefore(notBefore)
    if (commit.state === 'lost') return undefined
    if (commit.state === 'too-large') return { state: 'refused', reason: 'too-large' }
    if (commit.state === 'gone') {
      await revokeQuietly(this.#options, tokens.refreshToken)
      this.#events.emit('refresh-late', { sessionId })
      return { state: 'gone' }
    }
    this.#events.emit('refreshed', { sessionId })
    return { state: 'held', held: commit.held, isNew: true }
  }

  async #checked(lead: Lead, refreshed: RefreshedTokens) {
    try {
      return checkRefreshed(refreshed, lead.session.tokens, this.#options.clock.now())
    } catch (error) {
      await this.#leaveAlone(lead, false)
      throw error
    }
  }

  /** Writes new tokens. A store that does not answer is asked again; the request that waits is served all the same. */
  async #commit(lead: Lead, tokens: StoredTokens, deadline: number): Promise<Commit> {
    for (;;) {
      try {
        return await this.#port.commit(lead, tokens)
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error
        if (timers.monotonicMs() + RETRY_COMMIT_MS < deadline) {
          await pause(RETRY_COMMIT_MS)
          continue
        }
        if (this.#unsaved.size < MAX_UNSAVED) this.#unsaved.set(lead.session.id, { lead, tokens })
        return { state: 'done', held: heldOf({ lead, tokens }) }
      }
    }
  }

  /** Writes what could not be written before. @returns what is served as long as that cannot be */
  async #saveUnsaved(sessionId: string): Promise<Held | undefined> {
    const unsaved = this.#unsaved.get(sessionId)
    if (unsaved === undefined) return undefined
    try {
      const { state } = await this.#port.commit(unsaved.lead, unsaved.tokens)
      this.#unsaved.delete(sessionId)
      if (state === 'gone') await revokeQuietly(this.#options, unsaved.tokens.refreshToken)
      return undefined
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
      return heldOf(unsaved)
    }
  }

  async #leaveAlone(lead: Lead, retryable: boolean): Promise<Turn> {
    const failures = lead.failures + 1
    const retryAfterMs = restMs(failures)
    try {
      await this.#port.rest(lead, this.#options.clock.now() + retryAfterMs, failures)
    } catch (error) {
      // The lease ends by itself.
      if (!(error instanceof StoreUnavailableError)) throw error
    }
    return { state: 'unavailable', held: lead, retryable, retryAfterMs }
  }

  #answer(held: Held, { notBefore }: Call): AccessTokenOutcome {
    this.#learn(held, notBefore)
    const { session, cookies } = held
    return { outcome: 'token', token: session.tokens.accessToken as string, session, cookies }
  }

  #canRefresh({ refreshToken, refreshExpiresAt }: StoredTokens): boolean {
    if (this.#options.refresh === undefined || refreshToken === undefined) return false
    return refreshExpiresAt === undefined || refreshExpiresAt > this.#options.clock.now()
  }

  /** `usable`: it can be served, and another one is wanted. */
  #needOf({ session: { tokens }, round }: Held, call: Call): 'good' | 'usable' | 'spent' {
    const { accessToken, accessExpiresAt, issuedAt } = tokens
    const left = accessExpiresAt - this.#options.clock.now()
    if (accessToken === undefined || left <= call.minTtlMs) return 'spent'
    if (isBeforeFence(issuedAt, call.notBefore)) return 'spent'
    if (round <= call.round && call.force) return 'spent'
    if (round <= call.round && this.#options.alwaysRefresh) return 'usable'
    return left <= call.refreshAheadMs ? 'usable' : 'good'
  }

  #reasonFor(isNew: boolean, { session: { tokens } }: Held, { notBefore }: Call): TokenRefusal {
    if (!isNew) return 'no-refresh-token'
    return isBeforeFence(tokens.issuedAt, notBefore) ? 'not-before' : 'ttl'
  }
}

const heldOf = ({ lead, tokens }: { readonly lead: Lead; readonly tokens: StoredTokens }): Held => ({
  session: { ...lead.session, tokens },
  round: lead.round + 1,
  cookies: [],
})
