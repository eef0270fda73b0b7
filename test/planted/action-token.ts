import type { RedisClient } from '@authstate/redis'
import { CEILING_MS } from '../../packages/action-token/src/conformance/fixture.js'
import { actionTokenKeySpace, actionTokenSuite } from '../../packages/action-token/src/conformance.js'
import type { Lifetime, NewToken, TokenData } from '../../packages/action-token/src/index.js'
import { memoryActionTokens } from '../../packages/action-token/src/index.js'
import { redisActionTokens } from '../../packages/action-token/src/redis.js'
import * as scripts from '../../packages/action-token/src/scripts.js'
import { inMemory, inScripts, later, pause } from './plant.js'

const DAY_MS = 86_400_000

/** What a store does that cuts in silence. */
const cut = <T extends Lifetime>(life: T): T =>
  life.lifespanMs === undefined ? life : { ...life, lifespanMs: Math.min(life.lifespanMs, CEILING_MS) }

export const actionTokenBugs = inMemory(actionTokenSuite, memoryActionTokens, (plant) => {
  plant(
    'off-by-one expiry',
    'get answers a millisecond too long',
    'get: there one millisecond before expiresAt, gone at it',
    (real) => ({ get: (...args) => later(-1, () => real.get(...args)) }),
  )
  plant(
    'off-by-one expiry',
    'consume redeems at expiresAt',
    'consume: consumed one millisecond before expiresAt, unknown at it',
    (real) => ({ consume: (...args) => later(-1, () => real.consume(...args)) }),
  )
  plant(
    'off-by-one expiry',
    'consume refuses the last millisecond',
    'consume: consumed one millisecond before expiresAt, unknown at it',
    (real) => ({ consume: (...args) => later(1, () => real.consume(...args)) }),
  )
  plant(
    'off-by-one expiry',
    'a revoked token is free a millisecond early',
    'revoke: until its lifespan ends, in its realm only',
    (real) => ({ isRevoked: (...args) => later(1, () => real.isRevoked(...args)) }),
  )
  plant(
    'off-by-one expiry',
    'a signed token ends at a whole second',
    'consumeActionToken: expired at expiresAt, to the millisecond',
    (real, { context }) => ({
      verifyActionToken: (...args) =>
        later(1000 - (context.clock.now() % 1000), () => real.verifyActionToken(...args)),
    }),
  )
  plant(
    'second redeem',
    'consume reads, waits and then marks',
    'consume: exactly one of N callers on two nodes redeems',
    (real) => {
      const spent = new Set<string>()
      return {
        consume: async (realmId, kind, key) => {
          const token = await real.get(realmId, kind, key)
          const name = JSON.stringify([realmId, kind, key])
          if (token === undefined) return { outcome: 'unknown' }
          if (spent.has(name)) return { outcome: 'used', data: token.data, consumedAt: 0 }
          await pause()
          spent.add(name)
          return { outcome: 'consumed', data: token.data }
        },
      }
    },
  )
  plant(
    'second redeem',
    'whoever names any attempt redeems again',
    'consume: the same attempt may be repeated after a lost reply',
    (real) => ({
      consume: async (realmId, kind, key, options = {}) => {
        const outcome = await real.consume(realmId, kind, key, options)
        return outcome.outcome === 'used' && options.attempt !== undefined
          ? { outcome: 'consumed', data: outcome.data }
          : outcome
      },
    }),
  )
  plant(
    'second redeem',
    'two calls without an attempt count as one',
    'consume: no attempt is no attempt in common',
    (real) => ({
      consume: (realmId, kind, key, options = {}) =>
        real.consume(realmId, kind, key, { ...options, attempt: options.attempt ?? 'none' }),
    }),
  )
  plant(
    'second redeem',
    'a repeated attempt gets the successor it brings',
    'consume: within graceMs the same attempt gets the same successor, and nobody else does',
    (real) => ({
      consume: async (realmId, kind, key, options = {}) => {
        const outcome = await real.consume(realmId, kind, key, options)
        return outcome.outcome === 'consumed' && options.successor !== undefined
          ? { ...outcome, successor: options.successor }
          : outcome
      },
    }),
  )
  plant(
    'unbounded life',
    'an attempt is honoured for ever',
    'consume: within graceMs the same attempt gets the same successor, and nobody else does',
    (real) => ({
      consume: (realmId, kind, key, { graceMs: _, ...options } = {}) =>
        real.consume(realmId, kind, key, options),
    }),
  )
  plant(
    'lost answer',
    'a repeated attempt is called used',
    'consume: the same attempt may be repeated after a lost reply',
    (real) => ({ consume: (realmId, kind, key) => real.consume(realmId, kind, key) }),
  )
  plant(
    'forgotten replay',
    'consume removes the token',
    'consume: once, then used, with the data each time',
    (real) => ({
      consume: async (realmId, kind, key, options) => {
        const outcome = await real.consume(realmId, kind, key, options)
        await real.remove(realmId, kind, key)
        return outcome
      },
    }),
  )
  plant('reading writes', 'get consumes', 'consume: looking never consumes', (real) => ({
    get: async (realmId, kind, key, options) => {
      const found = await real.get(realmId, kind, key, options)
      await real.consume(realmId, kind, key)
      return found
    },
  }))
  plant(
    'reading extends',
    'get begins the life again',
    'get: there one millisecond before expiresAt, gone at it',
    (real) => {
      const lifespans = new Map<string, NewToken>()
      return {
        put: (realmId, kind, key, token) => {
          // A copy: the kit changes what a provider was given.
          lifespans.set(key, { ...token })
          return real.put(realmId, kind, key, token)
        },
        get: async (realmId, kind, key, options) => {
          const found = await real.get(realmId, kind, key, options)
          const token = lifespans.get(key)
          if (found !== undefined && token !== undefined) await real.put(realmId, kind, key, { ...token })
          return found
        },
      }
    },
  )
  plant(
    'resurrection',
    'a late put makes a spent key new',
    'consume: a late put does not un-use a key',
    (real) => ({
      put: async (realmId, kind, key, token) => {
        await real.remove(realmId, kind, key)
        return real.put(realmId, kind, key, token)
      },
    }),
  )
  plant(
    'update creates',
    'replace stores what is not there',
    'replace: changes data, keeps the remaining life, never creates',
    (real) => ({
      replace: async (realmId, kind, key, data) =>
        (await real.put(realmId, kind, key, { lifespanMs: 60_000, data })) === 'stored',
    }),
  )
  plant(
    'write extends',
    'replace begins the life again',
    'replace: changes data, keeps the remaining life, never creates',
    (real) => ({
      replace: async (realmId, kind, key, data: TokenData) =>
        (await real.has(realmId, kind, key)) &&
        (await real.put(realmId, kind, key, { lifespanMs: 60_000, data })) === 'stored',
    }),
  )
  plant(
    'lost race',
    'putIfAbsent looks first and stores later',
    'putIfAbsent: exactly one of N callers stores',
    (real) => ({
      putIfAbsent: async (realmId, kind, key, token) => {
        if (await real.has(realmId, kind, key)) return false
        await pause()
        return (await real.put(realmId, kind, key, token)) === 'stored'
      },
    }),
  )
  plant(
    'lost race',
    'remove tells everybody that it was them',
    'remove: exactly one of N callers gets true',
    (real) => ({
      remove: async (realmId, kind, key) => {
        const was = await real.has(realmId, kind, key)
        await pause()
        await real.remove(realmId, kind, key)
        return was
      },
    }),
  )
  plant(
    'lost race',
    'what joins a family while it is revoked stays',
    'revokeFamily: whatever joins meanwhile is withdrawn or refused',
    (real) => ({
      put: async (realmId, kind, key, token) => {
        const outcome = await real.put(realmId, kind, key, token)
        return outcome === 'stored' ? outcome : real.put(realmId, kind, key, { ...token, family: undefined })
      },
    }),
  )
  plant(
    'wrong realm',
    'realms share their tokens',
    'consume: unknown for what was never stored, removed, or of another realm or kind',
    (real) => ({
      put: (_, ...rest) => real.put('all', ...rest),
      consume: (_, ...rest) => real.consume('all', ...rest),
    }),
  )
  plant(
    'wrong realm',
    'removeByRealm takes every realm that begins alike',
    'removeByRealm: everything of one realm, and nothing of its neighbours',
    (real) => {
      const realms = new Set<string>()
      return {
        put: (realmId, ...rest) => {
          realms.add(realmId)
          return real.put(realmId, ...rest)
        },
        removeByRealm: async (realmId) => {
          const removed = await real.removeByRealm(realmId)
          for (const other of realms) if (other.startsWith(realmId)) await real.removeByRealm(other)
          return removed
        },
      }
    },
  )
  plant(
    'wrong realm',
    'a token id is revoked in every realm',
    'revoke: until its lifespan ends, in its realm only',
    (real) => ({
      revoke: (_, ...rest) => real.revoke('all', ...rest),
      isRevoked: (_, ...rest) => real.isRevoked('all', ...rest),
    }),
  )
  plant(
    'wrong realm',
    'a signed token is good in whatever realm it was signed for',
    'verifyActionToken: foreign, forged and malformed are invalid, never an exception',
    (real) => ({
      consumeActionToken: async (realmId, token, actionId, options) => {
        const outcome = await real.consumeActionToken(realmId, token, actionId, options)
        return outcome.outcome === 'invalid'
          ? real.consumeActionToken('realm', token, actionId, options)
          : outcome
      },
    }),
  )
  plant(
    'names collide',
    'kinds share their keys',
    'consume: unknown for what was never stored, removed, or of another realm or kind',
    (real) => ({
      put: (realmId, _, key, token) => real.put(realmId, 'all', key, token),
      consume: (realmId, _, key, options) => real.consume(realmId, 'all', key, options),
    }),
  )
  plant(
    'names collide',
    'names are joined by a colon',
    'names: no separator, brace or odd name makes two keys one',
    (real) => {
      const joined = (...names: string[]) => ['r', 'k', names.join(':').slice(-500)] as const
      return {
        putIfAbsent: (realmId, kind, key, token) => real.putIfAbsent(...joined(realmId, kind, key), token),
        get: (realmId, kind, key, options) => real.get(...joined(realmId, kind, key), options),
      }
    },
  )
  plant(
    'names collide',
    'families are told apart without their realm',
    'names: no separator makes two families or two subjects one',
    (real) => ({
      put: (realmId, kind, key, token) =>
        real.put('r', `${realmId}${kind}`, key, {
          ...token,
          family: token.family && `${realmId}:${token.family}`,
        }),
      revokeFamily: (realmId, family) => real.revokeFamily('r', `${realmId}:${family}`),
    }),
  )
  plant(
    'names collide',
    'names are cut at a NUL',
    'names: no separator, brace or odd name makes two keys one',
    (real) => {
      const cut = (name: string) => `${name.split('\0')[0]}`
      return {
        putIfAbsent: (realmId, kind, key, token) => real.putIfAbsent(realmId, cut(kind), cut(key), token),
      }
    },
  )
  plant(
    'unbounded life',
    'no lifespan is too long',
    'put: a lifespan above the ceiling is refused, and nothing is written',
    (real) => ({ limits: { ...real.limits, maxLifespanMs: CEILING_MS } }),
    { config: (config) => ({ ...config, maxLifespanMs: 400 * DAY_MS }) },
  )
  plant(
    'shortened life',
    'a lifespan above the ceiling is cut in silence',
    'put: a lifespan above the ceiling is refused, and nothing is written',
    (real) => ({ put: (realmId, kind, key, token) => real.put(realmId, kind, key, cut(token)) }),
  )
  plant(
    'shortened life',
    'the ceiling cuts what is revoked',
    'revoke: for as long as is asked, beyond the ceiling',
    (real) => ({
      revoke: (realmId, tokenId, until) =>
        real.revoke(realmId, tokenId, cut(typeof until === 'number' ? { lifespanMs: until } : until)),
    }),
  )
  plant(
    'shortened life',
    'the ceiling cuts the refusal of a family',
    'revokeFamily: refuses for as long as is asked, beyond the ceiling, under every key',
    (real) => ({
      revokeFamily: (realmId, family, refusal) =>
        real.revokeFamily(realmId, family, refusal && cut(refusal as Lifetime)),
    }),
  )
  plant(
    'second redeem',
    'take looks, waits and then removes',
    'take: exactly one of N callers gets it, and none of those who consume then',
    (real) => ({
      take: async (...name) => {
        const token = await real.get(...name)
        await pause()
        await real.remove(...name)
        return token
      },
    }),
  )
  plant(
    'second redeem',
    'take gives what was consumed',
    'take: what was consumed stays used, and is nobody else’s',
    (real) => ({
      take: async (...name) => (await real.take(...name)) ?? real.get(...name),
    }),
  )
  plant(
    'lost update',
    'countUse reads, waits and then counts',
    'countUse: of N at once each gets another count',
    (real) => {
      let counted = 0
      return {
        countUse: async (...args) => {
          const { resetsAt } = await real.countUse(...args)
          const count = counted + 1
          await pause()
          counted = count
          return { count, resetsAt }
        },
      }
    },
  )
  plant(
    'off-by-one expiry',
    'a window lasts a millisecond longer',
    'countUse: the window begins with the first try, and no other moves its end',
    (real) => ({ countUse: (...args) => later(-1, () => real.countUse(...args)) }),
  )
  plant(
    'index leak',
    'a listing shows what was consumed',
    'listBySubject: what can still be consumed, as get gives it, and what was consumed when asked for',
    (real) => ({
      listBySubject: (realmId, subject, options) =>
        real.listBySubject(realmId, subject, { ...options, consumed: true }),
    }),
  )
  plant(
    'index loses',
    'a listing leaves out a kind behind the page',
    'listBySubject: over pages none is missed and none comes twice, whatever is left out',
    (real) => ({
      listBySubject: async (realmId, subject, { kind, ...options } = {}) => {
        const page = await real.listBySubject(realmId, subject, options)
        return { ...page, items: page.items.filter((token) => kind === undefined || token.kind === kind) }
      },
    }),
  )
  plant(
    'half the work',
    'revokeFamily keeps what was consumed',
    'revokeFamily: without a refusal what joins later is stored, and with consumed tokens their keys are free',
    (real) => ({
      revokeFamily: (realmId, family, { consumed: _, ...revocation } = {}) =>
        real.revokeFamily(realmId, family, revocation),
    }),
  )
  plant(
    'told twice',
    'an attempt that is repeated is told again',
    'on: each redemption, replay and revocation is told once',
    (real) => {
      const listeners: ((event: never) => void)[] = []
      return {
        on: (event, listener) => {
          listeners.push(listener as never)
          return real.on(event, listener)
        },
        consume: async (realmId, kind, key, options) => {
          const outcome = await real.consume(realmId, kind, key, options)
          if (outcome.outcome === 'consumed' && options?.attempt)
            for (const listener of listeners) listener({ type: 'consumed', realmId, kind } as never)
          return outcome
        },
      }
    },
  )
  plant(
    'shortened life',
    'a family is refused for less than what it consumed lives',
    'revokeFamily: never refuses for less than a consumed member lives',
    (real, { context }) => {
      const ends = new Map<string, number>()
      return {
        revokeFamily: (realmId, family, refusal) => {
          if (refusal?.lifespanMs !== undefined) ends.set(family, context.clock.now() + refusal.lifespanMs)
          return real.revokeFamily(realmId, family, refusal)
        },
        put: (realmId, kind, key, token) => {
          const end = ends.get(token.family ?? '')
          const free = end !== undefined && end <= context.clock.now()
          return real.put(realmId, kind, key, free ? { ...token, family: undefined } : token)
        },
      }
    },
  )
  plant(
    'wrong emptiness',
    'an instant that has passed is stored for a moment',
    'put: at an instant that has passed nothing is stored',
    (real, { context }) => ({
      put: (realmId, kind, key, token) =>
        real.put(
          realmId,
          kind,
          key,
          token.expiresAt === context.clock.now() ? { ...token, expiresAt: token.expiresAt + 1 } : token,
        ),
    }),
  )
  plant(
    'wrong clock',
    'an instant is turned into a span by the clock of another node',
    'revoke: an instant is the same on nodes whose clocks are apart',
    (real, { context }) => ({
      revoke: (realmId, tokenId, until) => {
        const end = typeof until === 'number' ? undefined : until.expiresAt
        const aheadMs = 5_000
        return real.revoke(realmId, tokenId, end === undefined ? until : end - context.clock.now() - aheadMs)
      },
    }),
  )
  plant(
    'shortened life',
    'revoking again takes the later end',
    'revoke: again is no error and never shortens',
    (real, { context }) => {
      const ends = new Map<string, number>()
      return {
        revoke: async (realmId, tokenId, until) => {
          await real.revoke(realmId, tokenId, until)
          ends.set(tokenId, context.clock.now() + Number(until))
        },
        isRevoked: async (realmId, tokenId) =>
          (await real.isRevoked(realmId, tokenId)) && (ends.get(tokenId) ?? 0) > context.clock.now(),
      }
    },
  )
  plant(
    'count counts the dead',
    'revokeFamily counts what has expired',
    'revokeFamily: an expired member does not count; the refusal ends with the ceiling',
    (real) => ({ revokeFamily: (...args) => later(-1, () => real.revokeFamily(...args)) }),
  )
  plant(
    'half the work',
    'revokeFamily lets later members in',
    'revokeFamily: withdraws every kind, and refuses what joins later',
    (real) => ({
      put: async (realmId, kind, key, token) => {
        const outcome = await real.put(realmId, kind, key, token)
        return outcome === 'refused' && token.family !== undefined
          ? real.put(realmId, kind, key, { ...token, family: `${token.family} again` })
          : outcome
      },
    }),
  )
  plant(
    'too much work',
    'revokeFamily forgets what was consumed',
    'revokeFamily: what was consumed stays used',
    (real) => {
      const consumed: [string, string, string][] = []
      return {
        consume: (realmId, kind, key, options) => {
          consumed.push([realmId, kind, key])
          return real.consume(realmId, kind, key, options)
        },
        revokeFamily: async (realmId, family) => {
          const withdrawn = await real.revokeFamily(realmId, family)
          for (const name of consumed) await real.remove(...name)
          return withdrawn
        },
      }
    },
  )
  plant(
    'too much work',
    'removeBySubject takes the whole realm',
    'removeBySubject: what is about one user, and nothing else',
    (real) => ({ removeBySubject: (realmId) => real.removeByRealm(realmId) }),
  )
  plant(
    'swallowed error',
    'put calls everything stored',
    'arguments: wrong ones are refused by name, and nothing is written',
    (real) => ({ put: (...args) => real.put(...args).catch(() => 'stored' as const) }),
  )
  plant(
    'swallowed error',
    'after close there is simply nothing',
    'close: later calls fail with ERR_PROVIDER_CLOSED, and closing again does nothing',
    (real) => ({ get: (...args) => real.get(...args).catch(() => undefined) }),
  )
  plant(
    'wrong error',
    'a malformed signed token is an exception',
    'verifyActionToken: foreign, forged and malformed are invalid, never an exception',
    (real) => ({
      verifyActionToken: async (realmId, token, actionId) => {
        if (token.split('.').length !== 3) throw new TypeError('"token" is malformed')
        return real.verifyActionToken(realmId, token, actionId)
      },
    }),
    { throws: /"token" is malformed/ },
  )
  plant(
    'wrong error',
    'a bad key is refused as a bad kind',
    'arguments: wrong ones are refused by name, and nothing is written',
    (real) => ({
      put: (realmId, kind, key, token) =>
        real.put(realmId, kind, key, token).catch((error: Error) => {
          throw error.message.includes('"key"') ? new TypeError('"kind" must be a string') : error
        }),
    }),
  )
  plant(
    'shared objects',
    'the caller can change what is stored',
    'put: data keeps every JSON value, and a copy of it',
    (real) => {
      const given = new Map<string, TokenData>()
      return {
        put: (realmId, kind, key, token) => {
          given.set(key, token.data ?? {})
          return real.put(realmId, kind, key, token)
        },
        get: async (realmId, kind, key, options) => {
          const found = await real.get(realmId, kind, key, options)
          return found && { ...found, data: given.get(key) ?? {} }
        },
      }
    },
  )
  plant(
    'wrong emptiness',
    'a token without data is nothing',
    'put: a token without data has an empty object, not nothing',
    (real) => ({
      get: async (...args) => {
        const found = await real.get(...args)
        return found !== undefined && Object.keys(found.data).length > 0 ? found : undefined
      },
    }),
  )
  plant(
    'wrong emptiness',
    'expired is called unknown',
    'consume: expired, not unknown, within readGraceMs',
    (real) => ({
      consume: async (...args) => {
        const outcome = await real.consume(...args)
        return outcome.outcome === 'expired' ? { outcome: 'unknown' } : outcome
      },
    }),
  )
  plant(
    'no answer',
    'consume never answers when it was used',
    'consume: once, then used, with the data each time',
    (real) => ({
      consume: async (...args) => {
        const outcome = await real.consume(...args)
        return outcome.outcome === 'used' ? new Promise(() => {}) : outcome
      },
    }),
    { hangs: true },
  )
})

/** In the scripts. @param client Asked when a bug is tried. */
export const actionTokenScriptBugs = (client: () => RedisClient) =>
  inScripts(
    actionTokenSuite,
    { factories: [redisActionTokens()], keySpace: actionTokenKeySpace },
    client,
    (edit) => {
      edit(
        'second redeem',
        'consume.lua does not note that it consumed',
        'consume: once, then used, with the data each time',
        scripts.consume,
        "redis.pcall('SET', KEYS[1], spent, 'KEEPTTL').err",
        'false',
      )
      edit(
        'off-by-one expiry',
        'consume.lua redeems at expiresAt',
        'consume: consumed one millisecond before expiresAt, unknown at it',
        scripts.consume,
        'if expires_at <= now then',
        'if expires_at < now then',
      )
      edit(
        'index leak',
        'put.lua forgets the index of the realm',
        'removeByRealm: everything of one realm, and nothing of its neighbours',
        scripts.put,
        'index(KEYS[2])',
        '',
      )
      edit(
        'index leak',
        'remove.lua leaves the entry of the realm',
        'consume: unknown for what was never stored, removed, or of another realm or kind',
        scripts.remove,
        "redis.call('ZREM', KEYS[2], ARGV[2])",
        '',
      )
      edit(
        'index leak',
        'put.lua leaves a token in the family it was in before',
        'revokeFamily: a token that moved to another family is not withdrawn',
        scripts.put,
        "if expires_at and old_family ~= '' and old_family ~= family then",
        'if false then',
      )
      edit(
        'index loses',
        'put.lua prunes the living',
        'removeByRealm: everything of one realm, and nothing of its neighbours',
        scripts.put,
        "'-inf', now, 'LIMIT'",
        "'-inf', '+inf', 'LIMIT'",
      )
      edit(
        'unbounded life',
        'put.lua sets no TTL on the token',
        'put: replaces what was not consumed, with a new life',
        scripts.put,
        "redis.call('SET', KEYS[1], ARGV[5], 'PX', ARGV[3])",
        "redis.call('SET', KEYS[1], ARGV[5])",
      )
      edit(
        'unbounded life',
        'consume.lua takes the TTL away',
        'consume: once, then used, with the data each time',
        scripts.consume,
        ", 'KEEPTTL').err",
        ').err',
      )
      edit(
        'unbounded life',
        'replace.lua takes the TTL away',
        'replace: changes data, keeps the remaining life, never creates',
        scripts.replace,
        ", 'KEEPTTL')",
        ')',
      )
      edit(
        'index leak',
        'put.lua leaves a token with the subject it had before',
        'removeBySubject: a token that is about somebody else now is not removed',
        scripts.put,
        "if expires_at and old_subject ~= '' and old_subject ~= subject then",
        'if false then',
      )
      edit(
        'unbounded life',
        'put.lua sets no TTL on its indexes',
        'put: replaces what was not consumed, with a new life',
        scripts.put,
        "if redis.call('PTTL', key) < tonumber(ms) then",
        'if false then',
      )
      edit(
        'resurrection',
        'put.lua overwrites a spent key',
        'consume: a late put does not un-use a key',
        scripts.put,
        "if taken and (rest ~= '{' or ARGV[4] == '1') then",
        "if taken and ARGV[4] == '1' then",
      )
      edit(
        'lost race',
        'put.lua stores over what is there',
        'putIfAbsent: exactly one of N callers stores',
        scripts.put,
        "if taken and (rest ~= '{' or ARGV[4] == '1') then",
        "if taken and rest ~= '{' then",
      )
      edit(
        'half the work',
        'put.lua lets in what joins a revoked family',
        'revokeFamily: withdraws every kind, and refuses what joins later',
        scripts.put,
        "tonumber(redis.call('ZSCORE', refused, family) or '0') > now",
        'false',
      )
      edit(
        'half the work',
        'withdraw.lua leaves the refused families of a realm',
        'removeByRealm: everything of one realm, and nothing of its neighbours',
        scripts.withdraw,
        "redis.call('DEL', KEYS[2])",
        '',
      )
      edit(
        'shortened life',
        'withdraw.lua takes the later call for the later end',
        'revokeFamily: refuses for as long as is asked, beyond the ceiling, under every key',
        scripts.withdraw,
        "tonumber(redis.call('ZSCORE', KEYS[2], ARGV[6]) or '0') < tonumber(ARGV[2])",
        'true',
      )
      edit(
        'shortened life',
        'withdraw.lua does not say what lives on',
        'revokeFamily: never refuses for less than a consumed member lives',
        scripts.withdraw,
        "redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2] or '0'",
        "'0'",
      )
      edit(
        'index leak',
        'put.lua lists only what has a family or a subject',
        'removeByRealm: a token without family and subject, consumed or not',
        scripts.put,
        'index(KEYS[2])',
        "if family ~= '' or subject ~= '' then index(KEYS[2]) end",
      )
      edit(
        'half the work',
        'withdraw.lua stops after a hundred',
        'revokeFamily: also a large one, consumed members among it',
        scripts.withdraw,
        'if #tails < 100 then',
        'if true then',
      )
      edit(
        'too much work',
        'withdraw.lua takes what was consumed',
        'revokeFamily: what was consumed stays used',
        scripts.withdraw,
        "if ARGV[4] == 'all' or not stays then",
        'if true then',
      )
      edit(
        'count counts the dead',
        'withdraw.lua counts what has expired',
        'revokeFamily: an expired member does not count; the refusal ends with the ceiling',
        scripts.withdraw,
        "if rest == '{' and tonumber(expires_at) > tonumber(ARGV[1]) then",
        "if rest == '{' then",
      )
      edit(
        'update creates',
        'replace.lua writes what is not there',
        'replace: changes data, keeps the remaining life, never creates',
        scripts.replace,
        "redis.call('GET', KEYS[1]) or ''",
        "redis.call('GET', KEYS[1]) or '1:9999999999999:::{}'",
      )
      edit(
        'resurrection',
        'replace.lua changes what was consumed',
        'consume: a late put does not un-use a key',
        scripts.replace,
        "'^1:(%d+):[^:]*:[^:]*:(){'",
        "'^1:(%d+):[^:]*:[^:]*:()'",
      )
      edit(
        'second redeem',
        'take.lua leaves the token',
        'take: gives the token once, and the key is free',
        scripts.take,
        "redis.call('DEL', KEYS[1])",
        '',
      )
      edit(
        'second redeem',
        'take.lua takes what was consumed',
        'take: what was consumed stays used, and is nobody else’s',
        scripts.take,
        "rest ~= '{' or",
        '',
      )
      edit(
        'index leak',
        'take.lua leaves the entry of the realm',
        'take: gives the token once, and the key is free',
        scripts.take,
        "redis.call('ZREM', KEYS[2], ARGV[2])",
        '',
      )
      edit(
        'shortened life',
        'count-use.lua begins the window with each try',
        'countUse: the window begins with the first try, and no other moves its end',
        scripts.countUse,
        'if not count or tonumber(resets_at) <= now then',
        "if not count or tonumber(resets_at) <= now or redis.call('EXISTS', KEYS[2]) == 1 then",
      )
      edit(
        'half the work',
        'count-use.lua lists no count in its realm',
        'countUse: a realm that was removed begins again',
        scripts.countUse,
        'enter(KEYS[2], resets_at, ARGV[4], ms, now)',
        '',
      )
      edit(
        'index loses',
        'page.lua cuts what ends at one instant',
        'listBySubject: over pages none is missed and none comes twice, whatever is left out',
        scripts.page,
        "last = redis.call('ZCOUNT', KEYS[1], '-inf', end_of_page) - 1",
        '',
      )
      edit(
        'too much work',
        'withdraw.lua keeps what was consumed',
        'revokeFamily: without a refusal what joins later is stored, and with consumed tokens their keys are free',
        scripts.withdraw,
        "rest ~= '{' and ARGV[4] == ''",
        "rest ~= '{'",
      )
      edit(
        'shortened life',
        'revoke.lua takes the later call for the later end',
        'revoke: again is no error and never shortens',
        scripts.revoke,
        "if tonumber(redis.call('HGET', KEYS[1], 'x') or '0') < tonumber(ARGV[2]) then",
        'if true then',
      )
    },
  )
