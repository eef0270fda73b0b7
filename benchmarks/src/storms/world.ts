import type { User } from '../../../examples/auth-server/src/config.js'
import { hashPassword } from '../../../examples/auth-server/src/passwords.js'

/** What the server of a storm and its clients agree on. */
export const PASSWORD = 'open sesame'
export const USERS = 500

/** Each signs in a few times at most, as people do. */
export async function usersOfStorm(): Promise<User[]> {
  const passwordHash = await hashPassword(PASSWORD)
  return Array.from({ length: USERS }, (_, n) => ({
    id: `id-${n}`,
    username: `user-${n}`,
    name: `User ${n}`,
    email: `user-${n}@example.test`,
    passwordHash,
  }))
}

/** Where a server keeps its state. */
export type StateIn = 'memory' | 'redis' | 'express-session'

export type Question = { readonly stateIn: StateIn; readonly url: string } | 'cpu' | 'password'
/** CPU in us: of the process since it began, or of one look at a password. */
export type Reply = { readonly origin: string } | { readonly cpuUs: number } | { readonly failed: string }
