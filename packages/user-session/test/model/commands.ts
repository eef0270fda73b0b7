import assert from 'node:assert/strict'
import fc from 'fast-check'
import { createdSession, sessionOf } from '../../src/conformance/fixture.js'
import type { SessionScope, UserSession } from '../../src/index.js'
import {
  alive,
  clientEnd,
  find,
  type Model,
  type ModelClient,
  type ModelSession,
  type Real,
  userEnd,
} from './model.js'

const REALMS = ['r', 'rr']
const USERS = ['alice', 'bob']
const CLIENTS = ['app', 'web']

/** Where sessions are listed and counted. */
const PLACES = REALMS.flatMap((realm) => [false, true].map((offline) => ({ realm, offline })))

type Command = fc.AsyncCommand<Model, Real>

/** Names a session of the model by number, whatever there is. */
interface Pick {
  readonly session: number
  readonly offline: boolean
}

const pick = fc.record({ session: fc.nat(5), offline: fc.boolean() })
const realmId = fc.constantFrom(...REALMS)
const userId = fc.constantFrom(...USERS)
const clientId = fc.constantFrom(...CLIENTS)

/**
 * A command from what it does; a look at every session follows each, and at the lists and counts of one place in turn:
 * all of them are four hundred scripts, a command is one.
 */
function command(name: string, run: (model: Model, real: Real, now: number) => Promise<void>): Command {
  return {
    check: () => true,
    run: async (model, real) => {
      await run(model, real, real.clock.now())
      const turn = model.turns++ % PLACES.length
      await compare(model, real, PLACES.slice(turn, turn + 1))
    },
    toString: () => name,
  }
}

/** The id and realm of some session that was ever made; one that never was when there is none. */
function chosen(model: Model, { session }: Pick): { realmId: string; id: string } {
  const at = model.sessions[model.sessions.length - 1 - (session % Math.max(model.sessions.length, 1))]
  return at ?? { realmId: 'r', id: `${'A'.repeat(22)}00` }
}

/** A change to a living session; what is over by the settings of now ends by it. */
function change(
  name: string,
  on: Pick,
  step: (args: {
    model: Model
    real: Real
    now: number
    realmId: string
    id: string
    scope: SessionScope
    session: ModelSession | undefined
  }) => Promise<void>,
): Command {
  return command(name, async (model, real, now) => {
    const { realmId, id } = chosen(model, on)
    const living = find(model, realmId, id, on.offline, now)
    const over = living !== undefined && userEnd(model, living) <= now
    if (over) living.expiresAt = userEnd(model, living)
    const session = over ? undefined : living
    await step({ model, real, now, realmId, id, scope: { offline: on.offline }, session })
  })
}

const living = (session: ModelSession | undefined, client: string, now: number): ModelClient | undefined => {
  const found = session?.clients.get(client)
  return found && alive(found, now) ? found : undefined
}

/** A living client session as a write finds it: one that is over by the settings of now ends by them. */
function opened(
  model: Model,
  session: ModelSession | undefined,
  client: string,
  now: number,
): ModelClient | undefined {
  const found = living(session, client, now)
  if (session === undefined || found === undefined || clientEnd(model, session, found) > now) return found
  session.expiresAt = userEnd(model, session)
  found.expiresAt = clientEnd(model, session, found)
  return undefined
}

function put(
  model: Model,
  session: ModelSession,
  client: string,
  notes: Record<string, string>,
  now: number,
): void {
  const before = opened(model, session, client, now)
  const made = { startedAt: before?.startedAt ?? now, lastRefreshAt: now, expiresAt: 0, notes: { ...notes } }
  session.clients.set(client, made)
  made.expiresAt = clientEnd(model, session, made)
}

export const commands = [
  fc.record({ realmId, userId, client: fc.option(clientId, { nil: undefined }) }).map((entry) =>
    command(`create ${entry.realmId} ${entry.userId} ${entry.client}`, async (model, real, now) => {
      const created = await real.provider
        .create(entry.realmId, {
          userId: entry.userId,
          loginUsername: entry.userId,
          ...(entry.client && { client: { clientId: entry.client } }),
        })
        .then(createdSession)
      const session: ModelSession = {
        realmId: entry.realmId,
        id: created.id,
        userId: entry.userId,
        offline: false,
        startedAt: now,
        lastRefreshAt: now,
        expiresAt: 0,
        notes: {},
        clients: new Map(),
      }
      session.expiresAt = userEnd(model, session)
      if (entry.client) put(model, session, entry.client, {}, now)
      model.sessions.push(session)
      same(created, session, now)
    }),
  ),

  fc
    .record({ on: pick, client: fc.option(clientId, { nil: undefined }), touch: fc.boolean() })
    .map(({ on, client, touch }) =>
      change(
        `${touch ? 'touch' : 'refresh'} ${JSON.stringify(on)} ${client}`,
        on,
        async ({ model, real, now, realmId, id, scope, session }) => {
          const found = client === undefined ? undefined : opened(model, session, client, now)
          const goes = session !== undefined && (client === undefined || found !== undefined)
          if (goes && session) {
            session.lastRefreshAt = Math.max(session.lastRefreshAt, now)
            session.expiresAt = userEnd(model, session)
            if (found) {
              found.lastRefreshAt = Math.max(found.lastRefreshAt, now)
              found.expiresAt = clientEnd(model, session, found)
            }
          }
          const options = { ...scope, ...(client !== undefined && { clientId: client }) }
          if (touch) {
            const times = await real.provider.touch(realmId, id, options)
            const { lastRefreshAt, expiresAt } = session ?? { lastRefreshAt: 0, expiresAt: 0 }
            assert.deepEqual(times, goes ? { lastRefreshAt, expiresAt } : undefined)
          } else {
            const refreshed = await real.provider.refresh(realmId, id, options)
            same(refreshed, goes ? session : undefined, now, client)
          }
        },
      ),
    ),

  fc
    .record({ on: pick, note: fc.constantFrom('a', 'b'), value: fc.option(fc.constantFrom('1', '2')) })
    .map(({ on, note, value }) =>
      change(
        `update ${JSON.stringify(on)} ${note}=${value}`,
        on,
        async ({ model, real, now, realmId, id, scope, session }) => {
          if (session) {
            merge(session.notes, note, value)
            session.expiresAt = userEnd(model, session)
          }
          same(await real.provider.update(realmId, id, { notes: { [note]: value } }, scope), session, now)
        },
      ),
    ),

  fc.record({ on: pick, client: clientId, value: fc.constantFrom('1', '2') }).map(({ on, client, value }) =>
    change(
      `putClientSession ${JSON.stringify(on)} ${client} ${value}`,
      on,
      async ({ model, real, now, realmId, id, scope, session }) => {
        if (session) {
          session.expiresAt = userEnd(model, session)
          put(model, session, client, { v: value }, now)
        }
        const answer = await real.provider
          .putClientSession(realmId, id, { clientId: client, notes: { v: value } }, scope)
          .then(sessionOf)
        same(answer, session, now)
      },
    ),
  ),

  fc
    .record({ on: pick, client: clientId, value: fc.option(fc.constantFrom('1', '2')) })
    .map(({ on, client, value }) =>
      change(
        `updateClientSession ${JSON.stringify(on)} ${client} ${value}`,
        on,
        async ({ model, real, now, realmId, id, scope, session }) => {
          const found = opened(model, session, client, now)
          if (session && found) {
            merge(found.notes, 'v', value)
            session.expiresAt = userEnd(model, session)
            found.expiresAt = clientEnd(model, session, found)
          }
          const answer = await real.provider.updateClientSession(
            realmId,
            id,
            { clientId: client, notes: { v: value } },
            scope,
          )
          same(answer, found && session, now)
        },
      ),
    ),

  fc.record({ on: pick, client: clientId }).map(({ on, client }) =>
    command(`removeClientSession ${JSON.stringify(on)} ${client}`, async (model, real, now) => {
      const { realmId, id } = chosen(model, on)
      const session = find(model, realmId, id, on.offline, now)
      const found = living(session, client, now)
      if (found) session?.clients.delete(client)
      const removed = await real.provider.removeClientSession(realmId, id, client, { offline: on.offline })
      assert.equal(removed, found !== undefined)
    }),
  ),

  pick.map((on) =>
    command(`remove ${JSON.stringify(on)}`, async (model, real, now) => {
      const { realmId, id } = chosen(model, on)
      const session = find(model, realmId, id, on.offline, now)
      end(session ? [session] : [])
      assert.equal(await real.provider.remove(realmId, id, { offline: on.offline }), session !== undefined)
    }),
  ),

  pick.map((on) =>
    change(
      `restart ${JSON.stringify(on)}`,
      { ...on, offline: false },
      async ({ model, real, now, realmId, id, session }) => {
        if (session) {
          Object.assign(session, { startedAt: now, lastRefreshAt: now, notes: {}, clients: new Map() })
          session.expiresAt = userEnd(model, session)
          put(model, session, 'web', {}, now)
        }
        const owner = model.sessions.find((entry) => entry.id === id)?.userId ?? 'alice'
        const begun = { userId: owner, loginUsername: owner, client: { clientId: 'web' } }
        same(await real.provider.restart(realmId, id, begun).then(sessionOf), session, now)
      },
    ),
  ),

  fc.record({ on: pick, some: fc.boolean() }).map(({ on, some }) =>
    change(
      `createOffline ${JSON.stringify(on)} ${some}`,
      { ...on, offline: false },
      async ({ model, real, now, realmId, id, session }) => {
        let copy = session && find(model, realmId, id, true, now)
        if (copy) copy.expiresAt = userEnd(model, copy)
        if (copy && !alive(copy, now)) copy = undefined
        if (session) {
          if (copy === undefined) {
            end(model.sessions.filter((entry) => entry.id === id && entry.offline))
            copy = {
              ...session,
              offline: true,
              startedAt: now,
              lastRefreshAt: now,
              notes: { ...session.notes },
              clients: new Map(),
            }
            model.sessions.unshift(copy)
          }
          copy.lastRefreshAt = Math.max(copy.lastRefreshAt, now)
          copy.expiresAt = userEnd(model, copy)
          for (const client of session.clients.keys()) {
            if (some && client !== 'app') continue
            const source = opened(model, session, client, now)
            if (source === undefined) continue
            put(model, copy, client, opened(model, copy, client, now)?.notes ?? source.notes, now)
          }
        }
        const options = some ? { clientIds: ['app'] } : {}
        same(await real.provider.createOffline(realmId, id, options).then(sessionOf), copy, now)
      },
    ),
  ),

  fc
    .record({ realmId, userId, offline: fc.boolean(), except: fc.option(fc.nat(5), { nil: undefined }) })
    .map((entry) =>
      command(`removeByUser ${JSON.stringify(entry)}`, async (model, real, now) => {
        const except =
          entry.except === undefined ? undefined : chosen(model, { session: entry.except, offline: false }).id
        const ends = model.sessions.filter(
          (session) =>
            session.realmId === entry.realmId &&
            session.userId === entry.userId &&
            session.offline === entry.offline &&
            session.id !== except &&
            alive(session, now),
        )
        end(ends)
        const options = { offline: entry.offline, ...(except !== undefined && { except }) }
        assert.equal(await real.provider.removeByUser(entry.realmId, entry.userId, options), ends.length)
      }),
    ),

  fc.record({ realmId, clientId, offline: fc.boolean() }).map((entry) =>
    command(`removeByClient ${JSON.stringify(entry)}`, async (model, real, now) => {
      let ended = 0
      for (const session of model.sessions) {
        if (session.realmId !== entry.realmId || session.offline !== entry.offline || !alive(session, now))
          continue
        if (living(session, entry.clientId, now)) ended += Number(session.clients.delete(entry.clientId))
      }
      const { offline } = entry
      assert.equal(await real.provider.removeByClient(entry.realmId, entry.clientId, { offline }), ended)
    }),
  ),

  realmId.map((entry) =>
    command(`removeByRealm ${entry}`, async (model, real, now) => {
      const ends = model.sessions.filter((session) => session.realmId === entry && alive(session, now))
      end(ends)
      assert.equal(await real.provider.removeByRealm(entry), ends.length)
    }),
  ),

  fc
    .record({ realmId, idle: fc.constantFrom(0, 40_000, 600_000), clientIdle: fc.constantFrom(0, 20_000) })
    .map((entry) =>
      command(`settings ${JSON.stringify(entry)}`, async (model, real) => {
        const settings = {
          ssoSessionIdleTimeoutMs: entry.idle,
          clientSessionIdleTimeoutMs: entry.clientIdle,
          clientOfflineSessionIdleTimeoutMs: entry.clientIdle,
          offlineSessionIdleTimeoutMs: entry.idle * 2,
        }
        model.realms.set(entry.realmId, settings)
        real.realms.set(entry.realmId, settings)
      }),
    ),

  realmId.map((entry) =>
    command(`recompute ${entry}`, async (model, real, now) => {
      for (const session of model.sessions) {
        if (session.realmId !== entry || !alive(session, now)) continue
        session.expiresAt = userEnd(model, session)
        for (const client of session.clients.values()) {
          if (alive(client, now)) client.expiresAt = clientEnd(model, session, client)
        }
      }
      await real.provider.recompute(entry)
    }),
  ),

  fc
    .constantFrom(1, 999, 19_999, 20_000, 60_000, 600_000, 1_799_999, 1_800_000)
    .map((ms) => command(`wait ${ms}`, async (_, real) => real.clock.advance(ms))),

  fc.constant(
    command('sweep', async (_, real) => {
      await real.provider.sweep()
    }),
  ),
]

function merge(notes: Record<string, string>, note: string, value: string | null): void {
  if (value === null) delete notes[note]
  else notes[note] = value
}

/** Takes sessions out; a session that only expired stays, so that later commands may name it. */
function end(ends: readonly ModelSession[]): void {
  for (const session of ends) session.expiresAt = 0
}

/** Whether an answer is what the model has. */
function same(
  answer: UserSession | undefined,
  session: ModelSession | undefined,
  now: number,
  only?: string,
): void {
  assert.equal(answer !== undefined, session !== undefined && alive(session, now), 'whether it lives')
  if (answer === undefined || session === undefined) return
  const { realmId, id, userId, offline, startedAt, lastRefreshAt, expiresAt, notes } = session
  const clients = [...session.clients]
    .filter(([client, entry]) => alive(entry, now) && (only === undefined || client === only))
    .map(([client, entry]) => [client, { clientId: client, ...entry }])
  assert.deepEqual(
    { ...answer, clients: Object.fromEntries(answer.clients) },
    {
      realmId,
      id,
      userId,
      offline,
      startedAt,
      lastRefreshAt,
      expiresAt,
      notes,
      loginUsername: userId,
      rememberMe: false,
      clients: Object.fromEntries(clients),
    },
  )
}

/** Holds every session, and the lists and counts of these places, to the model. */
export async function compare(model: Model, { provider, clock }: Real, places = PLACES): Promise<void> {
  const now = clock.now()
  for (const { realm, offline } of places) {
    const all = model.sessions.filter(
      (entry) => entry.realmId === realm && entry.offline === offline && alive(entry, now),
    )
    const of = (sessions: readonly { id: string }[]) => sessions.map(({ id }) => id).sort()
    const listed = await provider.list(realm, { offline, limit: 100 })
    assert.deepEqual(of(listed.items), of(all), 'list')
    for (const item of listed.items)
      same(
        item,
        all.find(({ id }) => id === item.id),
        now,
      )
    assert.equal(await provider.count(realm, { offline }), all.length, 'count')
    for (const user of USERS) {
      const { items } = await provider.listByUser(realm, user, { offline, limit: 100 })
      assert.deepEqual(of(items), of(all.filter((entry) => entry.userId === user)), 'listByUser')
    }
    const stats = new Map<string, number>()
    for (const client of CLIENTS) {
      const has = all.filter((entry) => living(entry, client, now))
      if (has.length > 0) stats.set(client, has.length)
      assert.equal(await provider.countByClient(realm, client, { offline }), has.length, 'countByClient')
    }
    assert.deepEqual(
      new Map([...(await provider.clientStats(realm, { offline }))].sort()),
      new Map([...stats].sort()),
    )
  }
  for (const session of model.sessions) {
    const twin = find(model, session.realmId, session.id, session.offline, now)
    same(await provider.get(session.realmId, session.id, { offline: session.offline }), twin, now)
  }
}
