import { tracingChannel } from 'node:diagnostics_channel'
import type { NodeIdentity } from '@authstate/spi'
import type { StartedCall } from 'authstate'
import type { RedisCommand } from 'authstate/redis'

/** What is reported of the calls and the commands of one node. */
export interface Followed {
  /**
   * A verb is called. Not reported: methods that return without a promise, and the connection to Redis, which
   * reports commands.
   */
  onCallStart?(call: StartedCall): void
  onCallEnd?(call: StartedCall): void
  onCommandStart?(command: RedisCommand): void
  onCommandEnd?(command: RedisCommand): void
}

/** The names of the channels; the packages that publish on them are loaded only where they are used. */
const calls = tracingChannel<unknown, StartedCall>('authstate:call')
const commands = tracingChannel<unknown, RedisCommand>('authstate:command')

/**
 * Follows what a node does. Nothing that happens here reaches a caller.
 *
 * @returns how to stop
 */
export function follow(node: NodeIdentity, followed: Followed): () => void {
  const { onCallStart, onCallEnd, onCommandStart, onCommandEnd } = followed
  const ofCall = quiet((call: StartedCall) => call.node === node && call.spi !== 'redis')
  const ofCommand = quiet((command: RedisCommand) => command.node === node)
  const subscriptions = [
    subscription(calls.start, onCallStart && ofCall(onCallStart)),
    subscription(
      calls.end,
      // What waits is not at its end yet.
      onCallStart && onCallEnd && ofCall((call) => call.outcome !== undefined && onCallEnd(call)),
    ),
    subscription(calls.asyncEnd, onCallEnd && ofCall(onCallEnd)),
    subscription(commands.start, onCommandStart && ofCommand(onCommandStart)),
    subscription(commands.asyncEnd, onCommandEnd && ofCommand(onCommandEnd)),
  ]
  return () => {
    for (const stop of subscriptions) stop()
  }
}

interface Channel<T> {
  subscribe(listener: (message: T) => void): void
  unsubscribe(listener: (message: T) => void): unknown
}

function subscription<T>(channel: unknown, listener: ((message: T) => void) | undefined): () => void {
  if (listener === undefined) return () => {}
  // Its methods are others once somebody has subscribed.
  const target = channel as Channel<T>
  target.subscribe(listener)
  return () => void target.unsubscribe(listener)
}

/** A listener to messages of one kind. What it throws would end the process: telemetry is no reason for that. */
const quiet =
  <T>(isOurs: (message: T) => boolean) =>
  (listener: (message: T) => unknown) =>
  (message: T): void => {
    try {
      if (isOurs(message)) listener(message)
    } catch {
      // A metric or a span less.
    }
  }
