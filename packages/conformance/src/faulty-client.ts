import type { RedisClient, Script } from '@authstate/redis'

/** What shall go wrong with a command. */
export type Fault =
  /** It is not sent. */
  | { readonly when: 'before'; readonly error: Error }
  /** It is applied, its reply is lost. */
  | { readonly when: 'after'; readonly error: Error }
  /** It is applied, and nothing is ever heard of it. */
  | { readonly when: 'drop' }
  /** It is sent once `until` resolves. */
  | { readonly when: 'delay'; readonly until: Promise<unknown> }

/** A client whose commands fail as told. */
export interface FaultyClient {
  readonly client: RedisClient
  /** Arms a fault for the next call of a script; it is used up by it. */
  arm(script: Pick<Script, 'sha1' | 'lua'>, fault: Fault): void
}

export function faultyClient(client: RedisClient): FaultyClient {
  const armed = new Map<string, Fault[]>()
  const take = (script: string) => armed.get(script)?.shift()
  const guarded = (method: 'evalsha' | 'eval') =>
    async (script: string, numberOfKeys: number, ...rest: (string | number)[]): Promise<unknown> => {
      const fault = take(script)
      if (fault?.when === 'before') throw fault.error
      if (fault?.when === 'delay') await fault.until
      const reply = await client[method](script, numberOfKeys, ...rest)
      if (fault?.when === 'after') throw fault.error
      return fault?.when === 'drop' ? new Promise(() => {}) : reply
    }
  const methods = { evalsha: guarded('evalsha'), eval: guarded('eval') }
  return {
    client: new Proxy(client, {
      get: (target, name) => {
        if (name === 'evalsha' || name === 'eval') return methods[name]
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    }),
    arm: ({ sha1, lua }, fault) => {
      // One queue under both names: a server without the source gets it in a second command.
      const queue = armed.get(sha1) ?? []
      queue.push(fault)
      armed.set(sha1, queue)
      if (fault.when !== 'before') armed.set(lua, queue)
    },
  }
}
