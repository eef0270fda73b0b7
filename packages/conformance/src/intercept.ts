import type { RedisClient } from '@authstate/redis'

type Method = 'evalsha' | 'eval' | 'hgetall' | 'hvals' | 'hmget' | 'get' | 'zcount'

const METHODS: readonly string[] = [
  'evalsha',
  'eval',
  'hgetall',
  'hvals',
  'hmget',
  'get',
  'zcount',
] satisfies Method[]

/** A command that the library is about to send. */
export interface Intercepted {
  /** Hash or source of a script; for a plain read the name of the command. */
  readonly what: string
  readonly keys: readonly string[]
  readonly send: () => Promise<unknown>
}

/** A view on a client that hands every command of the library to `handle` in place of sending it. */
export function interceptClient(
  client: RedisClient,
  handle: (command: Intercepted) => Promise<unknown>,
): RedisClient {
  const call = (method: Method, args: unknown[]) => {
    const send = () => (client[method] as (...args: unknown[]) => Promise<unknown>).apply(client, args)
    if (method !== 'evalsha' && method !== 'eval')
      return handle({ what: method, keys: [String(args[0])], send })
    const keys = args.slice(2, 2 + Number(args[1])).map(String)
    return handle({ what: String(args[0]), keys, send })
  }
  return new Proxy(client, {
    get: (target, name) => {
      if (METHODS.includes(name as string)) return (...args: unknown[]) => call(name as Method, args)
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
