import assert from 'node:assert/strict'
import type { RedisClient } from '@authstate/redis'
import { interceptClient } from './intercept.js'

/** A client that notes what passes through it. */
export interface ObservedClient {
  readonly client: RedisClient
  /** Commands that were executed so far: one that only made the server ask for a script's source is none. */
  readonly commands: () => number
  /** Throws when a command was given a key that does not start with the prefix. */
  readonly assertPrefix: (prefix: string) => void
}

/** Puts a client in front of another that counts its commands and remembers their keys. */
export function observeClient(client: RedisClient): ObservedClient {
  let commands = 0
  const seen = new Set<string>()
  return {
    client: interceptClient(client, ({ keys, send }) => {
      commands += 1
      for (const key of keys) seen.add(key)
      return send().catch((error: Error) => {
        if (error.message.startsWith('NOSCRIPT')) commands -= 1
        throw error
      })
    }),
    commands: () => commands,
    assertPrefix: (prefix) => {
      const foreign = [...seen].filter((key) => !key.startsWith(`${prefix}:`))
      assert.deepEqual(foreign, [], 'a command was given keys outside the prefix')
    },
  }
}
