import type { RedisClient } from './client.js'
import { shared } from './shared.js'

// biome-ignore lint/suspicious/noExplicitAny: an event carries what its emitter says
type Listener = (...args: any[]) => void

interface Heard {
  readonly listeners: Set<Listener>
  readonly tell: Listener
}

const heard = shared('heard', () => new WeakMap<RedisClient, Map<string, Heard>>())

/**
 * Listens to an event of a client. However many connections share the client, it gets one listener per event: Node warns of a
 * leak from the eleventh on.
 *
 * @returns how to stop listening
 */
export function listen(client: RedisClient, event: string, listener: Listener): () => void {
  const events = heard.get(client) ?? new Map<string, Heard>()
  heard.set(client, events)
  const attached = events.get(event) ?? attach(client, event)
  events.set(event, attached)
  // The same function may listen twice.
  const entry: Listener = (...args) => listener(...args)
  attached.listeners.add(entry)
  return () => {
    if (!attached.listeners.delete(entry) || attached.listeners.size > 0) return
    client.off(event, attached.tell)
    events.delete(event)
  }
}

function attach(client: RedisClient, event: string): Heard {
  const listeners = new Set<Listener>()
  const tell: Listener = (...args) => {
    for (const listener of [...listeners]) listener(...args)
  }
  client.on(event, tell)
  return { listeners, tell }
}
