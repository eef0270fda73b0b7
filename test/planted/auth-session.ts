import type { RedisClient } from '@authstate/redis'
import { authSessionKeySpace, authSessionSuite } from '../../packages/auth-session/src/conformance.js'
import { memoryAuthSessions } from '../../packages/auth-session/src/index.js'
import { redisAuthSessions } from '../../packages/auth-session/src/redis.js'
import * as scripts from '../../packages/auth-session/src/scripts.js'
import { inMemory, inScripts, later, pause } from './plant.js'

export const authSessionBugs = inMemory(authSessionSuite, memoryAuthSessions, (plant) => {
  plant(
    'off-by-one expiry',
    'a root can be read at expiresAt',
    'getRoot: alive to the last millisecond, gone at the next',
    (real) => ({ getRoot: (...args) => later(-1, () => real.getRoot(...args)) }),
  )
  plant(
    'off-by-one expiry',
    'a tab can be promoted at expiresAt',
    'every verb: what has expired is gone and no update brings it back',
    (real) => ({ promote: (...args) => later(-1, () => real.promote(...args)) }),
  )
  plant(
    'count counts the dead',
    'a root is counted at its end',
    'count: a root to its last millisecond, and not at its end',
    (real) => ({ count: (...args) => later(-1, () => real.count(...args)) }),
  )
  plant(
    'count counts too much',
    'count counts tabs',
    'count: living roots of one realm, whatever tabs they have',
    (real) => {
      let tabs = 0
      return {
        addTab: async (...args) => {
          tabs += 1
          return real.addTab(...args)
        },
        count: async (realmId) => Math.max(tabs, await real.count(realmId)),
      }
    },
  )
  plant(
    'resurrection',
    'touchRoot makes a root that has expired',
    'every verb: what has expired is gone and no update brings it back',
    (real) => ({
      touchRoot: async (realmId, rootId, at) =>
        (await real.touchRoot(realmId, rootId, at)) ?? real.getOrCreateRoot(realmId, rootId),
    }),
  )
  plant(
    'resurrection',
    'a late patch of a tab makes its root again',
    'removeTab: a late write does not bring the root back',
    (real) => ({
      updateTab: async (realmId, rootId, tabId, patch) => {
        await pause()
        await real.getOrCreateRoot(realmId, rootId)
        return real.updateTab(realmId, rootId, tabId, patch)
      },
    }),
  )
  plant(
    'reading extends',
    'getRoot begins the life again',
    'getRoot: looking does not extend a life',
    (real) => ({
      getRoot: async (realmId, rootId) => {
        await real.touchRoot(realmId, rootId)
        return real.getRoot(realmId, rootId)
      },
    }),
  )
  plant(
    'write extends',
    'updateTab begins the life of the root again',
    'updateTab: does not extend the life of the root',
    (real) => ({
      updateTab: async (realmId, rootId, ...rest) => {
        const tab = await real.updateTab(realmId, rootId, ...rest)
        if (tab !== undefined) await real.touchRoot(realmId, rootId)
        return tab
      },
    }),
  )
  plant(
    'lost update',
    'updateTab reads, waits and writes everything',
    'updateTab: patches of one tab lose nothing of each other',
    (real) => ({
      updateTab: async (realmId, rootId, tabId, patch) => {
        const before = (await real.getRoot(realmId, rootId))?.tabs.get(tabId)
        await pause()
        await real.updateTab(realmId, rootId, tabId, { authNotes: null })
        const authNotes = { ...before?.authNotes, ...patch.authNotes }
        return real.updateTab(realmId, rootId, tabId, { ...patch, authNotes })
      },
    }),
  )
  plant(
    'lost update',
    'a map of notes is replaced, not merged',
    'updateTab: notes and statuses merge by name',
    (real) => ({
      updateTab: async (realmId, rootId, tabId, patch) => {
        if (patch.authNotes) await real.updateTab(realmId, rootId, tabId, { authNotes: null })
        return real.updateTab(realmId, rootId, tabId, patch)
      },
    }),
  )
  plant(
    'second redeem',
    'promote looks first and marks later',
    'promote: of simultaneous calls exactly one gets the tab',
    (real) => {
      const promoted = new Set<string>()
      return {
        promote: async (realmId, rootId, tabId) => {
          if (promoted.has(tabId)) return undefined
          const tab = (await real.getRoot(realmId, rootId))?.tabs.get(tabId)
          await pause()
          promoted.add(tabId)
          return tab && { tab, authenticatedAt: tab.createdAt }
        },
      }
    },
  )
  plant(
    'half the work',
    'promote says of every login that it was authenticated just now',
    'promote: hands over when the user was authenticated',
    (real, { context }) => ({
      promote: async (realmId, rootId, tabId) => {
        const promoted = await real.promote(realmId, rootId, tabId)
        return promoted && { ...promoted, authenticatedAt: context.clock.now() }
      },
    }),
  )
  plant(
    'second redeem',
    'restarting a tab lets it be promoted again',
    'promote: nothing done to the tab makes it new',
    (real) => {
      const again = new Set<string>()
      return {
        restartTab: (realmId, rootId, tabId) => {
          again.add(tabId)
          return real.restartTab(realmId, rootId, tabId)
        },
        promote: async (realmId, rootId, tabId) => {
          const outcome = await real.promote(realmId, rootId, tabId)
          const tab = (await real.getRoot(realmId, rootId))?.tabs.get(tabId)
          return outcome ?? (again.has(tabId) && tab ? { tab, authenticatedAt: tab.createdAt } : undefined)
        },
      }
    },
  )
  plant(
    'wrong realm',
    'a root can be read in whatever realm',
    'getRoot: a root of another realm is unknown',
    (real) => {
      const realms = new Map<string, string>()
      return {
        createRoot: async (realmId) => {
          const root = await real.createRoot(realmId)
          realms.set(root.id, realmId)
          return root
        },
        getRoot: (realmId, rootId) => real.getRoot(realms.get(rootId) ?? realmId, rootId),
      }
    },
  )
  plant(
    'wrong client',
    'a tab is given to whatever client asks',
    'getTab: only for its own client',
    (real) => ({
      getTab: async (realmId, rootId, _, tabId) => (await real.getRoot(realmId, rootId))?.tabs.get(tabId),
    }),
  )
  plant(
    'answer grows',
    'addTab answers the root with all its tabs',
    'getOrCreateRoot, touchRoot, addTab: what they answer does not grow with the tabs',
    (real) => ({
      addTab: async (realmId, rootId, tab) => {
        const added = await real.addTab(realmId, rootId, tab)
        const root = await real.getRoot(realmId, rootId)
        return added && root && { ...added, root }
      },
    }),
  )
  plant(
    'limit in two steps',
    'addTab looks whether the root is full before it lets others in',
    'addTab: the limit holds however many come at once',
    () => ({}),
    { config: (config) => ({ ...config, maxTabs: config.maxTabs + 1 }) },
  )
  plant(
    'swallowed error',
    'a wrong patch changes nothing and says nothing',
    'tabs: wrong fields are refused by name, nothing is written',
    (real) => ({ updateTab: (...args) => real.updateTab(...args).catch(() => undefined) }),
  )
  plant(
    'shared objects',
    'what was returned is what is stored',
    'records: what was returned or given is not the stored one',
    (real) => {
      const given = new Map<string, Awaited<ReturnType<typeof real.getRoot>>>()
      return {
        getRoot: async (realmId, rootId) => {
          const root = given.get(rootId) ?? (await real.getRoot(realmId, rootId))
          given.set(rootId, root)
          return root
        },
      }
    },
  )
  plant(
    'half the work',
    'the root stays when its last tab goes',
    'removeTab: the root goes with its last tab',
    (real) => ({
      removeTab: async (realmId, rootId, tabId) => {
        const outcome = await real.removeTab(realmId, rootId, tabId)
        if (outcome.rootRemoved) await real.getOrCreateRoot(realmId, rootId)
        return outcome
      },
    }),
  )
  plant('leaks', 'a message holds the id', 'messages: never an id, a name or a value', (real) => ({
    updateTab: (realmId, rootId, tabId, patch) =>
      real.updateTab(realmId, rootId, tabId, patch).catch((error: Error) => {
        error.message += ` (${realmId} ${rootId} ${tabId} ${JSON.stringify(patch)})`
        throw error
      }),
  }))
})

/** In the scripts. @param client Asked when a bug is tried. */
export const authSessionScriptBugs = (client: () => RedisClient) =>
  inScripts(
    authSessionSuite,
    { factories: [redisAuthSessions()], keySpace: authSessionKeySpace },
    client,
    (edit) => {
      edit(
        'second redeem',
        'promote-tab.lua promotes what is promoted',
        'promote: of simultaneous calls exactly one gets the tab',
        scripts.promoteTab,
        "'^(%d+) (%d+) 0 (.+)$'",
        "'^(%d+) (%d+) %d+ (.+)$'",
      )
      edit(
        'off-by-one expiry',
        'touch-root.lua lives on at expiresAt',
        'every verb: what has expired is gone and no update brings it back',
        scripts.touchRoot,
        '(tonumber(held[2]) or 0) <= now then return false end',
        '(tonumber(held[2]) or 0) < now then return false end',
      )
      edit(
        'index leak',
        'remove-root.lua leaves the entry of the realm',
        'removeRoot: with its tabs, once',
        scripts.removeRoot,
        "redis.call('ZREM', KEYS[2], ARGV[2])",
        '',
      )
      edit(
        'unbounded life',
        'get-or-create-root.lua sets no TTL',
        'createRoot: a root without tabs, under an id of its own',
        scripts.getOrCreateRoot,
        "redis.call('PEXPIRE', KEYS[1], ttl)",
        '',
      )
      edit(
        'index loses',
        'touch-root.lua leaves the end of before in the index',
        'removeByRealm: also roots whose life went on, by whatever verb',
        scripts.touchRoot,
        "enter(KEYS[2], string.format('%.0f', expires), ARGV[4], ttl, now)",
        '',
      )
      edit(
        'lost update',
        'update-tab.lua forgets the names that a patch does not have',
        'updateTab: patches of one tab lose nothing of each other',
        scripts.updateTab,
        "local map = type(data[field]) == 'table' and data[field] or {}",
        'local map = {}',
      )
      edit(
        'limit in two steps',
        'add-tab.lua lets one too many in',
        'addTab: the limit holds however many come at once',
        scripts.addTab,
        '>= tonumber(ARGV[5]) then',
        '> tonumber(ARGV[5]) then',
      )
      edit(
        'half the work',
        'remove-roots.lua keeps what its index named',
        'removeByRealm: every root of the realm and no other',
        scripts.removeRoots,
        "redis.call('UNLINK', KEYS[2] .. found[i]) == 1",
        "redis.call('EXISTS', KEYS[2] .. found[i]) == 1",
      )
    },
  )
