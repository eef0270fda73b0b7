import type { RedisClient } from '@authstate/redis'
import { userSessionKeySpace, userSessionSuite } from '../../packages/user-session/src/conformance.js'
import {
  memoryUserSessions,
  type UserSession,
  type UserSessionListener,
} from '../../packages/user-session/src/index.js'
import { redisUserSessions } from '../../packages/user-session/src/redis.js'
import * as scripts from '../../packages/user-session/src/scripts.js'
import { inMemory, inScripts, later, pause } from './plant.js'

export const userSessionBugs = inMemory(userSessionSuite, memoryUserSessions, (plant) => {
  plant(
    'off-by-one expiry',
    'a session can be read at its end',
    'idle: alive one millisecond before, gone at it, for every verb',
    (real) => ({ get: (...args) => later(-1, () => real.get(...args)) }),
  )
  plant(
    'off-by-one expiry',
    'a session can be refreshed at its end',
    'idle: alive one millisecond before, gone at it, for every verb',
    (real) => ({ refresh: (...args) => later(-1, () => real.refresh(...args)) }),
  )
  plant(
    'resurrection',
    'refreshing a session that is gone makes it again',
    'remove: no later verb brings it back',
    (real) => {
      const last = new Map<string, UserSession>()
      return {
        create: async (realmId, session) => {
          const created = await real.create(realmId, session)
          if (created.outcome === 'created') last.set(created.session.id, created.session)
          return created
        },
        refresh: async (realmId, id, options) =>
          (await real.refresh(realmId, id, options)) ?? (options?.offline ? undefined : last.get(id)),
      }
    },
  )
  plant(
    'resurrection',
    'a removal leaves the session to those who look at once',
    'remove: whatever crosses it, nothing is left',
    (real) => ({
      remove: async (realmId, id, options) => {
        const session = await real.get(realmId, id, options)
        if (session === undefined) return false
        await pause()
        await real.update(realmId, id, { state: 'LOGGED_OUT' }, options)
        return true
      },
    }),
  )
  plant('reading extends', 'get refreshes', 'reading never extends', (real) => ({
    get: async (realmId, id, options) => {
      await real.refresh(realmId, id, options)
      return real.get(realmId, id, options)
    },
  }))
  plant(
    'unbounded life',
    'the maximum begins again with each refresh',
    'max: refreshing does not lengthen it, to the millisecond',
    (real) => ({
      get: async (realmId, id, options) =>
        (await real.get(realmId, id, options)) ?? later(-60_000, () => real.get(realmId, id, options)),
    }),
  )
  plant(
    'moves back',
    'a node whose clock is behind takes a refresh back',
    'refresh: never moves back',
    (real, { context }) => ({
      touch: async (realmId, id, options) => {
        const times = await real.touch(realmId, id, options)
        return times && { ...times, lastRefreshAt: context.clock.now() }
      },
    }),
  )
  plant('lost update', 'update replaces all notes', 'update: merges notes and sets the state', (real) => ({
    update: async (realmId, id, patch, options) => {
      const before = await real.get(realmId, id, options)
      const gone = Object.fromEntries(Object.keys(before?.notes ?? {}).map((name) => [name, null]))
      return real.update(realmId, id, { ...patch, notes: { ...gone, ...patch.notes } }, options)
    },
  }))
  plant(
    'lost update',
    'update reads, waits and writes all notes',
    'update: patches of different notes all last',
    (real) => ({
      update: async (realmId, id, patch, options) => {
        const before = await real.get(realmId, id, options)
        await pause()
        const now = await real.get(realmId, id, options)
        const gone = Object.fromEntries(Object.keys(now?.notes ?? {}).map((name) => [name, null]))
        const notes = { ...gone, ...before?.notes, ...patch.notes }
        return real.update(realmId, id, { ...patch, notes }, options)
      },
    }),
  )
  plant(
    'lost race',
    'everybody who removes is told that it was them',
    'remove: exactly one of many',
    (real) => ({
      remove: async (realmId, id, options) => {
        const was = (await real.get(realmId, id, options)) !== undefined
        await pause()
        await real.remove(realmId, id, options)
        return was
      },
    }),
  )
  plant(
    'index leak',
    'a user is listed with sessions that were removed',
    'remove: one session, with all it is listed under',
    (real) => {
      const removed: UserSession[] = []
      return {
        remove: async (realmId, id, options) => {
          const session = await real.get(realmId, id, options)
          if (session !== undefined) removed.push(session)
          return real.remove(realmId, id, options)
        },
        listByUser: async (realmId, userId, page) => {
          const { items, ...rest } = await real.listByUser(realmId, userId, page)
          return { ...rest, items: [...items, ...removed.filter((item) => item.userId === userId)] }
        },
      }
    },
  )
  plant(
    'count counts the dead',
    'sessions at their end are counted',
    'counts: hundreds at the edge of their end',
    (real) => ({ countByClient: (...args) => later(-1, () => real.countByClient(...args)) }),
  )
  plant(
    'count counts the dead',
    'the limit counts what has expired',
    'limits: only the living count',
    (real) => {
      let calls = 0
      return {
        create: (...args) => {
          calls += 1
          return calls > 2 ? later(-1, () => real.create(...args)) : real.create(...args)
        },
      }
    },
  )
  plant(
    'wrong realm',
    'a session can be read in whatever realm',
    'get: a foreign or malformed id is an unknown one',
    (real) => {
      const realms = new Map<string, string>()
      return {
        create: async (realmId, session) => {
          const created = await real.create(realmId, session)
          if (created.outcome === 'created') realms.set(created.session.id, realmId)
          return created
        },
        get: (realmId, id, options) => real.get(realms.get(id) ?? realmId, id, options),
      }
    },
  )
  plant(
    'wrong realm',
    'removeByUser ends the sessions of whoever has that id',
    'removeByUser: one user of one realm, everywhere',
    (real) => {
      const realms = new Set<string>()
      return {
        create: (realmId, session) => {
          realms.add(realmId)
          return real.create(realmId, session)
        },
        removeByUser: async (realmId, userId, options) => {
          const ended = await real.removeByUser(realmId, userId, options)
          for (const other of realms) await real.removeByUser(other, userId, options)
          return ended
        },
      }
    },
  )
  plant(
    'too much work',
    'removeByUser takes what was to stay',
    'removeByUser: all but one, of hundreds',
    (real) => ({
      removeByUser: (realmId, userId, { except: _, ...options } = {}) =>
        real.removeByUser(realmId, userId, options),
    }),
  )
  plant(
    'half the work',
    'removeByUser lets in what began before it',
    'removeByUser: a login that began before is ended or refused',
    (real) => ({
      removeByUser: async (realmId, userId, options) => {
        let ended = 0
        const { items } = await real.listByUser(realmId, userId, { limit: 100 })
        for (const { id } of items) {
          await pause()
          if (id !== options?.except && (await real.remove(realmId, id))) ended += 1
        }
        return ended
      },
    }),
  )
  plant(
    'half the work',
    'create goes by when it was called, not by when the user was authenticated',
    'authenticatedAt: what was authenticated before the user was signed out is refused, however late it comes',
    (real) => ({
      create: (realmId, { authenticatedAt: _, ...session }) => real.create(realmId, session),
    }),
  )
  plant(
    'half the work',
    'removeByRealm forgets the offline sessions',
    'removeByRealm: online and offline, and nothing of its neighbours',
    (real) => ({
      removeByRealm: async (realmId) => {
        let ended = 0
        for (;;) {
          const { items } = await real.list(realmId, { limit: 100 })
          if (items.length === 0) return ended
          for (const { id } of items) if (await real.remove(realmId, id)) ended += 1
        }
      },
    }),
  )
  plant(
    'twins',
    'logging out ends the offline session too',
    'twins: what happens to one happens to it alone',
    (real) => ({
      remove: async (realmId, id, options) => {
        const removed = await real.remove(realmId, id, options)
        await real.remove(realmId, id, { offline: options?.offline !== true })
        return removed
      },
    }),
  )
  plant(
    'second redeem',
    'a refresh token that was used is taken again',
    'rotateRefreshToken: a replay ends the client session, and with it the successor',
    (real) => ({
      rotateRefreshToken: (realmId, id, rotation) =>
        real.rotateRefreshToken(realmId, id, { ...rotation, maxReuse: 1_000 }),
    }),
  )
  plant(
    'second redeem',
    'rotation looks first and rotates later',
    'rotateRefreshToken: of five at once exactly one, with max reuse 2 exactly three',
    (real) => {
      const used = new Set<string>()
      return {
        rotateRefreshToken: async (realmId, id, rotation) => {
          const was = used.has(rotation.presented)
          await pause()
          if (was) return real.rotateRefreshToken(realmId, id, rotation)
          used.add(rotation.presented)
          return { outcome: 'rotated', successor: rotation.next }
        },
      }
    },
  )
  plant(
    'half the work',
    'a replay leaves the client session',
    'rotateRefreshToken: a replay ends the client session, and with it the successor',
    (real) => {
      const replayed = new Set<string>()
      return {
        rotateRefreshToken: async (realmId, id, rotation) => {
          if (replayed.has(rotation.presented)) return { outcome: 'reused' }
          replayed.add(rotation.presented)
          return real.rotateRefreshToken(realmId, id, rotation)
        },
      }
    },
  )
  plant(
    'limit in two steps',
    'logins at once pass the limit',
    'limits: never exceeded by logins at once',
    (real) => {
      let running = 0
      return {
        create: async (realmId, session) => {
          running += 1
          await pause()
          const outcome = await real.create(realmId, session)
          running -= 1
          return outcome.outcome === 'refused' && running > 0
            ? real.create(realmId, { ...session, userId: `${session.userId} again` })
            : outcome
        },
      }
    },
  )
  plant(
    'pages',
    'a page begins with the end of the one before',
    'pages: disjoint, complete, soonest to end first',
    (real) => {
      let last: UserSession | undefined
      return {
        list: async (realmId, page) => {
          const { items, ...rest } = await real.list(realmId, page)
          const again = page?.cursor !== undefined && last ? [last, ...items.slice(1)] : items
          last = items.at(-1)
          return { ...rest, items: again }
        },
      }
    },
  )
  plant(
    'swallowed error',
    'wrong arguments of a listing list nothing',
    'arguments: objects, flags, numbers and notes too',
    (real) => ({ listByUser: (...args) => real.listByUser(...args).catch(() => ({ items: [] })) }),
  )
  plant(
    'told twice',
    'each sweep tells of what it has told before',
    'sweep: tells of what expired, once, and frees it',
    (real) => {
      const heard: Parameters<UserSessionListener>[0][] = []
      const listeners: UserSessionListener[] = []
      return {
        on: (type, listener, options) => {
          if (type === 'expired') listeners.push(listener as UserSessionListener)
          return real.on(
            type,
            (event) => {
              if (type === 'expired') heard.push(event)
              listener(event)
            },
            options,
          )
        },
        sweep: async () => {
          for (const event of heard) for (const listener of listeners) listener(event)
          return real.sweep()
        },
      }
    },
  )
  plant(
    'told twice',
    'the last client session of a session is told of by itself before its session is',
    'on: nothing is told twice: the end of a session names its clients, the last one too',
    (real) => ({
      removeClientSession: async (realmId, id, clientId, options) => {
        const scope = { offline: options?.offline }
        const removed = await real.removeClientSession(realmId, id, clientId, scope)
        if (options?.endWhenLast && (await real.get(realmId, id, scope))?.clients.size === 0)
          await real.remove(realmId, id, scope)
        return removed
      },
    }),
  )
  plant(
    'too much told',
    'notes go to listeners that did not ask for them',
    'on: with notes, what ended has the notes of its user session, for who asks alone',
    (real) => ({
      on: (type, listener) => real.on(type, listener, { notes: type === 'removed' || type === 'expired' }),
    }),
  )
})

/** In the scripts. @param client Asked when a bug is tried. */
export const userSessionScriptBugs = (client: () => RedisClient) =>
  inScripts(
    userSessionSuite,
    { factories: [redisUserSessions()], keySpace: userSessionKeySpace },
    client,
    (edit) => {
      edit(
        'unbounded life',
        'create.lua sets no TTL',
        'create: what was left out is absent',
        scripts.create,
        "redis.call('PEXPIRE', KEYS[1], math.max(score - now, 0) + GRACE + SLACK)",
        '',
      )
      edit(
        'half the work',
        'create.lua lets in what began before the user was logged out',
        'authenticatedAt: what was authenticated before the user was signed out is refused, however late it comes',
        scripts.create,
        'if fenced(fence, user, ARGV[2]) then',
        'if false then',
      )
      edit(
        'half the work',
        'create.lua looks at marks of the realm alone',
        'authenticatedAt: what was authenticated before the user was signed out is refused, however late it comes',
        scripts.create,
        "redis.call('EXISTS', fence, fence .. ':' .. user) > 0",
        "redis.call('EXISTS', fence) > 0",
      )
      edit(
        'too much work',
        'sweep.lua takes what was used a moment ago, as its index lags',
        'sweep: a session that was used half a minute after its beginning stays half a minute longer',
        scripts.sweep,
        "'-inf', now - SLACK, 'LIMIT', 0, ARGV[6])",
        "'-inf', now, 'LIMIT', 0, ARGV[6])",
      )
      edit(
        'limit in two steps',
        'create.lua lets one too many in',
        'limits: never exceeded by logins at once',
        scripts.create,
        'local excess, may_end = 1 - limit.allowed, {}',
        'local excess, may_end = -limit.allowed, {}',
      )
      edit(
        'moves back',
        'refresh.lua takes the clock of a node that is behind',
        'refresh: never moves back',
        scripts.refresh,
        '\n  c.refreshed = math.max(c.refreshed, now)',
        '\n  c.refreshed = now',
      )
      edit(
        'second redeem',
        'rotate.lua compares when a token was issued with its own clock alone',
        'rotateRefreshToken: a token that was used never rotates again, by whatever clocks its kind were issued',
        scripts.rotate,
        'math.max(tonumber(now), issued, before)',
        'tonumber(now)',
      )
      edit(
        'too much work',
        'end-all.lua ends what began after the removal',
        'removeByRealm: in this process also what begins in the same millisecond',
        scripts.endAll,
        "return ARGV[2] == '' or not beginning or began_before_parts(beginning, latest, node, count)",
        'return true',
      )
      edit(
        'half the work',
        'rotate-transient.lua does not ask whether the realm was signed out',
        'removeByRealm: refresh tokens of transient sessions too',
        scripts.rotateTransient,
        'if ended and (',
        'if false and (',
      )
      edit(
        'unbounded size',
        'update.lua does not look at the ceiling',
        'update: the ceiling on notes holds for what is merged',
        scripts.update,
        '> tonumber(ARGV[5]) then',
        '< 0 then',
      )
      edit(
        'half the work',
        'rotate.lua leaves the client session of a replay',
        'rotateRefreshToken: a replay ends the client session, and with it the successor',
        scripts.rotate,
        "if outcome == 'reused' or outcome == 'stale' then",
        'if false then',
      )
      edit(
        'half told',
        'detach-all.lua tells of those of the first step alone',
        'on: removeByClient tells of each client session, of hundreds',
        scripts.detachAll,
        'if ARGV[5] then',
        "if ARGV[5] and ARGV[4] == '' then",
      )
    },
  )
