import assert from 'node:assert/strict'
import {
  hostileNames,
  hostileNotes,
  hostilePairs,
  refusesEndlessNames,
  type SuiteBuilder,
} from '@authstate/conformance'
import type { UserSession, UserSessionProvider } from '../contract.js'
import { createdSession, sessionOf } from './fixture.js'

const newSession = (name: string) => ({
  userId: name,
  loginUsername: name,
  ipAddress: name,
  authMethod: name,
  brokerSessionId: name,
  brokerUserId: name,
  notes: hostileNotes(name),
  client: { clientId: name, protocol: name, action: name, notes: hostileNotes(name) },
})

const presentationOf = (name: string, issuedAt: number) =>
  ({ family: name, presented: name, next: 'next', issuedAt, maxReuse: 0, attempt: name }) as const

const rotationOf = (name: string, issuedAt: number) =>
  ({ ...presentationOf(name, issuedAt), clientId: name }) as const

/** Whatever realms, users and clients are called. */
export function names(add: SuiteBuilder<UserSessionProvider>): void {
  add.basic('names: hostile ones go through every verb, and each keeps to itself', 'issue', async (stage) => {
    const { provider, clock } = stage
    const sessions = new Map<string, UserSession>()
    for (const [realm, name] of hostilePairs) {
      const made = await provider.create(realm, newSession(name)).then(createdSession)
      sessions.set(realm, made)
      const { id } = made
      const scope = { clientId: name }
      assert.ok(await provider.refresh(realm, id, scope))
      assert.ok(await provider.touch(realm, id, scope))
      assert.ok(
        await provider.update(realm, id, {
          notes: { ...hostileNotes(name), [`${name.slice(0, 9)} 2`]: name },
        }),
      )
      assert.ok(
        await provider
          .putClientSession(realm, id, { clientId: name, notes: hostileNotes(name) })
          .then(sessionOf),
      )
      assert.ok(
        await provider.updateClientSession(realm, id, {
          clientId: name,
          action: 'a',
          notes: hostileNotes(name),
        }),
      )
      const rotated = { outcome: 'rotated', successor: 'next' }
      const rotation = rotationOf(name, clock.now())
      assert.deepEqual(await provider.rotateRefreshToken(realm, id, rotation), rotated)
      assert.deepEqual(
        await provider.rotateTransientToken(realm, {
          ...presentationOf(name, clock.now()),
          lifespanMs: 1_000,
        }),
        rotated,
      )
      const copy = await provider.createOffline(realm, id).then(sessionOf)
      assert.deepEqual([...(copy?.clients.keys() ?? [])], [name])
      assert.ok(await provider.createOffline(realm, id, { clientIds: [name] }).then(sessionOf))
      assert.equal(await provider.recompute(realm), 0)

      const read = await provider.get(realm, id, scope)
      assert.deepEqual(read?.clients.get(name)?.notes, hostileNotes(name))
      assert.equal(read.userId, name)
      assert.equal(read.brokerUserId, name)
      assert.equal((JSON.parse(JSON.stringify(read)) as { userId: string }).userId, name)
    }
    for (const [realm, name] of hostilePairs) {
      const { id } = sessions.get(realm) as UserSession
      for (const offline of [false, true]) {
        for (const list of [
          provider.listByUser(realm, name, { offline }),
          provider.listByClient(realm, name, { offline }),
          provider.listByBrokerUser(realm, name, { offline }),
          provider.list(realm, { offline }),
        ]) {
          assert.deepEqual(
            (await list).items.map((item) => item.id),
            [id],
          )
        }
        assert.equal((await provider.findByBrokerSession(realm, name, { offline }))?.id, id)
        assert.equal(await provider.countByClient(realm, name, { offline }), 1)
        assert.deepEqual([...(await provider.clientStats(realm, { offline }))], [[name, 1]])
      }
      for (const other of hostileNames.filter((item) => item !== name)) {
        assert.equal(await provider.countByClient(realm, other), 0)
      }
      assert.equal((await provider.listByUser(realm, realm)).items.length, 0)
    }
  })

  add.basic('names: hostile ones end alone', 'issue', async ({ provider }) => {
    const ends: ((realm: string, id: string, name: string) => Promise<unknown>)[] = [
      (realm, id) => provider.remove(realm, id),
      (realm, id, name) => provider.removeClientSession(realm, id, name, { endWhenLast: true }),
      (realm, _, name) => provider.removeByUser(realm, name),
      (realm) => provider.removeByRealm(realm),
    ]
    for (const [n, end] of ends.entries()) {
      const made: [realm: string, id: string, name: string][] = []
      for (const [realm, name] of hostilePairs) {
        const { id } = await provider.create(realm, newSession(name)).then(createdSession)
        made.push([realm, id, name])
      }
      for (const [index, [realm, id, name]] of made.entries()) {
        if (n === 0) assert.equal(await provider.removeByClient(realm, name), 1)
        if (n === 1) assert.ok(await provider.restart(realm, id, newSession(name)).then(sessionOf))
        assert.ok(await end(realm, id, name))
        assert.equal(await provider.get(realm, id), undefined)
        for (const [otherRealm, otherId] of made.slice(index + 1)) {
          assert.ok(await provider.get(otherRealm, otherId))
        }
      }
    }
  })

  add.basic('names: one of 10 kB is refused', 'issue', async ({ provider }) => {
    const { id } = await provider.create('test', newSession('a')).then(createdSession)
    await refusesEndlessNames({
      realmId: (name) => provider.create(name, newSession('a')).then(createdSession),
      'session.userId': (name) =>
        provider.create('test', { ...newSession('a'), userId: name }).then(createdSession),
      'session.brokerUserId': (name) =>
        provider.create('test', { ...newSession('a'), brokerUserId: name }).then(createdSession),
      'client.clientId': (name) => provider.putClientSession('test', id, { clientId: name }).then(sessionOf),
      'patch.clientId': (name) => provider.updateClientSession('test', id, { clientId: name }),
      'patch.notes': (name) => provider.update('test', id, { notes: { [name]: 'x' } }),
      'options.clientId': (name) => provider.refresh('test', id, { clientId: name }),
      'rotation.family': (name) =>
        provider.rotateRefreshToken('test', id, { ...rotationOf('a', 0), family: name }),
      'rotation.presented': (name) =>
        provider.rotateTransientToken('test', { ...presentationOf('a', 0), presented: name, lifespanMs: 1 }),
      userId: (name) => provider.listByUser('test', name),
      clientId: (name) => provider.countByClient('test', name),
      brokerSessionId: (name) => provider.findByBrokerSession('test', name),
    })
  })
}
