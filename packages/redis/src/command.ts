import { tracingChannel } from 'node:diagnostics_channel'
import { isProviderError, type NodeIdentity, type ProviderErrorCode } from '@authstate/spi'
import { type Around, isError, runAround, timers } from '@authstate/spi/internal'
import { internals, type RedisClient } from './client.js'
import { replyCodeOf } from './failure.js'
import type { Change, Script } from './script.js'

/**
 * Name of the `node:diagnostics_channel` tracing channel that reports every command to Redis, from
 * its start to its end: `tracingChannel('authstate:command')`. Its messages are {@link
 * RedisCommand}.
 *
 * Not reported: commands of a reading connection ({@link RedisConnection.openReader}), and commands
 * that were refused before they were sent.
 */
export const COMMAND_CHANNEL = 'authstate:command'

/** A command that is no script. */
export type PlainCommand =
  | 'GET'
  | 'HGETALL'
  | 'HMGET'
  | 'HVALS'
  | 'PING'
  | 'TIME'
  | 'WAIT'
  | 'ZCOUNT'
  | 'INFO'

/**
 * One command: one object from its start to its end. Never holds keys, arguments, replies or errors. What tells how it ended is
 * there at `asyncEnd`.
 */
export interface RedisCommand {
  /** The script's name, else the SPI and the verb: `'user-session.refresh'`. */
  readonly operation: string
  /** The command of Redis. For a script it is `EVALSHA`, and `EVAL` once its source had to be sent. */
  command: 'EVALSHA' | 'EVAL' | PlainCommand
  /** What the script does to a record. Absent where it is no script. */
  readonly change?: Change
  /** The node that sends, the very object of `describe().node`. Absent where no registry made the connection. */
  readonly node?: NodeIdentity
  /** `'host:port'`, `'cluster'`, `'unix'` for a socket of the file system, or `'unknown'`. */
  readonly target: string
  /** `'source'`: Redis did not have the script, so its source went after it. Absent where it is no script. */
  attempt?: 'sha' | 'source'
  /** Up to the answer, or to the deadline. */
  durationMs?: number
  outcome?: 'ok' | 'error' | ProviderErrorCode
  /** The code with which Redis refused it: `'OOM'`, `'READONLY'`. One of a closed list. */
  replyCode?: string
  /** As that of a call: what the command shall run inside of. */
  around?: Around
}

const tracing = tracingChannel<unknown, RedisCommand>(COMMAND_CHANNEL)

/** Whether somebody listens to commands. */
export const isFollowed = (): boolean => tracing.hasSubscribers

/** What a command is, as its sender knows it. */
export interface CommandParts {
  readonly operation: string
  readonly kind: Script | PlainCommand
  readonly client: RedisClient
  readonly node: NodeIdentity | undefined
}

/**
 * Sends a command, and tells of it in the order that `tracingChannel` prescribes.
 *
 * @param send Gets a function to call when the source of a script is sent.
 */
export function followCommand<R>(
  { operation, kind, client, node }: CommandParts,
  send: (onSource: () => void) => Promise<R>,
): Promise<R> {
  const isScript = typeof kind !== 'string'
  const command: RedisCommand = {
    operation,
    command: isScript ? 'EVALSHA' : kind,
    ...(isScript && { change: kind.change, attempt: 'sha' as const }),
    ...(node !== undefined && { node }),
    target: targetOf(client),
  }
  const onSource = (): void => {
    command.command = 'EVAL'
    command.attempt = 'source'
  }
  const startedAt = timers.monotonicMs()
  const settled = (outcome: NonNullable<RedisCommand['outcome']>): void => {
    command.durationMs = timers.monotonicMs() - startedAt
    command.outcome = outcome
    if (outcome !== 'ok') tracing.error.publish(command)
    tracing.asyncStart.publish(command)
    tracing.asyncEnd.publish(command)
  }
  const reply = tracing.start.runStores(command, () => runAround(command.around, () => send(onSource)))
  tracing.end.publish(command)
  return reply.then(
    (value) => {
      settled('ok')
      return value
    },
    (error) => {
      const code = isError(error) ? replyCodeOf(error.cause) : undefined
      if (code !== undefined) command.replyCode = code
      settled(isProviderError(error) ? error.code : 'error')
      throw error
    },
  )
}

function targetOf(client: RedisClient): string {
  if (client.isCluster) return 'cluster'
  const { options, stream } = internals(client)
  if (options?.path) return 'unix'
  // Sentinel says where the master is, and the socket where the client went.
  const [host, port] = options?.sentinels
    ? [stream?.remoteAddress, stream?.remotePort]
    : [options?.host, options?.port]
  return host === undefined || port === undefined ? 'unknown' : `${host}:${port}`
}
