import { randomUUID } from 'node:crypto'
import { FakeClock } from '@authstate/conformance'
import fc from 'fast-check'
import type { Redis } from 'ioredis'
import { expect } from 'vitest'
import type { Plant } from '../../../../tools/testing/planted-connection.js'
import type { ActionTokenProvider } from '../../src/index.js'
import { KIND, REALM, Site, type Told } from './site.js'

const SITES = ['a', 'b', 'c'] as const
export const KEYS = ['k1', 'k2', '__proto__']
export const SUBJECTS = ['alice', 'bob']
const START = 1_700_000_000_000

/** What a walk has seen, for what must hold at its end. */
export class Seen {
  /** Redemptions of tokens that nobody removed since, by key: names of their attempts. */
  readonly redeemed = new Map<string, Set<string>>()
  /** Keys of tokens that were given away, removed or stored anew somewhere: what becomes of them depends on who was first. */
  readonly renewed = new Set<string>()
  readonly revoked = new Set<string>()
  /** Who redeemed a key last, for a second try. */
  last = { of: 'k1', attempt: 'x' }
  number = 0

  next(): string {
    this.number += 1
    return `${this.number}`
  }
}

export type Op = (site: Pick<Site, 'provider'>, seen: Seen) => Promise<unknown>

const key = fc.constantFrom(...KEYS)
const subject = fc.constantFrom(undefined, ...SUBJECTS)
const family = fc.constantFrom(undefined, 'f', 'f', 'g')

export const ops: readonly [weight: number, fc.Arbitrary<readonly [string, Op]>][] = [
  [
    6,
    fc.tuple(key, subject, family).map(([of, subject, family]) => [
      'put',
      async ({ provider }, seen) => {
        const before = await provider.get(REALM, KIND, of)
        const data = { n: seen.next() }
        const put = await provider.put(REALM, KIND, of, { lifespanMs: 3_600_000, data, subject, family })
        // What ends soon ends, redeemed or not.
        if (put === 'stored' && before === undefined) seen.renewed.add(of)
      },
    ]),
  ],
  [
    5,
    fc.tuple(key, fc.boolean()).map(([picked, isAgain]) => [
      'consume',
      async ({ provider }, seen) => {
        const { of, attempt } = isAgain ? seen.last : { of: picked, attempt: randomUUID() }
        const { outcome } = await provider.consume(REALM, KIND, of, { attempt })
        if (outcome !== 'consumed') return
        seen.last = { of, attempt }
        const attempts = seen.redeemed.get(of) ?? new Set()
        seen.redeemed.set(of, attempts.add(attempt))
      },
    ]),
  ],
  [
    1,
    key.map((of) => [
      'consume without a name',
      async ({ provider }, seen) => {
        const { outcome } = await provider.consume(REALM, KIND, of)
        if (outcome === 'consumed')
          seen.redeemed.set(of, (seen.redeemed.get(of) ?? new Set()).add(randomUUID()))
      },
    ]),
  ],
  [
    3,
    key.map((of) => [
      'replace',
      ({ provider }, seen) => provider.replace(REALM, KIND, of, { n: seen.next() }),
    ]),
  ],
  [
    1,
    key.map((of) => [
      'take',
      async ({ provider }, seen) => {
        if ((await provider.take(REALM, KIND, of)) !== undefined) seen.renewed.add(of)
      },
    ]),
  ],
  [
    1,
    key.map((of) => [
      'remove',
      async ({ provider }, seen) => {
        if (await provider.remove(REALM, KIND, of)) seen.renewed.add(of)
      },
    ]),
  ],
  [
    1,
    fc.constantFrom('f', 'g').map((of) => [
      'revoke a family',
      async ({ provider }, seen) => {
        await provider.revokeFamily(REALM, of)
        seen.revoked.add(of)
        for (const one of KEYS) seen.renewed.add(one)
      },
    ]),
  ],
  [
    1,
    fc.constantFrom(...SUBJECTS).map((of) => [
      'remove by subject',
      async ({ provider }, seen) => {
        await provider.removeBySubject(REALM, of)
        for (const one of KEYS) seen.renewed.add(one)
      },
    ]),
  ],
]

/** One step of a walk. */
interface Step {
  readonly site: number
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
    fc.constantFrom(0, 1, 1, 7, 400, 5_000, 50_000),
    fc.constantFrom(true, true, false),
    fc.array(arrival, { maxLength: 4 }),
  )
  .map(([site, [name, run], waitMs, tells, arrive]) => ({
    site,
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
  const prefix = `token-sites-${randomUUID()}`
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
  const send = (from: number, told: Told) => {
    for (const to of sites.keys()) if (to !== from) messages.push({ from, to, told })
  }
  const tell = async (from: number) => {
    for (const told of await (sites[from] as Site).tell()) send(from, told)
  }
  const arrive = async (which: number, twice: boolean) => {
    const [message] = messages.splice(which % Math.max(messages.length, 1), 1)
    if (message === undefined) return
    const answer = await sites[message.to]?.hear(message.told)
    if (answer?.known !== undefined) {
      const told = { ...message.told, state: answer.known }
      // What was known better is joined where it was told from, and told to everybody else.
      const learnt = await sites[message.from]?.hear(told)
      if (learnt?.outcome === 'changed') send(message.from, told)
    }
    if (twice) messages.push(message)
  }
  const heal = async () => {
    for (const from of sites.keys()) await tell(from)
    messages.push(...lost.splice(0))
    for (let turn = 0; messages.length > 0; turn++) await arrive(order[turn % order.length] as number, false)
  }
  try {
    await begin((sites[0] as Site).provider)
    await heal()
    for (const { site, run, waitMs, tells, arrive: arrivals } of steps) {
      for (const { clock } of sites) clock.advance(waitMs)
      await run(sites[site] as Site, seen)
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
    await expectSame(sites, seen)
    await expectStoredAgain(sites, heal)
  } finally {
    for (const site of sites) await site.close()
  }
}

/** What is there before sites lose each other. */
export async function begin(provider: ActionTokenProvider): Promise<void> {
  for (const of of KEYS) await provider.put(REALM, KIND, of, { lifespanMs: 3_600_000, family: 'f' })
}

/** A key that is free again can be stored again, wherever that was heard of. */
export async function expectStoredAgain(
  sites: readonly Pick<Site, 'provider'>[],
  heal: () => Promise<void>,
): Promise<void> {
  const { provider } = sites[1] as Site
  await provider.remove(REALM, KIND, 'k2')
  await provider.put(REALM, KIND, 'k2', { lifespanMs: 3_600_000, data: { n: 'last' } })
  await heal()
  for (const { provider: other } of sites)
    expect((await other.get(REALM, KIND, 'k2'))?.data, 'stored last').toEqual({ n: 'last' })
}

/** What {@link expectSame} asks of a site. */
export type Compared = Pick<Site, 'provider' | 'everything' | 'conflicts'> & { readonly clock: FakeClock }

export async function expectSame(sites: readonly Compared[], seen: Seen): Promise<void> {
  // What ended at one site by its clock has to have ended at all.
  const latest = Math.max(...sites.map(({ clock }) => clock.now()))
  for (const { clock } of sites) clock.advance(latest - clock.now())
  const all = await Promise.all(sites.map((site) => site.everything(KEYS, SUBJECTS)))
  for (const other of all.slice(1)) expect(other).toEqual(all[0])
  const { provider } = sites[0] as Compared
  for (const of of KEYS) {
    const token = await provider.get(REALM, KIND, of)
    if (token !== undefined && token.consumedAt === undefined)
      expect(seen.revoked.has(token.family ?? ''), 'a member of a revoked family').toBe(false)
    if (seen.renewed.has(of)) continue
    const attempts = seen.redeemed.get(of)
    if (attempts === undefined) continue
    expect(token?.consumedAt, 'redeemed, and stays so').toBeDefined()
    const found = await Promise.all(sites.map((site) => site.conflicts()))
    const isFound = found.map((keys) => keys.includes(of))
    expect(isFound, 'redeemed twice').toEqual(sites.map(() => attempts.size > 1))
  }
}
