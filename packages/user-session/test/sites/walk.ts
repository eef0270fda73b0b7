import { randomUUID } from 'node:crypto'
import { FakeClock } from '@authstate/conformance'
import fc from 'fast-check'
import type { Redis } from 'ioredis'
import { expect } from 'vitest'
import type { Plant } from '../../../../tools/testing/planted-connection.js'
import { generationOf, Seen, type Token, type TokensOf } from './seen.js'
import { REALM, Site, type Told } from './site.js'

export { Seen } from './seen.js'

const MINUTE_MS = 60_000
const SITES = ['a', 'b', 'c'] as const
const USERS = ['alice', 'alice', 'bob']
const START = 1_700_000_000_000

/** A site as operations know it. */
type Acting = Pick<Site, 'provider' | 'clock'>

type Op = (site: Acting, seen: Seen, name: string) => Promise<unknown>

/** Exchanges a refresh token at a site. */
async function exchange({ provider, clock }: Acting, seen: Seen, site: string, of: TokensOf, token: Token) {
  const next = { jti: randomUUID(), issuedAt: clock.now() }
  const { outcome } = await provider.rotateRefreshToken(REALM, of.id, {
    clientId: of.clientId,
    family: 'f',
    presented: token.jti,
    next: next.jti,
    issuedAt: token.issuedAt,
    maxReuse: 0,
    offline: of.isOffline,
  })
  if (outcome === 'rotated') seen.exchanged({ of, token, site, isTold: undefined }, next)
  return outcome
}

const pick = fc.nat(2)
const client = fc.constantFrom('app', 'app', '__proto__')
const offline = fc.constantFrom(false, false, true)
const idOf = ({ ids }: Seen, number: number): string =>
  ids[ids.length - 1 - (number % Math.max(ids.length, 1))] ?? `${'A'.repeat(21)}000`

/** What is done at a site, and how often. */
export const ops: readonly [weight: number, fc.Arbitrary<readonly [string, Op]>][] = [
  [
    2,
    fc.tuple(fc.constantFrom(...USERS), fc.option(client, { nil: undefined })).map(([userId, clientId]) => [
      'create',
      async ({ provider }, seen) => {
        const user = { userId, loginUsername: userId, ...(clientId && { client: { clientId } }) }
        const made = await provider.create(REALM, user)
        if (made.outcome !== 'created') return
        seen.ids.push(made.session.id)
        seen.refreshed(made.session)
      },
    ]),
  ],
  [
    6,
    fc.tuple(pick, offline, fc.option(client, { nil: undefined })).map(([number, isOffline, clientId]) => [
      'refresh',
      async ({ provider }, seen) => {
        const id = idOf(seen, number)
        seen.refreshed(await provider.refresh(REALM, id, { offline: isOffline, clientId }))
      },
    ]),
  ],
  [
    4,
    fc
      .tuple(pick, fc.constantFrom('x', 'y', 'constructor'), fc.option(fc.nat(9), { nil: null }))
      .map(([number, note, value]) => [
        'note',
        ({ provider }, seen) =>
          provider.update(REALM, idOf(seen, number), {
            notes: { [note]: value === null ? null : `${value}` },
          }),
      ]),
  ],
  [
    4,
    pick.map((number) => [
      'own note',
      async ({ provider }, seen, name) => {
        const id = idOf(seen, number)
        const note = `${name}-${randomUUID()}`
        const session = await provider.update(REALM, id, { notes: { [note]: 'x' } })
        if (session !== undefined) seen.notes.push({ id, note, generation: generationOf(session) })
      },
    ]),
  ],
  [
    2,
    fc
      .tuple(pick, fc.constantFrom('LOGGED_IN', 'LOGGING_OUT', 'LOGGED_OUT', null))
      .map(([number, state]) => [
        'state',
        ({ provider }, seen) => provider.update(REALM, idOf(seen, number), { state } as never),
      ]),
  ],
  [
    4,
    fc.tuple(pick, offline, client, fc.nat(9)).map(([number, isOffline, clientId, value]) => [
      'attach',
      ({ provider }, seen) => {
        const at = { clientId, notes: { v: `${value}` } }
        return provider.putClientSession(REALM, idOf(seen, number), at, { offline: isOffline })
      },
    ]),
  ],
  [
    3,
    fc.tuple(pick, offline, client, fc.nat(9)).map(([number, isOffline, clientId, value]) => [
      'client note',
      ({ provider }, seen) => {
        const change = { clientId, action: `${value}`, notes: { [`n${value % 2}`]: `${value}` } }
        return provider.updateClientSession(REALM, idOf(seen, number), change, { offline: isOffline })
      },
    ]),
  ],
  [
    3,
    fc
      .tuple(pick, offline, client)
      .map(([number, isOffline, clientId]) => [
        'detach',
        ({ provider }, seen) =>
          provider.removeClientSession(REALM, idOf(seen, number), clientId, { offline: isOffline }),
      ]),
  ],
  [
    4,
    fc
      .tuple(pick, offline, client, fc.constantFrom(0, 0, 0, 1), fc.constantFrom(false, false, true))
      .map(([number, isOffline, clientId, age, twice]) => [
        'rotate',
        async (site, seen, name) => {
          const of = { id: idOf(seen, number), clientId, isOffline }
          const tokens = seen.tokensOf(of, site.clock.now())
          const token = tokens.at(-1 - age) ?? (tokens[0] as Token)
          let outcome = await exchange(site, seen, name, of, token)
          if (twice) outcome = await exchange(site, seen, name, of, token)
          if (outcome === 'reused' && !isOffline) seen.ended.push(of)
        },
      ]),
  ],
  [
    3,
    fc.constant([
      'exchange what another site did',
      async (site, seen, name) => {
        const last = seen.exchanges.findLast((one) => one.site !== name && !one.of.isOffline)
        if (last !== undefined) await exchange(site, seen, name, last.of, last.token)
      },
    ]),
  ],
  [
    2,
    pick.map((number) => [
      'restart',
      async ({ provider }, seen) => {
        const id = idOf(seen, number)
        const session = await provider.get(REALM, id)
        if (session === undefined) return
        const { userId } = session
        await provider.restart(REALM, id, {
          userId,
          loginUsername: `${userId}-${randomUUID()}`,
          client: { clientId: 'app' },
        })
      },
    ]),
  ],
  [
    2,
    pick.map((number) => [
      'offline',
      ({ provider }, seen) => provider.createOffline(REALM, idOf(seen, number)),
    ]),
  ],
  [
    2,
    fc.tuple(pick, offline).map(([number, isOffline]) => [
      'remove',
      async ({ provider }, seen) => {
        const id = idOf(seen, number)
        if ((await provider.remove(REALM, id, { offline: isOffline })) && !isOffline) seen.removed.add(id)
      },
    ]),
  ],
  [
    2,
    fc.tuple(pick, fc.constantFrom(...USERS), fc.boolean()).map(([number, userId, spares]) => [
      'remove all of a user',
      async ({ provider }, seen) => {
        const id = spares ? idOf(seen, number) : undefined
        const session = id === undefined ? undefined : await provider.get(REALM, id)
        await provider.removeByUser(REALM, userId, id === undefined ? { offline: 'both' } : { except: id })
        seen.fences.push({ userId, spared: session?.userId === userId ? session : undefined })
      },
    ]),
  ],
  [1, fc.constant(['sweep', ({ provider }) => provider.sweep()])],
]

/** One step of a walk. */
interface Step {
  readonly site: number
  readonly name: string
  readonly run: Op
  readonly waitMs: number
  /** Whether the site tells what changed, and how many messages arrive somewhere. */
  readonly tells: boolean
  readonly arrive: readonly { readonly which: number; readonly twice: boolean; readonly lost: boolean }[]
}

const arrival = fc.record({
  which: fc.nat(1_000),
  twice: fc.constantFrom(false, false, false, true),
  lost: fc.constantFrom(false, false, false, false, true),
})
const step: fc.Arbitrary<Step> = fc
  .tuple(
    fc.nat(2),
    fc.oneof(...ops.map(([weight, arbitrary]) => ({ weight, arbitrary }))),
    fc.constantFrom(0, 1, 1, 7, 400, 5_000, MINUTE_MS, 8 * MINUTE_MS),
    fc.constantFrom(true, true, false),
    fc.array(arrival, { maxLength: 4 }),
  )
  .map(([site, [name, run], waitMs, tells, arrive]) => ({
    site,
    name,
    run,
    waitMs,
    tells,
    arrive,
    toString: () => `${name} at ${SITES[site]}, ${waitMs} ms`,
  }))

/** How far the clocks of the sites are apart, and what happens. */
export const walks = fc.record({
  skews: fc.tuple(...SITES.map(() => fc.integer({ min: -30_000, max: 30_000 }))),
  steps: fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }),
  exchanges: fc.boolean(),
  order: fc.array(fc.nat(1_000), { minLength: 20, maxLength: 20, size: 'max' }),
})

/** What is under way to a site. */
interface Message {
  readonly from: number
  readonly to: number
  readonly told: Told
}

/** Walks; throws where the sites do not hold the same at the end, or hold what they must not. */
export async function walk(
  client: Redis,
  { skews, steps, order, exchanges }: typeof walks extends fc.Arbitrary<infer W> ? W : never,
  plant?: Plant,
): Promise<void> {
  const prefix = `sites-${randomUUID()}`
  const sites = await Promise.all(
    SITES.map((name, index) =>
      Site.open(name, {
        client,
        prefix: `${prefix}-${name}`,
        clock: new FakeClock(START + (skews[index] ?? 0)),
        ...(plant && { plant }),
      }),
    ),
  )
  const seen = new Seen()
  const messages: Message[] = []
  const lost: Message[] = []
  const tell = async (from: number) => {
    seen.told(SITES[from] as string)
    for (const told of await (sites[from] as Site).tell())
      for (const to of sites.keys()) if (to !== from) messages.push({ from, to, told })
  }
  const arrive = async (which: number, twice: boolean) => {
    const [message] = messages.splice(which % Math.max(messages.length, 1), 1)
    if (message === undefined) return
    const answer = await sites[message.to]?.hear(message.told)
    if (answer?.outcome === 'need-full')
      for (const told of (await sites[message.from]?.readOne(message.told)) ?? [])
        messages.push({ ...message, told })
    if (answer?.known !== undefined) {
      const told = { ...message.told, state: answer.known }
      // What was known better is joined where it was told from, and told to everybody else.
      const learnt = await sites[message.from]?.hear(told)
      if (learnt?.outcome === 'changed')
        for (const to of sites.keys())
          if (to !== message.from) messages.push({ from: message.from, to, told })
    }
    if (twice) messages.push(message)
  }
  const heal = async () => {
    for (const from of sites.keys()) await tell(from)
    messages.push(...lost.splice(0))
    for (let turn = 0; messages.length > 0; turn++) await arrive(order[turn % order.length] as number, false)
  }
  try {
    for (const index of [0, 1]) await begin(sites[index] as Site, seen)
    await heal()
    for (const { site, run, waitMs, tells, arrive: arrivals } of steps) {
      for (const { clock } of sites) clock.advance(waitMs)
      await run(sites[site] as Site, seen, SITES[site] as string)
      if (tells) await tell(site)
      for (const { which, twice, lost: isLost } of arrivals) {
        if (isLost) lost.push(...messages.splice(which % Math.max(messages.length, 1), 1))
        else await arrive(which, twice)
      }
    }
    // Healed: what was not told is told, what was lost comes again, in any order.
    await heal()
    if (exchanges) {
      // What each holds at one moment, heard by the others in different orders.
      const all = await Promise.all(sites.map((site) => site.tellAll()))
      for (const [to, site] of sites.entries()) {
        const told = all.filter((_, from) => from !== to).flat()
        for (const one of to % 2 === 0 ? told : told.reverse()) await site.hear(one)
      }
    }
    // Who writes having heard of another's write is later, whatever the clocks say.
    for (const [turn, site] of sites.entries()) {
      const written = await site.provider.update(REALM, idOf(seen, 0), { notes: { turn: `${turn}` } })
      await heal()
      for (const { provider } of written === undefined ? [] : sites) {
        const session = await provider.get(REALM, idOf(seen, 0))
        if (session !== undefined) expect(session.notes['turn'], 'written last').toBe(`${turn}`)
      }
    }
    await expectSame(sites, seen)
  } finally {
    for (const site of sites) await site.close()
  }
}

export async function begin({ provider }: Acting, seen: Seen): Promise<void> {
  const user = { userId: 'alice', loginUsername: 'alice', client: { clientId: 'app' } }
  const made = await provider.create(REALM, user)
  if (made.outcome !== 'created') throw new Error('a session was refused')
  seen.ids.push(made.session.id)
  seen.refreshed(made.session)
}

export async function expectSame(
  sites: readonly (Acting & Pick<Site, 'everything'>)[],
  seen: Seen,
): Promise<void> {
  const latest = Math.max(...sites.map(({ clock }) => clock.now()))
  for (const { clock } of sites) clock.advance(latest - clock.now())
  const all = await Promise.all(sites.map((site) => site.everything(seen.ids, USERS)))
  for (const other of all.slice(1)) expect(other).toEqual(all[0])
  const living = new Map(all[0]?.told.map(([name, state]) => [name, state]))
  const { provider } = sites[0] as Acting
  for (const id of seen.ids) {
    const session = await provider.get(REALM, id)
    if (seen.removed.has(id)) expect(session, 'removed, and stays so').toBeUndefined()
    if (session === undefined) continue
    expect(session.lastRefreshAt).toBeGreaterThanOrEqual(seen.refreshedAt.get(id) ?? 0)
    for (const { note, generation } of seen.notes.filter((written) => written.id === id)) {
      const isThere = Object.hasOwn(session.notes, note)
      expect(isThere, 'notes of this generation, and no others').toBe(generationOf(session) === generation)
    }
    const tokens = (living.get(`us:${REALM}:${id}`)?.['f'] ?? {}) as Record<string, readonly string[]>
    for (const { clientId } of [...seen.ended, ...seen.forks()].filter((ended) => ended.id === id))
      expect(tokens[`f:${clientId}:f`]?.[1], 'a family that ended').toMatch(/^0:/)
  }
  for (const { userId, spared } of seen.fences) {
    const isOnly = seen.fences.filter((fence) => fence.userId === userId).length === 1
    if (spared === undefined || !isOnly || seen.removed.has(spared.id)) continue
    // A site that tells of the removal once the session is over there has nothing to spare.
    if (spared.expiresAt < latest) continue
    expect(await provider.get(REALM, spared.id), 'spared').toBeDefined()
  }
}
