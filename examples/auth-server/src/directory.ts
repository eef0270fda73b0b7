import type { AuthState } from 'authstate'
import type { AuthServerOptions, Client, User } from './config.js'
import { isName } from './form.js'
import { hashPassword } from './passwords.js'
import { randomSecret } from './secrets.js'

type RealmCache = AuthState['realmCache']

const tagOf = (userId: string): string => `user ${userId}`

/** To be called once a change of a client is committed: no node goes on with what it knew. */
export const clientChanged = (cache: RealmCache, clientId: string): Promise<void> =>
  cache.region('clients').invalidate(clientId)

/** To be called once a change of a user is committed, whatever the user is now called. */
export const userChanged = (cache: RealmCache, userId: string): Promise<void> =>
  cache.region('users').invalidate({ tag: tagOf(userId) })

/** Looks clients and users up: in a real server a database, behind the realm cache as here. */
export interface Directory {
  client(clientId: string): Promise<Client | undefined>
  userNamed(username: string): Promise<User | undefined>
  user(userId: string): Promise<User | undefined>
  /** Nobody's: for checking a password where there is no user to check it against. */
  readonly decoyHash: string
}

export async function createDirectory(
  cache: RealmCache,
  { clients, users }: Pick<AuthServerOptions, 'clients' | 'users'>,
): Promise<Directory> {
  const clientRegion = cache.region<Client>('clients')
  const userRegion = cache.region<User>('users')
  const tags = ({ id }: User): string[] => [tagOf(id)]
  return {
    async client(clientId) {
      if (!isName(clientId)) return undefined
      return clientRegion.get(clientId, () => clients.find((client) => client.clientId === clientId))
    },
    async userNamed(username) {
      if (!isName(username)) return undefined
      return userRegion.get(`name ${username}`, () => users.find((user) => user.username === username), {
        tags,
      })
    },
    user: (userId) =>
      userRegion.get(`id ${userId}`, () => users.find((user) => user.id === userId), { tags }),
    decoyHash: await hashPassword(randomSecret()),
  }
}
