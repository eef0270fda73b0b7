import { lockout, secondaryStorage } from '@authstate/better-auth'
import type { AuthState } from 'authstate'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'

/** What better-auth needs to know. */
export interface AuthSurroundings {
  readonly state: AuthState
  readonly secret: string
  readonly origin: string
}

/** better-auth, whose sessions, verification values and failed passwords are kept by authstate. */
export function createAuth({ state, secret, origin }: AuthSurroundings) {
  return betterAuth({
    baseURL: origin,
    secret,
    database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
    emailAndPassword: { enabled: true },
    secondaryStorage: secondaryStorage(state),
    plugins: [lockout(state)],
    telemetry: { enabled: false },
    logger: { level: 'error' },
  })
}
