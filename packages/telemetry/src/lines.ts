import type { Logger, NodeIdentity } from '@authstate/spi'
import { isPromiseLike } from '@authstate/spi/internal'
import type {
  ActionTokenProvider,
  ClusterProvider,
  LoginFailureProvider,
  RealmCacheProvider,
  StartedCall,
  UserSessionProvider,
  WebSessionProvider,
} from 'authstate'
import { follow } from './channels.js'
import { Limiter, type Time } from './limiter.js'
import { findNamed, type ObservedState } from './state.js'

/** The part of a logger that is written to: pino, bunyan, fastify's, or one of yours. Fields first, then the message. */
export type LineLogger = Pick<Logger, 'info' | 'warn' | 'error'>

/** What a logger is asked for. */
export const LEVELS = ['info', 'warn', 'error'] as const
type Level = (typeof LEVELS)[number]

/**
 * Writes lines about a state.
 *
 * @returns how to stop
 */
export function writeLines(state: ObservedState, logger: LineLogger, time?: Time): () => void {
  const { node } = state.describe()
  const lines = new Lines(node, logger, time)
  const stops = [...listen(state, lines), follow(node, { onCallEnd: (call) => lines.call(call) })]
  return () => {
    for (const stop of stops) stop?.()
    lines.end()
  }
}

/** Failures of the application or of the store; any other is one of a call, and reported with its verb. */
const OF_STORE: ReadonlySet<string> = new Set([
  'ERR_STORE_UNAVAILABLE',
  'ERR_STORE_CORRUPT',
  'ERR_PROVIDER_CLOSED',
  'ERR_PROVIDER_CONFIGURATION',
])

class Lines {
  readonly #node: string
  readonly #logger: LineLogger
  readonly #limiter: Limiter

  constructor(node: NodeIdentity, logger: LineLogger, time?: Time) {
    this.#node = node.name
    this.#logger = logger
    this.#limiter = new Limiter(time)
  }

  call({ spi, verb, provider, outcome = 'ok', durationMs = 0 }: StartedCall): void {
    // A lock that was not free, a limit that was reached: an answer in the shape of an error.
    if (outcome === 'ok' || outcome === 'ERR_CONFLICT') return
    const what = `authstate: ${spi} ${verb} failed`
    const fields = { spi, verb, provider, outcome, durationMs: Math.round(durationMs) }
    if (OF_STORE.has(outcome)) this.say(outcome, 'error', fields, what, 'authstate: calls failed')
    else this.say(`${outcome} ${spi} ${verb}`, 'error', fields, what)
  }

  /**
   * @param alike Lines of one kind; repeated ones are counted.
   * @param repeated The message of a line that tells of several, where the fields of the first would say too much.
   */
  say(alike: string, level: Level, fields: object, message: string, repeated?: string): void {
    this.#limiter.say(alike, (count) => {
      const isFirst = count === 1 || repeated === undefined
      const common = { component: 'authstate', node: this.#node }
      const rest = count === 1 ? {} : { count }
      const { outcome } = fields as { outcome?: string }
      this.#write(
        level,
        { ...common, ...(isFirst ? fields : { outcome }), ...rest },
        isFirst ? message : repeated,
      )
    })
  }

  end(): void {
    this.#limiter.end()
  }

  /** A logger that fails is no reason to fail. */
  #write(level: Level, fields: object, message: string): void {
    try {
      const returned: unknown = this.#logger[level](fields, message)
      if (isPromiseLike(returned)) returned.then(undefined, () => {})
    } catch {
      // A line less.
    }
  }
}

/** What the services tell of themselves, as far as somebody has to know. */
function listen(state: ObservedState, lines: Lines): ((() => void) | undefined)[] {
  const say = (spi: string, event: string, level: Level, fields: object, message: string): void =>
    lines.say(
      `${spi} ${event} ${JSON.stringify(fields)}`,
      level,
      { spi, event, ...fields },
      `authstate: ${message}`,
    )
  const failures = findNamed<LoginFailureProvider>(state, 'login-failure')
  const tokens = findNamed<ActionTokenProvider>(state, 'action-token')
  const scopeOf = ({ rule }: { readonly rule: string }) => (rule === 'user' ? 'user' : 'network')
  return [
    ...(['temporary', 'permanent'] as const).map((kind) =>
      failures?.on(`${kind}-lock`, ({ subject, reason }) =>
        say(
          'login-failure',
          `${kind}-lock`,
          'warn',
          { scope: scopeOf(subject), reason },
          'locked out after failed logins',
        ),
      ),
    ),
    failures?.on('unlock', ({ subject, cause }) =>
      say('login-failure', 'unlock', 'info', { scope: scopeOf(subject), cause }, 'a lock-out ended'),
    ),
    tokens?.on('replayed', () =>
      say('action-token', 'replayed', 'warn', {}, 'a token was presented that had been used'),
    ),
    tokens?.on('family-revoked', () =>
      say('action-token', 'family-revoked', 'info', {}, 'the tokens of a grant were withdrawn'),
    ),
    findNamed<UserSessionProvider>(state, 'user-session')?.on('client-removed', ({ reason }) => {
      if (reason === 'reused')
        say(
          'user-session',
          'client-removed',
          'warn',
          { reason },
          'a refresh token was presented that had been used',
        )
    }),
    findNamed<WebSessionProvider>(state, 'web-session')?.on('refused', ({ reason }) =>
      say('web-session', 'refused', 'info', { reason }, 'a session that was ended was not brought back'),
    ),
    ...ofCluster(state, say),
  ]
}

type Say = (spi: string, event: string, level: Level, fields: object, message: string) => void

function ofCluster(state: ObservedState, say: Say): ((() => void) | undefined)[] {
  const cache = findNamed<RealmCacheProvider>(state, 'realm-cache')
  const cluster = findNamed<ClusterProvider>(state, 'cluster')
  return [
    cache?.on('distrusted', ({ reason }) =>
      say('realm-cache', 'distrusted', 'warn', { reason }, 'caches are passed by, messages may be missing'),
    ),
    cache?.on('trusted', () => say('realm-cache', 'trusted', 'info', {}, 'caches answer again')),
    cluster?.onChannelChange(({ state: channel }) =>
      say(
        'cluster',
        'channel',
        channel === 'live' ? 'info' : 'warn',
        { channel },
        channel === 'live' ? 'the work channel is followed again' : 'the work channel is not followed',
      ),
    ),
    cluster?.onViewChange(({ nodes }, { joined, left, crashed }) =>
      say(
        'cluster',
        'view',
        crashed.length > 0 ? 'warn' : 'info',
        { nodes: nodes.length, joined: joined.length, left: left.length, crashed: crashed.length },
        'the nodes that live are others',
      ),
    ),
  ]
}
