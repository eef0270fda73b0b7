import type { AuthState } from 'authstate'
import type { AuthServerOptions, Client, User } from './config.js'
import { isName } from './form.js'
import { hashPassword } from './passwords.js'
import { randomSecret } from './secrets.js'

/** Looks clients and users up: in a real server a database, behind the realm cache as here. */
export interface Directory {
  client(clientId: string): Promise<Client | undefined>
  userNamed(username: string): Promise<User | undefined>
  user(userId: string): Promise<User | undefined>
  /** Nobody's: for checking a password where there is no user to check it against. */
  readonly decoyHash: string
}

export async function createDirectory(
  cache: AuthState['realmCache'],
  { clients, users }: Pick<AuthServerOptions, 'clients' | 'users'>,
): Promise<Directory> {
  const clientRegion = cache.region<Client>('clients')
  const userRegion = cache.region<User>('users')
  return {
    async client(clientId) {
      if (!isName(clientId)) return undefined
      return clientRegion.get(clientId, () => clients.find((client) => client.clientId === clientId))
    },
    async userNamed(username) {
      if (!isName(username)) return undefined
      return userRegion.get(`name ${username}`, () => users.find((user) => user.username === username))
    },
    user: (userId) => userRegion.get(`id ${userId}`, () => users.find((user) => user.id === userId)),
    decoyHash: await hashPassword(randomSecret()),
  }
}
