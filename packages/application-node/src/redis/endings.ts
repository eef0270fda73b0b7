import type {
  ChangeGap,
  ChangeNote,
  ChangeReaderOptions,
  ChangeReading,
  RedisConnection,
} from '@authstate/redis'
import { assertFunction, assertNames, assertOptions, type Known } from '@authstate/spi'
import type { ApplicationNodeProvider, SessionEnded } from '../contract.js'

/** How endings of sessions become announcements. */
export interface EndingsOptions {
  /** The consumer of changes, as `redis.changes.consumers` names it. @default 'application-node' */
  readonly consumer?: string | undefined
  /**
   * Reasons of endings for which no message is sent; see docs/changes.md.
   *
   * @default ['expired', 'restarted']: the one came to its end long ago, the other goes on
   */
  readonly skip?: readonly string[] | undefined
  /** Called when notes of endings are missing: clients may have missed some. */
  readonly onGap?: ((gap: ChangeGap) => unknown) | undefined
  readonly reader?: ChangeReaderOptions | undefined
}

const OPTIONS: Known<EndingsOptions> = { consumer: true, skip: true, onGap: true, reader: true }

/** Name of the consumer where none is said. */
const CONSUMER = 'application-node'

/** Kind of the keys of sessions; those of offline sessions have another one. */
const SESSION = 'us'

/** The queue of a realm is full: the notes come again. */
class QueueFullError extends Error {
  override readonly name = 'QueueFullError'
}

/** Notes that are announced at once. */
const AT_ONCE = 16

/**
 * Announces to clients every session, and every client session, that ends in Redis, by whatever node. The step that ends it notes it, so a
 * node that dies at whatever moment loses none: what was noted is announced, what was announced is sent.
 *
 * Call it on every node, and close what it answers before the state. Among its consumers of changes the connection must have one of that
 * name, of endings of user sessions, with details: docs/application-nodes.md has it. Offline sessions are not announced: no browser is signed in with one.
 *
 * @param connection `state.get(redisConnectionSpi)`
 * @throws {ConfigurationError} the consumer is not recorded
 * @throws {TypeError} an option is none
 */
export function announceEndings(
  connection: RedisConnection,
  nodes: Pick<ApplicationNodeProvider, 'announce'>,
  options: EndingsOptions = {},
): ChangeReading {
  assertOptions<EndingsOptions>(options, 'options', OPTIONS)
  const { consumer = CONSUMER, skip = ['expired', 'restarted'], onGap, reader } = options as EndingsOptions
  assertNames(skip, 'options.skip')
  if (onGap !== undefined) assertFunction(onGap, 'options.onGap')
  const announce = async (note: ChangeNote): Promise<void> => {
    const ending = endingIn(note)
    if (ending === undefined || skip.includes(ending.reason)) return
    const dedupeKey = `note ${note.partition} ${note.id}`
    const { refused } = await nodes.announce(ending.realmId, ending.announcement, { dedupeKey })
    if ((refused['queue-full'] ?? 0) > 0)
      throw new QueueFullError('application-node: too many messages of a realm are under way')
  }
  const handlers = {
    onNotes: async (notes: readonly ChangeNote[], signal: AbortSignal) => {
      for (let from = 0; from < notes.length && !signal.aborted; from += AT_ONCE)
        await Promise.all(notes.slice(from, from + AT_ONCE).map(announce))
    },
    ...(onGap && { onGap }),
  }
  return connection.readChanges(consumer, handlers, reader)
}

function endingIn({
  key,
  ended,
}: ChangeNote):
  | { readonly realmId: string; readonly reason: string; readonly announcement: SessionEnded }
  | undefined {
  const [of, realmId, sessionId] = key
  if (of !== SESSION || realmId === undefined || sessionId === undefined) return undefined
  if (ended?.userId === undefined || ended.clients.length === 0) return undefined
  const { userId, reason, at, clients } = ended
  return { realmId, reason, announcement: { type: 'session-ended', userId, sessionId, at, clients } }
}
