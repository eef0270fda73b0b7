/**
 * The store under the name and the options of connect-redis: change the import, and add `state`.
 *
 * @module
 */
import {
  assertBoolean,
  assertFunction,
  assertOptions,
  assertText,
  ConfigurationError,
  type Known,
  StoreUnavailableError,
} from '@authstate/spi'
import session from 'express-session'
import { answer, type Callback } from './callback.js'
import type { FrameworkSession, PreviousSessions, SessionState, StoreOptions } from './options.js'
import { storeClass } from './store.js'

/** What is asked of the client that connect-redis had: ioredis and node-redis have both. */
export interface PreviousClient {
  /** The text of a key. */
  get(key: string): Promise<string | null>
  /** Removes a key. */
  del(key: string): Promise<unknown>
}

/** Options of connect-redis, and those of this store. Others of connect-redis are refused by name. */
export interface RedisStoreOptions extends Omit<StoreOptions, 'defaultTtlMs' | 'ttlMs' | 'previous'> {
  readonly state: SessionState
  /** Where connect-redis kept sessions: they are taken over when they are asked for. Left out: nowhere. */
  readonly client?: PreviousClient | undefined
  /** Of the keys that connect-redis wrote. @default 'sess:' */
  readonly prefix?: string | undefined
  /** Life of a session whose cookie ends with the browser, **seconds**; a function says it of every session. @default 86_400 */
  readonly ttl?: number | ((session: FrameworkSession) => number) | undefined
  /** `true`: a request that changes nothing does not prolong a session. @default false */
  readonly disableTouch?: boolean | undefined
  /** What connect-redis wrote with. @default JSON */
  readonly serializer?: { parse(text: string): object | Promise<object> } | undefined
}

const OPTIONS: Known<RedisStoreOptions> = {
  state: true,
  realmId: true,
  merge: true,
  touchAfterMs: true,
  userId: true,
  onRefused: true,
  onUnavailable: true,
  client: true,
  prefix: true,
  ttl: true,
  disableTouch: true,
  serializer: true,
}

const SECOND_MS = 1_000
const DAY_SECONDS = 86_400

/** A store for `session({ store })`, made as one of connect-redis is. */
export class RedisStore extends storeClass(session.Store) {
  /**
   * @throws {TypeError | RangeError} an option is unknown or wrong
   * @throws {ConfigurationError} a session would live longer than `webSessions.limits` allow
   */
  constructor(options: RedisStoreOptions) {
    assertOptions<RedisStoreOptions>(options, 'options', OPTIONS)
    const {
      state,
      client,
      prefix = 'sess:',
      ttl = DAY_SECONDS,
      disableTouch = false,
      serializer = JSON,
    } = options
    const { realmId, merge, userId, touchAfterMs, onRefused, onUnavailable } = options
    if (prefix !== '') assertText(prefix, 'prefix')
    assertBoolean(disableTouch, 'disableTouch')
    assertFunction(serializer?.parse, 'serializer.parse')
    const previous = client && previousOf(client, prefix, serializer)
    const shared = { realmId, merge, userId, touchAfterMs, onRefused, onUnavailable, previous }
    if (typeof ttl === 'function') super(state, { ...shared, ttlMs: (given) => ttl(given) * SECOND_MS })
    else super(state, { ...shared, defaultTtlMs: checkedTtlMs(ttl, state) })
    if (disableTouch)
      this.touch = (_sessionId: string, _session: object, callback?: Callback) =>
        answer(Promise.resolve(), callback)
  }
}

function checkedTtlMs(ttl: unknown, { webSessions }: SessionState): number {
  if (typeof ttl !== 'number' || !Number.isInteger(ttl * SECOND_MS) || ttl <= 0)
    throw new TypeError('"ttl" must be seconds above 0, or a function that returns them')
  const most = webSessions.limits.maxLifespanMs / SECOND_MS
  if (ttl > most)
    throw new ConfigurationError(
      `"ttl" must be at most ${most} seconds, the "maxLifespanMs" of web-session, got ${ttl}`,
    )
  return ttl * SECOND_MS
}

function previousOf(
  client: PreviousClient,
  prefix: string,
  serializer: NonNullable<RedisStoreOptions['serializer']>,
): PreviousSessions {
  assertFunction(client.get, 'client.get')
  assertFunction(client.del, 'client.del')
  return {
    async get(sessionId) {
      const text = await client.get(prefix + sessionId).catch(away)
      return text === null ? undefined : ((await serializer.parse(text)) as FrameworkSession)
    },
    remove: (sessionId) => client.del(prefix + sessionId).catch(away),
  }
}

/** What the client of before could not do, it could not do for the same reason as ours. */
function away(cause: unknown): never {
  throw new StoreUnavailableError('the sessions of connect-redis cannot be reached', {
    cause,
    applied: 'unknown',
  })
}
