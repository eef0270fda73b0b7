import type { RedisClient } from '@authstate/redis'
import { loginFailureKeySpace, loginFailureSuite } from '../../packages/login-failure/src/conformance.js'
import { memoryLoginFailures } from '../../packages/login-failure/src/index.js'
import { redisLoginFailures } from '../../packages/login-failure/src/redis.js'
import * as scripts from '../../packages/login-failure/src/scripts.js'
import { inMemory, inScripts, later, pause } from './plant.js'

export const loginFailureBugs = inMemory(loginFailureSuite, memoryLoginFailures, (plant) => {
  plant(
    'off-by-one expiry',
    'a lock holds at its end',
    'check: open again exactly when the lock ends',
    (real) => ({ check: (...args) => later(-1, () => real.check(...args)) }),
  )
  plant(
    'off-by-one expiry',
    'a record is gone a millisecond early',
    'get: gone exactly maxDeltaTimeMs after the last failure',
    (real) => ({ get: (...args) => later(1, () => real.get(...args)) }),
  )
  plant(
    'lost update',
    'failures that come at once are one',
    'recordFailure: N at once on two nodes are each counted',
    (real) => {
      const running = new Map<string, ReturnType<typeof real.recordFailure>>()
      return {
        recordFailure: (realmId, userId, options) => {
          const key = JSON.stringify([realmId, userId])
          const known = running.get(key)
          if (known !== undefined) return known
          const own = pause().then(() => real.recordFailure(realmId, userId, options))
          running.set(key, own)
          return own.finally(() => running.delete(key))
        },
      }
    },
  )
  plant(
    'lost update',
    'a failure at the reset boundary erases what came before it',
    'recordFailure: at the end of the reset time no failure erases another',
    (real) => ({
      recordFailure: async (realmId, userId, options) => {
        const before = await real.get(realmId, userId)
        await pause()
        if (before === undefined) await real.clear(realmId, userId)
        return real.recordFailure(realmId, userId, options)
      },
    }),
  )
  plant(
    'count counts too much',
    'failures while locked are counted',
    'recordFailure: nothing is counted while locked',
    (real) => ({
      recordFailure: async (realmId, userId, options) => {
        const outcome = await real.recordFailure(realmId, userId, options)
        return { ...outcome, counted: true, numFailures: outcome.numFailures + (outcome.counted ? 0 : 1) }
      },
    }),
  )
  plant(
    'limit in two steps',
    'guard looks, verifies and then counts',
    'guard: 100 wrong at once, on two nodes: verified no more often than the factor',
    (real) => ({
      guard: async (realmId, userId, { ip, category }, verify) => {
        const lock = await real.check(realmId, userId)
        if (lock.locked) {
          const { locked: _, ...rest } = lock
          return { outcome: 'locked', ...rest }
        }
        if (await verify()) return { outcome: 'success' }
        await real.recordFailure(realmId, userId, { ip, category })
        return { outcome: 'failure' }
      },
    }),
  )
  plant(
    'honest users refused',
    'guard does not wait for its turn',
    'guard: 60 right at once, on two nodes, all succeed',
    () => ({}),
    { config: (config) => ({ ...config, guardWaitMs: 0 }) },
  )
  plant(
    'leaks',
    'a reservation is not given back when verify throws',
    'guard: what verify throws reaches the caller, and its reservation is given back',
    (real) => ({
      guard: async (realmId, userId, options, verify) => {
        let error: unknown
        const outcome = await real.guard(realmId, userId, options, () =>
          verify().catch((thrown) => {
            error = thrown
            return false
          }),
        )
        if (error !== undefined) throw error
        return outcome
      },
    }),
  )
  plant(
    'swallowed error',
    'what verify throws counts as wrong',
    'guard: what verify throws reaches the caller, and its reservation is given back',
    (real) => ({
      guard: (realmId, userId, options, verify) =>
        real.guard(realmId, userId, options, () => verify().catch(() => false)),
    }),
  )
  plant(
    'half the work',
    'a success leaves the failures',
    'recordSuccess: forgets failures, so that a single one does not lock',
    () => ({ recordSuccess: async () => true }),
  )
  plant(
    'too much work',
    'a success with a password forgets the failures of the second factor',
    'recordSuccess: failures of a second factor stay, and go on counting, unless it was part of the login',
    (real) => ({
      recordSuccess: (realmId, userId) => real.recordSuccess(realmId, userId, { category: 'otp' }),
    }),
  )
  plant(
    'too much work',
    'a success ends a permanent lock',
    'recordFailure: permanent mode locks for good at the factor',
    (real) => ({ recordSuccess: (realmId, userId) => real.clear(realmId, userId) }),
  )
  plant(
    'too much work',
    'a right password forgets the wrong codes',
    'guard: two wrong codes lock, each after the right password; everything right is refused until clear',
    (real) => ({
      guard: async (realmId, userId, options, verify) => {
        const outcome = await real.guard(realmId, userId, options, verify)
        if (outcome.outcome === 'success') await real.clear(realmId, userId)
        return outcome
      },
    }),
  )
  plant(
    'limit in two steps',
    'guard does not look at a lock that was set while it verified',
    'guard: a lock that was set while it verified is honoured, and forgives nothing',
    (real) => ({
      guard: async (realmId, userId, options, verify) => {
        let answer = false
        const outcome = await real.guard(realmId, userId, options, async () => {
          answer = await verify()
          return answer
        })
        return answer ? { outcome: 'success' } : outcome
      },
    }),
  )
  plant(
    'wrong realm',
    'removeByRealm takes its neighbours',
    'removeByRealm: removes every record of one realm',
    (real) => {
      const realms = new Set<string>()
      return {
        recordFailure: (realmId, ...rest) => {
          realms.add(realmId)
          return real.recordFailure(realmId, ...rest)
        },
        removeByRealm: async (realmId) => {
          const removed = await real.removeByRealm(realmId)
          for (const other of realms) await real.removeByRealm(other)
          return removed
        },
      }
    },
  )
  plant(
    'off-by-one expiry',
    'a lock is listed at its end',
    'listLocked: to the last millisecond of the lock, and not at its end',
    (real) => ({ listLocked: (...args) => later(-1, () => real.listLocked(...args)) }),
  )
  plant(
    'pages overlap',
    'a page begins at the end of the one before',
    'listLocked: over pages none is missed and none comes twice, whenever locks end',
    (real) => {
      const cursors = new Map<string, string | undefined>()
      return {
        listLocked: async (realmId, page = {}) => {
          const before = page.cursor === undefined ? undefined : cursors.get(page.cursor)
          const answer = await real.listLocked(realmId, { ...page, cursor: before ?? page.cursor })
          const { cursor } = await real.listLocked(realmId, { ...page, limit: 1 })
          if (answer.cursor !== undefined) cursors.set(answer.cursor, cursor)
          return answer
        },
      }
    },
  )
  plant(
    'leaks names',
    'the cursor of locks holds a user',
    'listLocked: a cursor names nobody, and another text is none',
    (real) => ({
      listLocked: async (realmId, page = {}) => {
        const cursor = page.cursor?.split('-of-')[0]
        const answer = await real.listLocked(realmId, { ...page, cursor })
        return answer.cursor === undefined ? answer : { ...answer, cursor: `${answer.cursor}-of-alice` }
      },
    }),
  )
  plant(
    'names collide',
    'realm and user are joined by a colon',
    'ids: a user is one record, whatever name was typed; names do not collide',
    (real) => {
      const joined = (realmId: string, userId: string) => `${realmId}:${userId}`
      return {
        recordFailure: (realmId, userId, options) =>
          real.recordFailure('a', joined(realmId, userId), options),
        get: (realmId, userId) => real.get('a', joined(realmId, userId)),
      }
    },
  )
  plant(
    'names collide',
    'an unknown name gets a record',
    'recordUnknownUser: leaves no record of a user',
    (real) => ({
      recordUnknownUser: async (realmId, options) => {
        await real.recordFailure(realmId, 'unknown', options)
        return real.recordUnknownUser(realmId, options)
      },
    }),
  )
  plant(
    'tells who exists',
    'attempts under an unknown name never wait for one another',
    'guardUnknownUser: six guesses at once are verified and refused as those of a user who exists, at any time',
    (real) => {
      let names = 0
      return {
        guardUnknownUser: (realmId, options, verify) => {
          names += 1
          return real.guardUnknownUser(realmId, { ...options, username: String(names) }, verify)
        },
      }
    },
  )
  plant(
    'count counts the dead',
    'clear says that it removed what had expired',
    'clear, removeByRealm: what has expired does not count',
    (real) => ({ clear: (...args) => later(-1, () => real.clear(...args)) }),
  )
  plant(
    'clock set back',
    'a failure is dated when it was told to be, even in time to come',
    'recordFailure: a time to come counts as now',
    (real) => {
      const heard = new Map<string, number>()
      return {
        recordFailure: (realmId, userId, options = {}) => {
          if (options.at !== undefined) heard.set(userId, options.at)
          return real.recordFailure(realmId, userId, options)
        },
        get: async (realmId, userId) => {
          const record = await real.get(realmId, userId)
          return record && { ...record, lastFailureAt: heard.get(userId) ?? record.lastFailureAt }
        },
      }
    },
  )
})

/** In the scripts. @param client Asked when a bug is tried. */
export const loginFailureScriptBugs = (client: () => RedisClient) =>
  inScripts(
    loginFailureSuite,
    { factories: [redisLoginFailures()], keySpace: loginFailureKeySpace },
    client,
    (edit) => {
      edit(
        'lost update',
        'record-failure.lua writes one where nothing else changes',
        'recordFailure: N at once on two nodes are each counted',
        scripts.recordFailure,
        'ends, n, ARGV[1]',
        'ends, 1, ARGV[1]',
      )
      edit(
        'lost update',
        'record-failure.lua begins again near a lock',
        'recordFailure: exactly one of N at once sets the lock, and no more than the factor are counted',
        scripts.recordFailure,
        'n = n + 1',
        'n = 1',
      )
      edit(
        'off-by-one expiry',
        'record-failure.lua counts on at the end of a record',
        'get: gone exactly maxDeltaTimeMs after the last failure',
        scripts.recordFailure,
        'isUsual = oldX > now',
        'isUsual = oldX >= now',
      )
      edit(
        'index leak',
        'clear.lua leaves the entry of the realm',
        'clear: removes one record, and again nothing',
        scripts.clear,
        "redis.call('ZREM', KEYS[2], ARGV[2])",
        '',
      )
      edit(
        'index leak',
        'clear.lua leaves the lock listed',
        'listLocked: networks, too; nobody where the realm is not protected',
        scripts.clear,
        'list_lock(KEYS[3], ARGV[2], 0, now)\n',
        '',
      )
      edit(
        'missed in a listing',
        'recompute.lua lists nobody whom new settings lock',
        'listLocked: after recompute as the settings of now have it',
        scripts.recompute,
        'if x > now and (t > 0 or u > 0 or p > 0) then',
        'if false then',
      )
      edit(
        'missed in a listing',
        'record-failure.lua lists those only who are locked for a time',
        'listLocked: over pages none is missed and none comes twice, whenever locks end',
        scripts.recordFailure,
        "newLock == 'permanent' and NEVER or u",
        'u',
      )
      edit(
        'pages overlap',
        'locked.lua begins with the member behind which it should go on',
        'listLocked: over pages none is missed and none comes twice, whenever locks end',
        scripts.lockedPage,
        'first = rank_behind(index, score, place)',
        "first = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. ARGV[2])",
      )
      edit(
        'too much work',
        'record-success.lua forgets the wrong codes',
        'guard: two wrong codes lock, each after the right password; everything right is refused until clear',
        scripts.recordSuccess,
        "if ARGV[3] == '0' and o > 0 then",
        'if false then',
      )
      edit(
        'limit in two steps',
        'record-success.lua passes a lock that was set meanwhile',
        'guard: a lock that was set while it verified is honoured, and forgives nothing',
        scripts.recordSuccess,
        "if p > 0 or (ARGV[2] ~= '' and locked) then",
        'if p > 0 then',
      )
      edit(
        'limit in two steps',
        'reserve.lua reserves without counting',
        'guard: 100 wrong at once, on two nodes: verified no more often than the factor',
        scripts.reserve,
        "if redis.call('ZCARD', KEYS[2]) >= left then",
        'if false then',
      )
      edit(
        'leaks',
        'reserve.lua never lets a reservation lapse',
        'guard: a verification that never ends gives its reservation back after reservationMs',
        scripts.reserve,
        "redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[2])",
        '',
      )
      edit(
        'off-by-one expiry',
        'reserve.lua takes its own clock for exact',
        'guard: a reservation lasts as long as the clock of its node may say that it does',
        scripts.reserve,
        "redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[2])",
        "redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[1])",
      )
      edit(
        'unbounded life',
        'record-failure.lua keeps a name that belongs to nobody for good',
        'guardUnknownUser: a lock for good ends maxDeltaTimeMs after the last failure, as nobody is there to end it',
        scripts.recordFailure,
        'if most == 0 and (pure',
        'if (pure',
      )
      edit(
        'unbounded life',
        'reserve.lua sets no TTL',
        'guard: a verification that never ends gives its reservation back after reservationMs',
        scripts.reserve,
        "redis.call('PEXPIRE', KEYS[2], string.format('%.0f', tonumber(ARGV[4]) + GRACE))",
        '',
      )
    },
  )
