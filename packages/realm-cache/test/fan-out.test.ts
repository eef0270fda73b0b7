import { expect, test } from 'vitest'
import { cacheKeys, cacheTags, fanOut } from '../src/index.js'

const realmId = 'r1'
const user = { realmId, id: 'u1' }
const id = cacheKeys.user(realmId, 'u1')
const byUsername = cacheKeys.userByUsername(realmId, 'Alice')
const byEmail = cacheKeys.userByEmail(realmId, 'Alice@Example.org')

test.each([
  ['179: no username', { username: null, email: 'alice@example.org' }, [id, byEmail]],
  ['180: username and e-mail', { username: 'alice', email: 'alice@example.org' }, [id, byUsername, byEmail]],
  ['181: no e-mail', { username: 'alice', email: null }, [id, byUsername]],
  ['neither is given', {}, [id]],
])('A13/%s', (_, names, keys) => {
  expect(fanOut.user.updated({ ...user, ...names })).toEqual(keys)
})

test('a name that changed is untrue under the old and the new one', () => {
  expect(fanOut.user.updated({ ...user, username: ['alice', 'alicia'] })).toEqual([
    id,
    byUsername,
    cacheKeys.userByUsername(realmId, 'alicia'),
  ])
  expect(fanOut.realm.updated({ id: 'r1', name: ['old', 'new'] })).toEqual([
    cacheKeys.realm('r1'),
    cacheKeys.realmByName('old'),
    cacheKeys.realmByName('new'),
  ])
})

test('a federated user takes links and consents along', () => {
  expect(fanOut.user.updated({ ...user, federated: true })).toEqual([
    id,
    cacheKeys.userIdentityLinks(realmId, 'u1'),
    cacheKeys.userConsents(realmId, 'u1'),
  ])
})

test('what is removed takes what names it', () => {
  expect(fanOut.realm.removed({ id: 'r1', name: 'acme' })).toEqual({
    keys: [cacheKeys.realm('r1'), cacheKeys.realmByName('acme')],
    tag: [cacheTags.inRealm('r1')],
  })
  expect(fanOut.role.removed({ realmId, id: 'x', name: 'admin', ofClient: 'c1' })).toEqual({
    keys: [
      cacheKeys.roles(realmId, 'c1'),
      cacheKeys.role(realmId, 'x'),
      cacheKeys.roleByName(realmId, 'admin', 'c1'),
    ],
    tag: [cacheTags.ofRole(realmId, 'x')],
  })
  expect(fanOut.client.removed({ realmId, id: 'c1', clientId: 'app' }, ['x'])).toEqual({
    keys: [
      cacheKeys.clients(realmId),
      cacheKeys.client(realmId, 'c1'),
      cacheKeys.clientByClientId(realmId, 'app'),
      cacheKeys.roles(realmId, 'c1'),
      cacheKeys.serviceAccount(realmId, 'c1'),
      cacheKeys.role(realmId, 'x'),
    ],
    tag: [cacheTags.ofClient(realmId, 'c1'), cacheTags.ofRole(realmId, 'x')],
  })
  expect(fanOut.group.removed({ realmId, id: 'g', name: 'staff' })).toMatchObject({
    tag: [cacheTags.ofGroup(realmId, 'g')],
  })
  expect(fanOut.clientScope.removed({ realmId, id: 's' })).toMatchObject({
    tag: [cacheTags.ofClientScope(realmId, 's')],
  })
  expect(fanOut.user.removed(user)).toMatchObject({ tag: [cacheTags.ofUser(realmId, 'u1')] })
})

test('no name can spell the key of another', () => {
  const spelled = new Set<string>()
  const names = ['a', 'a:b', 'b', 'b:c', '', 'a%3ab', '%', ':']
  for (const item of names) for (const two of names) spelled.add(cacheKeys.roleByName('r', item, two))
  expect(spelled.size).toBe(names.length ** 2)
  expect(cacheKeys.user('a', 'b:c')).not.toBe(cacheKeys.user('a:b', 'c'))
})
