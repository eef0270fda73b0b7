import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertLifespan,
  assertName,
  assertOptions,
  consoleLogger,
  Emitter,
  type Known,
} from '@authstate/spi'
import type { WebSessionProvider } from '@authstate/web-session'
import type { OnUnavailable } from './unavailable.js'

/** Where sessions are kept: what `createAuthState` answers, or whatever else has the provider. */
export interface SessionState {
  readonly webSessions: WebSessionProvider
}

/** A session as the framework has it: `cookie`, and what the application put beside it. */
export interface FrameworkSession {
  readonly cookie?: object | undefined
  readonly [name: string]: unknown
}

/** A save that came to nothing: its session was ended meanwhile, or its user's sessions were. */
export interface RefusedSave {
  readonly sessionId: string
}

/** Where sessions were kept before, for as long as browsers hold their ids. */
export interface PreviousSessions {
  /** The session as the store of before answered it, if it has one. */
  get(sessionId: string): Promise<FrameworkSession | undefined>
  /** Forgets it: somebody logged out. */
  remove(sessionId: string): Promise<unknown>
}

/** How sessions are kept. */
export interface StoreOptions {
  /** The realm of the sessions: one per application that shares the deployment. @default 'sessions' */
  readonly realmId?: string | undefined
  /** `false`: a session is saved whole, as other stores do, and of two requests at once the later wins. @default true */
  readonly merge?: boolean | undefined
  /** Whose a session is, so that it can be listed and ended with the others of its user. @default what Passport stored */
  readonly userId?: ((session: FrameworkSession) => string | undefined) | undefined
  /** Life of a session whose cookie ends with the browser, whole ms above 0. @default 86_400_000 */
  readonly defaultTtlMs?: number | ((session: FrameworkSession) => number) | undefined
  /** Life of every session, whatever its cookie says, whole ms above 0. @default that of its cookie */
  readonly ttlMs?: ((session: FrameworkSession) => number) | undefined
  /**
   * A request that changes nothing sends its touch only where the end has moved by more than this since it was stored, ms. Each session
   * is stored with an end later by as much, so none ends before its cookie; one without a request lives that much longer. Up to a day.
   * @default 0
   */
  readonly touchAfterMs?: number | undefined
  /**
   * Called for each save that was refused. The framework sees that save as a success: the user is
   * logged out. If this function throws or rejects, that is logged once.
   */
  readonly onRefused?: ((refused: RefusedSave) => unknown) | undefined
  /**
   * Returns the error that the framework gets when Redis is away, such as one with a `statusCode`
   * of 503. `undefined`: the error of the store. `'ignore'`: a touch that failed is ignored, and
   * the request is answered; for every other operation it means the error of the store. A session
   * that cannot be read is never treated as missing. @default the error of the store
   */
  readonly onUnavailable?: OnUnavailable | undefined
  /** Where to look for a session that is not here: it is taken over when it is asked for. */
  readonly previous?: PreviousSessions | undefined
}

interface Refusals {
  readonly refused: RefusedSave & { readonly type: 'refused' }
}

const OPTIONS: Known<StoreOptions> = {
  realmId: true,
  merge: true,
  userId: true,
  defaultTtlMs: true,
  ttlMs: true,
  touchAfterMs: true,
  onRefused: true,
  onUnavailable: true,
  previous: true,
}

const DAY_MS = 86_400_000

/** Options that were checked. */
export interface CheckedOptions {
  readonly realmId: string
  readonly merge: boolean
  readonly userIdOf: (session: FrameworkSession) => string | undefined
  readonly ttlMs: ((session: FrameworkSession) => number) | undefined
  readonly defaultTtlMs: (session: FrameworkSession) => number
  readonly touchAfterMs: number
  readonly onRefused: (refused: RefusedSave) => void
  readonly onUnavailable: OnUnavailable | undefined
  readonly previous: PreviousSessions | undefined
}

/** @throws {TypeError | RangeError | ConfigurationError} naming the option that is wrong */
export function checkOptions(options: StoreOptions, { webSessions }: SessionState): CheckedOptions {
  assertOptions<StoreOptions>(options, 'options', OPTIONS)
  const { realmId = 'sessions', merge = true, userId = userOfPassport, defaultTtlMs = DAY_MS } = options
  const { ttlMs, touchAfterMs = 0, onRefused = () => {}, onUnavailable, previous } = options
  assertName(realmId, 'realmId')
  assertBoolean(merge, 'merge')
  assertFunction(userId, 'userId')
  if (ttlMs !== undefined) assertFunction(ttlMs, 'ttlMs')
  assertInteger(touchAfterMs, 'touchAfterMs', 0, DAY_MS)
  assertFunction(onRefused, 'onRefused')
  if (onUnavailable !== undefined) assertFunction(onUnavailable, 'onUnavailable')
  const refusals = new Emitter<Refusals>({
    owner: 'express-session',
    events: ['refused'],
    logger: consoleLogger,
  })
  refusals.on('refused', ({ sessionId }) => onRefused({ sessionId }))
  if (typeof defaultTtlMs !== 'function') {
    assertLifespan(defaultTtlMs, 'defaultTtlMs', { name: 'web-session', limits: webSessions.limits })
  }
  if (previous !== undefined) {
    assertFunction(previous?.get, 'previous.get')
    assertFunction(previous?.remove, 'previous.remove')
  }
  return {
    realmId,
    merge,
    userIdOf: (session) => userId(session),
    ttlMs,
    touchAfterMs,
    defaultTtlMs: typeof defaultTtlMs === 'function' ? defaultTtlMs : () => defaultTtlMs,
    onRefused: (refused) => refusals.emit('refused', refused),
    onUnavailable,
    previous,
  }
}

/** What Passport puts into a session: the id of its user, as `serializeUser` answered it. */
function userOfPassport({ passport }: FrameworkSession): string | undefined {
  const { user } = (passport ?? {}) as { readonly user?: unknown }
  return typeof user === 'string' || typeof user === 'number' ? String(user) : undefined
}
