import type { RedisClient } from '@authstate/redis'
import { webSessionKeySpace, webSessionSuite } from '../../packages/web-session/src/conformance.js'
import { memoryWebSessions } from '../../packages/web-session/src/index.js'
import { redisWebSessions } from '../../packages/web-session/src/redis.js'
import * as scripts from '../../packages/web-session/src/scripts.js'
import { inMemory, inScripts, later, pause } from './plant.js'

export const webSessionBugs = inMemory(webSessionSuite, memoryWebSessions, (plant) => {
  plant(
    'resurrection',
    'a late save stores what was ended, under another generation',
    'save: of what was ended is refused, and stores nothing',
    (real) => ({
      save: async (realmId, id, session) => {
        const outcome = await real.save(realmId, id, session)
        if (outcome.outcome !== 'refused') return outcome
        return real.save(realmId, id, { ...session, generation: 'again' })
      },
    }),
  )
  plant('resurrection', 'update makes a session that is not there', 'update: never creates', (real) => ({
    update: async (realmId, id, patch) => {
      const version = await real.update(realmId, id, patch)
      if (version !== undefined || !patch.set) return version
      await real.save(realmId, id, { data: patch.set, lifespanMs: 60_000 })
      return 1
    },
  }))
  plant(
    'resurrection',
    'an end that has passed is taken for none',
    'expiresAt: in the past, it ends the session',
    (real, { context }) => ({
      save: (realmId, id, { lifespanMs: _, expiresAt, ...session }) =>
        real.save(realmId, id, {
          ...session,
          expiresAt: Math.max(expiresAt ?? context.clock.now() + 1_800_000, context.clock.now() + 1),
        }),
    }),
  )
  plant(
    'lost update',
    'update reads, waits and saves everything',
    'update: a hundred of different names at once are all there',
    (real) => ({
      update: async (realmId, id, patch) => {
        const before = await real.get(realmId, id)
        if (before === undefined) return undefined
        await pause()
        const { data, expiresAt } = before
        const saved = await real.save(realmId, id, { data: { ...data, ...patch.set }, expiresAt })
        return saved.outcome === 'stored' ? saved.version : undefined
      },
    }),
  )
  plant(
    'lost update',
    'ifVersion is looked at before the save',
    'ifVersion: of 100 writers one wins each version',
    (real) => ({
      save: async (realmId, id, { ifVersion, ...session }) => {
        const before = await real.get(realmId, id)
        if (ifVersion !== undefined && before?.version !== ifVersion) return { outcome: 'conflict' }
        await pause()
        return real.save(realmId, id, session)
      },
    }),
  )
  plant(
    'no fence',
    'removeByUser ends what is there and refuses nothing',
    'removeByUser: a sign-in that began before is refused, however late it comes',
    (real) => ({
      removeByUser: async (realmId, userId, { except } = {}) => {
        let removed = 0
        for (const { id } of (await real.listByUser(realmId, userId, { limit: 100 })).items) {
          if (id !== except && (await real.remove(realmId, id))) removed += 1
        }
        return removed
      },
    }),
  )
  plant(
    'no fence',
    'every sign-in counts as begun when it is saved',
    'removeByUser: a sign-in that began before is refused, however late it comes',
    (real) => ({
      save: (realmId, id, { authenticatedAt: _, ...session }) => real.save(realmId, id, session),
      update: (realmId, id, { authenticatedAt: _, ...patch }) => real.update(realmId, id, patch),
    }),
  )
  plant(
    'half the work',
    'removeByUser ends the session that is excepted',
    'removeByUser: the session that is excepted lives on',
    (real) => ({ removeByUser: (realmId, userId) => real.removeByUser(realmId, userId) }),
  )
  plant(
    'half the work',
    'update does not give the session to a user',
    'userId: a session stands under the user whose it is now',
    (real) => ({
      update: (realmId, id, { userId: _, authenticatedAt: __, ...patch }) => real.update(realmId, id, patch),
    }),
  )
  plant(
    'off-by-one expiry',
    'a session can be read at expiresAt',
    'get: alive to the last millisecond, gone at the next',
    (real) => ({
      get: (...args) => later(-1, () => real.get(...args)),
    }),
  )
  plant('reading extends', 'get begins the life again', 'get: looking does not extend a life', (real) => ({
    get: async (realmId, id) => {
      await real.update(realmId, id, { lifespanMs: 1_800_000 })
      return real.get(realmId, id)
    },
  }))
  plant(
    'cut in silence',
    'a life that is too long is cut',
    'limits: a longer life is refused, never cut',
    (real) => ({
      save: (realmId, id, session) =>
        real.save(
          realmId,
          id,
          session.lifespanMs === undefined
            ? session
            : { ...session, lifespanMs: Math.min(session.lifespanMs, real.limits.maxLifespanMs) },
        ),
    }),
  )
  plant(
    'index leak',
    'a cursor is an offset',
    'list: 1 000 over pages while others come and go, none is missed and none comes twice',
    (real) => ({
      list: async (realmId, { limit = 20, cursor = '0' } = {}) => {
        const all = []
        for (let at: string | undefined = '', more = true; more; more = at !== undefined) {
          const page = await real.list(realmId, { limit: 100, ...(at && { cursor: at }) })
          all.push(...page.items)
          at = page.cursor
        }
        const end = Number(cursor) + limit
        const items = all.slice(Number(cursor), end)
        return end < all.length ? { items, cursor: String(end) } : { items }
      },
    }),
  )
  plant(
    'told twice',
    'remove tells although nothing was alive',
    'on: each change is told once, with its reason',
    (real) => ({
      remove: async (realmId, id) => {
        await real.save(realmId, id, { data: {}, lifespanMs: 1, generation: 'other' })
        return real.remove(realmId, id)
      },
    }),
  )
})

export const webSessionScriptBugs = (client: () => RedisClient) =>
  inScripts(
    webSessionSuite,
    { factories: [redisWebSessions()], keySpace: webSessionKeySpace },
    client,
    (edit) => {
      edit(
        'resurrection',
        'remove.lua leaves no mark',
        'save: of what was ended is refused, and stores nothing',
        scripts.remove,
        'mark(marks, s.generation, math.max(s.expires, least))',
        "mark(marks, 'another', least)",
      )
      edit(
        'resurrection',
        'remove.lua refuses for tombstoneMs only',
        'save: what was ended stays refused for its remaining life, and for tombstoneMs at least',
        scripts.remove,
        'mark(marks, s.generation, math.max(s.expires, least))',
        'mark(marks, s.generation, least)',
      )
      edit(
        'resurrection',
        'save.lua forgets the marks of other generations',
        'generation: another one is stored over the mark of one that was ended, which stays refused',
        scripts.save,
        'write(KEYS[1], s, marks,',
        'write(KEYS[1], s, {},',
      )
      edit(
        'no fence',
        'end-all.lua sets no fence',
        'removeByUser: a sign-in that began before is refused, however late it comes',
        scripts.endAll,
        "raise(KEYS[3], ARGV[4], string.format('%.0f', tonumber(ARGV[2]) + tonumber(ARGV[3])))",
        '',
      )
      edit(
        'no fence',
        'update.lua lets every sign-in in',
        'removeByUser: a sign-in that began before is refused, however late it comes',
        scripts.update,
        "if user ~= '' and fenced(head, realm, user, asked.beginning) then",
        'if false then',
      )
      edit(
        'lost update',
        'update.lua changes whichever generation is there',
        'generation: an update changes the one that it names, and no other',
        scripts.update,
        '(wanted and wanted ~= s.generation)',
        'false',
      )
      edit(
        'index loses',
        'save.lua puts the session under no other user',
        'userId: a session stands under the user whose it is now',
        scripts.save,
        'list(head, realm, s, ARGV[5], now, grace)',
        'if not same then list(head, realm, s, ARGV[5], now, grace) end',
      )
      edit(
        'index loses',
        'touch.lua leaves the end of before in the indexes',
        'update: moves the end both ways, and every listing with it',
        scripts.touch,
        'not s.is_old and stands_for(s.score, expires))',
        'not s.is_old)',
      )
      edit(
        'index loses',
        'save.lua leaves the end of before in the indexes, in the usual save',
        'update: an end that moves by less than a minute is exact in every listing',
        scripts.save,
        'local is_near = stands_for(score, expires)',
        'local is_near = true',
      )
      edit(
        'lost update',
        'update.lua keeps only what the patch sets',
        'update: a hundred of different names at once are all there',
        scripts.update,
        'if not goes[name] then',
        'if false then',
      )
      edit(
        'off-by-one expiry',
        'touch.lua lives on at expiresAt',
        'update: never creates',
        scripts.touch,
        'if not s or s.expires <= now or',
        'if not s or s.expires < now or',
      )
      edit(
        'limit in two steps',
        'update.lua lets data grow',
        'update: data that grow too large are refused, and nothing changes',
        scripts.update,
        'if #s.data > asked.most then',
        'if false then',
      )
      edit(
        'index loses',
        'page.lua goes on behind all that ends at the same instant',
        'list: of many that end at the same instant none is missed and none comes twice',
        scripts.page,
        'first = rank_behind(index, score, place)',
        "first = redis.call('ZCOUNT', index, '-inf', score)",
      )
    },
  )
