import { isError } from '@authstate/spi/internal'
import { type ClientInternals, internals, type RedisClient, type SendCommand } from './client.js'
import { concealCommand } from './conceal.js'
import { shared } from './shared.js'

interface Watched {
  /** What the keys start with, once per connection over the client. */
  readonly heads: string[]
  restore(): void
}

const watched = shared('watched', () => new WeakMap<RedisClient, Watched>())

/**
 * Stands between a client and its socket for as long as a connection uses it: hides what is ours, and notes what
 * could not be sent. Nothing else changes, for us or for the application.
 *
 * @param head What the keys of the connection start with, behind the client's own prefix.
 * @returns how to stop
 */
export function watchOutgoing(client: RedisClient, head: string): () => void {
  const { heads, restore } = watched.get(client) ?? install(client)
  watched.set(client, { heads, restore })
  const full = (internals(client).options?.keyPrefix ?? '') + head
  heads.push(full)
  return () => {
    heads.splice(heads.indexOf(full), 1)
    if (heads.length > 0 || watched.get(client)?.heads !== heads) return
    watched.delete(client)
    restore()
  }
}

function install(client: RedisClient): Watched {
  const target = internals(client)
  const prototype = Object.getPrototypeOf(client) as ClientInternals
  const before = Object.getOwnPropertyDescriptor(target, 'sendCommand')
  const heads: string[] = []
  const sendCommand: SendCommand = function (command, ...rest) {
    // Looked up each time: instrumentation may be put on the prototype at any time.
    const send = (before?.value as SendCommand | undefined) ?? (prototype.sendCommand as SendCommand)
    // A Cluster finds the node by the keys, which it works out of the arguments once.
    if (client.isCluster) command.getKeys?.()
    const reply = concealCommand(command, heads)
    if (reply === undefined) return send.call(this, command, ...rest)
    const { reject } = command
    let sending = true
    command.reject = (error) => {
      if (sending && isError(error)) neverSent.add(error)
      reject.call(command, error)
    }
    send.call(this, command, ...rest)
    sending = false
    return reply
  }
  target.sendCommand = sendCommand
  return {
    heads,
    restore: () => {
      if (Object.getOwnPropertyDescriptor(target, 'sendCommand')?.value !== sendCommand) return
      if (before) Object.defineProperty(target, 'sendCommand', before)
      else delete target.sendCommand
    },
  }
}

const neverSent = shared('never-sent', () => new WeakSet<object>())

/** Whether a client raised this error before anything of the command had left. */
export function wasNeverSent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && neverSent.has(error)
}
