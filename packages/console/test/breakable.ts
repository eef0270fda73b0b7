import { StoreUnavailableError } from '@authstate/spi'
import type { AuthState } from 'authstate'

/** A state whose providers reject while the store is away. */
export function breakable(state: AuthState, isAway: () => boolean): AuthState {
  const wrapped = (provider: object): object =>
    new Proxy(
      {},
      {
        get(_, name) {
          const value: unknown = Reflect.get(provider, name)
          if (typeof value !== 'function') return value
          const verb = value.bind(provider) as (...args: unknown[]) => unknown
          if (['on', 'stats', 'regions', 'region', 'channel', 'view'].includes(String(name))) return verb
          return (...args: unknown[]) =>
            isAway()
              ? Promise.reject(
                  new StoreUnavailableError('redis at 127.0.0.1:6379 did not answer within 2000 ms', {
                    applied: 'no',
                  }),
                )
              : verb(...args)
        },
      },
    )
  return new Proxy(state, {
    get(target, name) {
      if (name === 'get' || name === 'find') {
        return (spi: never) => {
          const provider = target[name](spi) as object | undefined
          return provider && wrapped(provider)
        }
      }
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
