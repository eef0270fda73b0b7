import { assertInstant, Emitter, type EventOf, Lifecycle } from '@authstate/spi'
import { checkAsk, checkListed, checkNewSession, checkPatch, checkStored, checkTarget } from './checks.js'
import { type Fence, type Fences, isBeforeFence } from './fences.js'
import type {
  AccessTokenOptions,
  AccessTokenOutcome,
  CreateOutcome,
  EndOutcome,
  EndTarget,
  NewSession,
  ReadOutcome,
  SessionPatch,
  StoredSession,
  TokenStore,
  TokenStoreDescription,
  TokenStoreEvents,
} from './interface.js'
import type { CheckedOptions } from './options.js'
import { revokeQuietly } from './provider-calls.js'
import { type Held, Refresher } from './refresher.js'
import type { Vault } from './vault.js'

/** What was known of a session when it was read. */
interface Known {
  readonly round: number
  readonly notBefore: number
}

const EVENTS: readonly (keyof TokenStoreEvents)[] = [
  'created',
  'ended',
  'refused',
  'refreshed',
  'refresh-failed',
  'refresh-late',
  'not-before',
]

const NO_FENCE: Fence = { before: 0, notBefore: 0 }

/** The verbs, over any vault: checks, marks before removals, and events. */
export class TokenSessions implements TokenStore {
  readonly issuer: string
  readonly clock: { now(): number }
  readonly #options: CheckedOptions
  readonly #vault: Vault
  readonly #fences: Fences | undefined
  readonly #refresher: Refresher
  readonly #events: Emitter<TokenStoreEvents>
  readonly #lifecycle = new Lifecycle('token-store')
  readonly #known = new WeakMap<StoredSession, Known>()

  constructor(options: CheckedOptions, vault: Vault, fences: Fences | undefined) {
    this.issuer = options.issuer
    this.clock = options.clock
    this.#options = options
    this.#vault = vault
    this.#fences = fences
    this.#events = new Emitter<TokenStoreEvents>({
      owner: 'token-store',
      events: EVENTS,
      logger: options.logger,
    })
    this.#refresher = new Refresher(
      options,
      vault,
      this.#events,
      (at) => this.raiseNotBefore(at),
      (held, notBefore) => this.#learn(held, notBefore),
    )
  }

  async create(
    given: NewSession,
    { replaces }: { readonly replaces?: StoredSession | undefined } = {},
  ): Promise<CreateOutcome> {
    this.#lifecycle.assertOpen()
    const session = checkNewSession(given, this.#options)
    if (replaces !== undefined) checkStored(replaces, 'replaces')
    const created = await this.#vault.create(session)
    if (created === 'too-large') return { outcome: 'too-large' }
    if (created === 'ended') {
      this.#events.emit('refused', {})
      await revokeQuietly(this.#options, session.tokens.refreshToken)
      return { outcome: 'ended' }
    }
    if (replaces !== undefined) await this.#vault.remove(replaces)
    this.#events.emit('created', { sessionId: created.held.session.id })
    return { outcome: 'created', session: this.#learn(created.held), cookies: created.held.cookies }
  }

  async read(cookieHeader: string | null | undefined): Promise<ReadOutcome> {
    this.#lifecycle.assertOpen()
    const all = this.#fence()
    // Who reads no fence has no use for its error.
    all.catch(() => {})
    const found = await this.#vault.read(cookieHeader, all)
    if (found.held === undefined) return found
    const { tokens } = found.held.session
    const { notBefore } = await all
    if (tokens.refreshToken === undefined && isBeforeFence(tokens.issuedAt, notBefore))
      return { absent: 'not-before', clear: this.#vault.clear() }
    return { session: this.#learn(found.held, notBefore), clear: found.clear }
  }

  async accessToken(session: StoredSession, options: AccessTokenOptions = {}): Promise<AccessTokenOutcome> {
    this.#lifecycle.assertOpen()
    checkStored(session)
    const ask = checkAsk(options, this.#options)
    const { round, notBefore } = this.#knownOf(session)
    return this.#refresher.token(session, round, notBefore, ask, this.#vault.clear())
  }

  async update(session: StoredSession, patch: SessionPatch) {
    this.#lifecycle.assertOpen()
    checkStored(session)
    const change = checkPatch(patch, this.#options)
    const { round, notBefore } = this.#knownOf(session)
    const held = await this.#vault.update(session, change, round)
    return held && { session: this.#learn(held, notBefore), cookies: held.cookies }
  }

  async end(given: EndTarget): Promise<EndOutcome> {
    this.#lifecycle.assertOpen()
    const target = checkTarget(given, this.clock.now())
    if (target.by === 'session') {
      const removed = await this.#vault.remove(target)
      const ended = removed === 'unknown' ? removed : Number(removed)
      this.#events.emit('ended', { by: 'session', count: ended })
      return { ended, clear: this.#vault.clear() }
    }
    // The mark comes first: a login that is stored meanwhile is either removed or meets it.
    if (target.by === 'sid') await this.#fences?.mark('sid', target.sid)
    else {
      const subject = target.by === 'subject' ? target.subject : undefined
      await this.#fences?.raiseBefore(subject, target.before)
    }
    const ended = await this.#vault.end(target)
    this.#events.emit('ended', { by: target.by, count: ended })
    return { ended, clear: [] }
  }

  async sessionsOf(
    of: { readonly subject: string } | { readonly sid: string },
  ): Promise<readonly StoredSession[]> {
    this.#lifecycle.assertOpen()
    return this.#vault.sessionsOf(checkListed(of))
  }

  async raiseNotBefore(at: number): Promise<number> {
    this.#lifecycle.assertOpen()
    assertInstant(at, 'at')
    const inForce = await this.#fences?.raiseNotBefore(at)
    if (inForce === at) this.#events.emit('not-before', { at })
    return inForce ?? 0
  }

  describe(): TokenStoreDescription {
    const { kind, isShared, isRevocable, limits } = this.#vault
    return { kind, shared: isShared, revocable: isRevocable, limits }
  }

  on<E extends keyof TokenStoreEvents | '*'>(
    event: E,
    listener: (event: EventOf<TokenStoreEvents, E>) => void,
  ): () => void {
    this.#lifecycle.assertOpen()
    return this.#events.on(event, listener)
  }

  async close(): Promise<void> {
    this.#lifecycle.close()
    this.#events.clear()
  }

  async #fence(): Promise<Fence> {
    return this.#fences === undefined ? NO_FENCE : this.#fences.ofAll()
  }

  #knownOf(session: StoredSession): Known {
    const known = this.#known.get(session)
    if (known === undefined)
      throw new TypeError(
        '"session" must be one that "create", "read", "update" or "accessToken" of this store returned',
      )
    return known
  }

  #learn({ session, round }: Held, notBefore = 0): StoredSession {
    this.#known.set(session, { round, notBefore })
    return session
  }
}
