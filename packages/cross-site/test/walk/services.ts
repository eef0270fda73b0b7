import { type ActionTokenProvider, actionTokenSpi } from '@authstate/action-token'
import { redisActionTokens } from '@authstate/action-token/redis'
import { actionTokenJoiner } from '@authstate/action-token/sites'
import { type LoginFailureProvider, loginFailureSpi } from '@authstate/login-failure'
import { redisLoginFailures } from '@authstate/login-failure/redis'
import { loginFailureJoiner } from '@authstate/login-failure/sites'
import type { RedisConnection, SiteJoiner } from '@authstate/redis'
import { userSessionSpi } from '@authstate/user-session'
import { redisUserSessions } from '@authstate/user-session/redis'
import { userSessionJoiner } from '@authstate/user-session/sites'
import { webSessionSpi } from '@authstate/web-session'
import { redisWebSessions } from '@authstate/web-session/redis'
import { webSessionJoiner } from '@authstate/web-session/sites'
import fc from 'fast-check'
import { expect } from 'vitest'
import type { Plant, SiteNode } from '../../../../tools/testing/site-walk.js'
import { plants as tokenPlants } from '../../../action-token/test/sites/plants.js'
import { conflictsAt, everythingAt as everyTokenAt } from '../../../action-token/test/sites/site.js'
import * as tokens from '../../../action-token/test/sites/walk.js'
import { plants as failurePlants } from '../../../login-failure/test/sites/plants.js'
import * as failures from '../../../login-failure/test/sites/walk.js'
import { plants as userPlants } from '../../../user-session/test/sites/plants.js'
import { everythingAt } from '../../../user-session/test/sites/site.js'
import * as users from '../../../user-session/test/sites/walk.js'
import { plants as webPlants } from '../../../web-session/test/sites/plants.js'
import * as web from '../../../web-session/test/sites/walk.js'

/** Whose records end at last. */
const REALM = 'r'
const USER = 'alice'

/** A node of a site, with every service. */
export interface Services {
  readonly users: Parameters<typeof users.begin>[0]['provider']
  readonly failures: LoginFailureProvider
  readonly web: Parameters<typeof web.begin>[0]['provider']
  readonly tokens: ActionTokenProvider
  readonly connection: RedisConnection
}

export const factories = [redisUserSessions(), redisLoginFailures(), redisWebSessions(), redisActionTokens()]
export const spis = {
  users: userSessionSpi,
  failures: loginFailureSpi,
  web: webSessionSpi,
  tokens: actionTokenSpi,
}

/** Something that is done at a site. */
export interface Act {
  readonly service: string
  readonly name: string
  readonly done: unknown
}

/** A service during a walk. */
export interface Walking {
  /** Before sites lose each other. */
  begin(): Promise<void>
  act(act: Act, site: number): Promise<unknown>
  /** Throws where sites do not hold the same, or hold what they must not. */
  expectSame(): Promise<void>
  /** What is ended for all is ended everywhere, also what another site has just begun. */
  expectEnded(heal: () => Promise<void>): Promise<void>
}

/** A service that takes part in the walk. */
export interface WalkedService {
  readonly joiner: SiteJoiner
  readonly acts: fc.Arbitrary<Act>
  readonly plants: Readonly<Record<string, Plant>>
  walking(sites: readonly SiteNode<Services>[], names: readonly string[]): Walking
}

type Ops<Op> = readonly [weight: number, fc.Arbitrary<readonly [string, Op]>][]

const actsOf = <Op>(service: string, ops: Ops<Op>): fc.Arbitrary<Act> =>
  fc
    .oneof(...ops.map(([weight, arbitrary]) => ({ weight, arbitrary })))
    .map(([name, done]) => ({ service, name, done }))

/** A site as the walk of one service knows it. */
const viewed = <P>(joiner: SiteJoiner, site: SiteNode<Services>, provider: P) => ({
  provider,
  clock: site.clock,
  tellAll: async () => (await site.tellAll()).filter(({ name }) => joiner.owns(name)),
  sums: async () => {
    const { connection } = site.provider
    const pages = connection.keys.all.map((partition) =>
      joiner.sums?.(connection, partition, undefined, 1_000, site.terms),
    )
    return (await Promise.all(pages)).map((page) => [page?.count, [...(page?.parts ?? [])].sort()])
  },
})

const userService: WalkedService = {
  joiner: userSessionJoiner,
  acts: actsOf('user-session', users.ops),
  plants: userPlants,
  walking(nodes, names) {
    const seen = new users.Seen()
    const sites = nodes.map((node) => {
      const site = viewed(userSessionJoiner, node, node.provider.users)
      return {
        ...site,
        everything: (ids: readonly string[], userIds: readonly string[]) => everythingAt(site, ids, userIds),
      }
    })
    type Op = (typeof users.ops)[number][1] extends fc.Arbitrary<readonly [string, infer O]> ? O : never
    return {
      begin: () => users.begin(at(sites, 0), seen),
      act: ({ done }, site) => (done as Op)(at(sites, site), seen, at(names, site)),
      expectSame: () => users.expectSame(sites, seen),
      async expectEnded(heal) {
        // A removal of the last step refuses what begins in its millisecond.
        for (const { clock } of sites) clock.advance(1_000)
        await users.begin(at(sites, 1), seen)
        for (const { clock } of sites) clock.advance(1_000)
        await at(sites, 0).provider.removeByUser(REALM, USER, { offline: 'both' })
        await heal()
        for (const { provider } of sites)
          expect((await provider.listByUser(REALM, USER)).items, 'ended, and stays so').toEqual([])
      },
    }
  },
}

const failureService: WalkedService = {
  joiner: loginFailureJoiner,
  acts: failures.acts.map((done) => ({ service: 'login-failure', name: done.op, done })),
  plants: failurePlants,
  walking(nodes) {
    const seen = new Map<string, failures.Seen>()
    const sites = nodes.map((node) => viewed(loginFailureJoiner, node, node.provider.failures))
    return {
      begin: async () => {},
      act: ({ done }, site) =>
        failures.act(at(sites, site), done as Parameters<typeof failures.act>[1], seen),
      expectSame: () => failures.expectSame(sites, seen),
      async expectEnded(heal) {
        await at(sites, 0).provider.clear(REALM, USER)
        await heal()
        for (const { provider } of sites)
          expect(await provider.get(REALM, USER), 'cleared, and stays so').toBeUndefined()
      },
    }
  },
}

const webService: WalkedService = {
  joiner: webSessionJoiner,
  acts: actsOf('web-session', web.ops),
  plants: webPlants,
  walking(nodes) {
    const seen = new web.Seen()
    const sites = nodes.map((node) => viewed(webSessionJoiner, node, node.provider.web))
    type Op = (typeof web.ops)[number][1] extends fc.Arbitrary<readonly [string, infer O]> ? O : never
    return {
      begin: () => web.begin(at(sites, 0)),
      act: ({ done }, site) => (done as Op)(at(sites, site), seen),
      expectSame: () => web.expectSame(sites, seen),
      async expectEnded(heal) {
        await web.begin(at(sites, 1))
        for (const { clock } of sites) clock.advance(1_000)
        await at(sites, 0).provider.removeByUser(REALM, USER)
        await heal()
        for (const { provider } of sites)
          expect((await provider.listByUser(REALM, USER)).items, 'ended, and stays so').toEqual([])
      },
    }
  },
}

/** Each site redeems what it has not heard to be used: nobody decides for another. */
const tokenService: WalkedService = {
  joiner: actionTokenJoiner,
  acts: actsOf('action-token', tokens.ops),
  plants: tokenPlants,
  walking(nodes) {
    const seen = new tokens.Seen()
    const sites = nodes.map((node) => {
      const site = viewed(actionTokenJoiner, node, node.provider.tokens)
      return {
        ...site,
        everything: (keys: readonly string[], subjects: readonly string[]) =>
          everyTokenAt(site, keys, subjects),
        conflicts: () => conflictsAt(node.provider.connection),
      }
    })
    return {
      begin: () => tokens.begin(at(sites, 0).provider),
      act: ({ done }, site) => (done as tokens.Op)(at(sites, site), seen),
      expectSame: () => tokens.expectSame(sites, seen),
      expectEnded: (heal) => tokens.expectStoredAgain(sites, heal),
    }
  },
}

/** Every service whose records travel. */
export const walked: readonly WalkedService[] = [userService, failureService, webService, tokenService]

function at<T>(all: readonly T[], index: number): T {
  return all[index] as T
}
