import { assertSpelt, type Known } from '@authstate/spi'
import type { Invalidation } from './contract.js'

// Which keys and tags a change makes untrue. A host that names its entries with `cacheKeys` and tags them with
// `cacheTags` gets this right without thinking of it.

type Parts = readonly (string | undefined)[]

/** Parts are escaped, so that no name can spell another key. */
const spell = (...parts: Parts): string =>
  parts
    .map((part) => (part ?? '').replace(/[%:]/g, (character) => (character === '%' ? '%25' : '%3a')))
    .join(':')

const lower = (name: string): string => name.toLowerCase()

/** Keys of what a realm's entities are looked up by. Names of users and their e-mail addresses are of any case. */
export const cacheKeys = {
  realm: (id: string) => spell('realm', id),
  realmByName: (name: string) => spell('realm.name', name),
  client: (realmId: string, id: string) => spell('client', realmId, id),
  clientByClientId: (realmId: string, clientId: string) => spell('client.clientId', realmId, clientId),
  clients: (realmId: string) => spell('clients', realmId),
  role: (realmId: string, id: string) => spell('role', realmId, id),
  /** @param clientId Where the role belongs to a client. */
  roleByName: (realmId: string, name: string, clientId?: string) =>
    spell('role.name', realmId, clientId, name),
  roles: (realmId: string, clientId?: string) => spell('roles', realmId, clientId),
  group: (realmId: string, id: string) => spell('group', realmId, id),
  groupByName: (realmId: string, name: string, parentId?: string) =>
    spell('group.name', realmId, parentId, name),
  groups: (realmId: string) => spell('groups', realmId),
  clientScope: (realmId: string, id: string) => spell('scope', realmId, id),
  clientScopes: (realmId: string) => spell('scopes', realmId),
  user: (realmId: string, id: string) => spell('user', realmId, id),
  userByUsername: (realmId: string, username: string) => spell('user.name', realmId, lower(username)),
  userByEmail: (realmId: string, email: string) => spell('user.email', realmId, lower(email)),
  userIdentityLinks: (realmId: string, id: string) => spell('user.links', realmId, id),
  userConsents: (realmId: string, id: string) => spell('user.consents', realmId, id),
  serviceAccount: (realmId: string, clientId: string) => spell('user.service', realmId, clientId),
} as const

/** Tags that say what an entry depends on, in addition to what its key names. */
export const cacheTags = {
  /** On everything that belongs to a realm. */
  inRealm: (realmId: string) => spell('realm', realmId),
  /** On everything that belongs to a client, or names it. */
  ofClient: (realmId: string, id: string) => spell('client', realmId, id),
  /** On what names a role: composites, groups, scopes. */
  ofRole: (realmId: string, id: string) => spell('role', realmId, id),
  ofGroup: (realmId: string, id: string) => spell('group', realmId, id),
  ofClientScope: (realmId: string, id: string) => spell('scope', realmId, id),
  /** On what belongs to a user, or names one, and should go with the user: sessions of an application, memberships. */
  ofUser: (realmId: string, id: string) => spell('user', realmId, id),
} as const

/** A realm that changed. */
export interface RealmChange {
  readonly id: string
  /** Its name; the old and the new one when that changed. */
  readonly name: string | readonly string[]
}

/** Something of a realm that changed. */
export interface EntityChange {
  readonly realmId: string
  readonly id: string
}

/** A client that changed. */
export interface ClientChange extends EntityChange {
  readonly clientId: string
}

/** A role that changed. */
export interface RoleChange extends EntityChange {
  readonly name: string
  /** Where the role belongs to a client: that client's id. */
  readonly ofClient?: string | undefined
}

/** A group that changed. */
export interface GroupChange extends EntityChange {
  readonly name: string
  readonly parentId?: string | undefined
}

/** A user who changed. */
export interface UserChange extends EntityChange {
  /** The old and the new one when it changed; absent or null when there is none. */
  readonly username?: string | null | undefined | readonly string[]
  readonly email?: string | null | undefined | readonly string[]
  /** Whether it comes from elsewhere: then its links and consents may have changed with it. */
  readonly federated?: boolean | undefined
}

const many = (names: string | null | undefined | readonly string[]): readonly string[] =>
  typeof names === 'string' ? [names] : (names ?? [])

const keys = (...all: readonly string[]): Invalidation => all
const keysAndTag = (all: readonly string[], ...tag: readonly string[]): Invalidation => ({ tag, keys: all })

const REALM: Known<RealmChange> = { id: true, name: true }
const ENTITY: Known<EntityChange> = { realmId: true, id: true }
const CLIENT: Known<ClientChange> = { ...ENTITY, clientId: true }
const ROLE: Known<RoleChange> = { ...ENTITY, name: true, ofClient: true }
const GROUP: Known<GroupChange> = { ...ENTITY, name: true, parentId: true }
const USER: Known<UserChange> = { ...ENTITY, username: true, email: true, federated: true }

// A whole record may be given, but not one in which a name is misspelt: what that names would stay true.
const realmNames = (realm: RealmChange) => {
  assertSpelt<RealmChange>(realm, 'realm', REALM)
  return [cacheKeys.realm(realm.id), ...many(realm.name).map(cacheKeys.realmByName)]
}
const clientNames = (client: ClientChange) => {
  assertSpelt<ClientChange>(client, 'client', CLIENT)
  const { realmId, id, clientId } = client
  return [cacheKeys.client(realmId, id), cacheKeys.clientByClientId(realmId, clientId)]
}
const roleNames = (role: RoleChange) => {
  assertSpelt<RoleChange>(role, 'role', ROLE)
  const { realmId, id, name, ofClient } = role
  return [cacheKeys.role(realmId, id), cacheKeys.roleByName(realmId, name, ofClient)]
}
const groupNames = (group: GroupChange) => {
  assertSpelt<GroupChange>(group, 'group', GROUP)
  const { realmId, id, name, parentId } = group
  return [
    cacheKeys.group(realmId, id),
    cacheKeys.groupByName(realmId, name, parentId),
    cacheKeys.groups(realmId),
  ]
}
const clientScopeNames = (clientScope: EntityChange) => {
  assertSpelt<EntityChange>(clientScope, 'clientScope', ENTITY)
  const { realmId, id } = clientScope
  return [cacheKeys.clientScope(realmId, id), cacheKeys.clientScopes(realmId)]
}
const userNames = (user: UserChange) => {
  assertSpelt<UserChange>(user, 'user', USER)
  const { realmId, id, username, email, federated } = user
  return [
    cacheKeys.user(realmId, id),
    ...many(username).map((name) => cacheKeys.userByUsername(realmId, name)),
    ...many(email).map((address) => cacheKeys.userByEmail(realmId, address)),
    ...(federated ? [cacheKeys.userIdentityLinks(realmId, id), cacheKeys.userConsents(realmId, id)] : []),
  ]
}

/**
 * What a change makes untrue, to be handed to `invalidate` of a region or a unit of work.
 *
 * Each throws a `TypeError` for a misspelt property, such as `userName` for `username`: what it names would stay in the cache.
 *
 * @see Keycloak behaviour, invalidation: the fan-out rules
 */
export const fanOut = {
  realm: {
    updated: (realm: RealmChange): Invalidation => keys(...realmNames(realm)),
    removed: (realm: RealmChange): Invalidation => keysAndTag(realmNames(realm), cacheTags.inRealm(realm.id)),
  },
  client: {
    added: (client: ClientChange): Invalidation =>
      keys(cacheKeys.clients(client.realmId), ...clientNames(client)),
    updated: (client: ClientChange): Invalidation => keys(...clientNames(client)),
    /** @param roleIds Its roles: they go with it, and with them what names them. */
    removed: (client: ClientChange, roleIds: readonly string[] = []): Invalidation =>
      keysAndTag(
        [
          cacheKeys.clients(client.realmId),
          ...clientNames(client),
          cacheKeys.roles(client.realmId, client.id),
          cacheKeys.serviceAccount(client.realmId, client.id),
          ...roleIds.map((id) => cacheKeys.role(client.realmId, id)),
        ],
        cacheTags.ofClient(client.realmId, client.id),
        ...roleIds.map((id) => cacheTags.ofRole(client.realmId, id)),
      ),
  },
  role: {
    added: (role: RoleChange): Invalidation =>
      keys(cacheKeys.roles(role.realmId, role.ofClient), ...roleNames(role)),
    updated: (role: RoleChange): Invalidation => keys(...roleNames(role)),
    removed: (role: RoleChange): Invalidation =>
      keysAndTag(
        [cacheKeys.roles(role.realmId, role.ofClient), ...roleNames(role)],
        cacheTags.ofRole(role.realmId, role.id),
      ),
  },
  group: {
    added: (group: GroupChange): Invalidation => keys(...groupNames(group)),
    updated: (group: GroupChange): Invalidation => keys(...groupNames(group)),
    removed: (group: GroupChange): Invalidation =>
      keysAndTag(groupNames(group), cacheTags.ofGroup(group.realmId, group.id)),
  },
  clientScope: {
    added: (clientScope: EntityChange): Invalidation => keys(...clientScopeNames(clientScope)),
    updated: (clientScope: EntityChange): Invalidation => keys(...clientScopeNames(clientScope)),
    removed: (clientScope: EntityChange): Invalidation =>
      keysAndTag(clientScopeNames(clientScope), cacheTags.ofClientScope(clientScope.realmId, clientScope.id)),
  },
  user: {
    added: (user: UserChange): Invalidation => keys(...userNames(user)),
    updated: (user: UserChange): Invalidation => keys(...userNames(user)),
    removed: (user: UserChange): Invalidation =>
      keysAndTag(userNames({ ...user, federated: true }), cacheTags.ofUser(user.realmId, user.id)),
  },
} as const
