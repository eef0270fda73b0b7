import assert from 'node:assert/strict'
import type { RedisClient } from '@authstate/redis'

/** A client that notes what passes through it. */
export interface ObservedClient {
  readonly client: RedisClient
  /** Scripts sent so far. */
  readonly commands: () => number
  /** Throws when a script was given a key that does not start with the prefix. */
  readonly assertPrefix: (prefix: string) => void
}

export function observeClient(client: RedisClient): ObservedClient {
  let commands = 0
  const foreign = new Set<string>()
  const keysSeen = new Set<string>()
  const note = (method: 'evalsha' | 'eval') =>
    (script: string, numberOfKeys: number, ...rest: (string | number)[]): Promise<unknown> => {
      commands += 1
      for (const key of rest.slice(0, numberOfKeys)) keysSeen.add(String(key))
      return client[method](script, numberOfKeys, ...rest)
    }
  const noted = { evalsha: note('evalsha'), eval: note('eval') }
  return {
    client: new Proxy(client, {
      get: (target, name) => {
        if (name === 'evalsha' || name === 'eval') return noted[name]
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    }),
    commands: () => commands,
    assertPrefix: (prefix) => {
      for (const key of keysSeen) if (!key.startsWith(`${prefix}:`)) foreign.add(key)
      assert.deepEqual([...foreign], [], 'a script was given keys outside the prefix')
    },
  }
}
