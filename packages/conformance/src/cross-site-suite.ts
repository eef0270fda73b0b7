import assert from 'node:assert/strict'
import { connect, type RedisClient, type RedisOptions, type SiteJoiner } from '@authstate/redis'
import type { FakeClock } from './fake-clock.js'
import type { Runner } from './run-suite.js'
import { Chance, chooseSeed } from './seeded.js'
import { type ServedSite, SiteMessages, SiteNode, type SitePlant } from './site-walk.js'

/** What a walk over several sites does at each of them. */
export interface CrossSiteWalk<P> {
  /** Opens the provider of a site. */
  readonly serve: (redis: RedisOptions, clock: FakeClock) => Promise<ServedSite<P>>
  /** What a caller may do at a site; one is drawn at each step. */
  readonly acts: readonly ((provider: P, random: () => number) => Promise<unknown>)[]
  /** What a caller sees at a site, which has to be the same at all of them in the end. */
  readonly look: (provider: P) => Promise<unknown>
}

/** A joiner, and what {@link crossSiteSuite} needs to try it. */
export interface CrossSiteOptions<R, P = unknown> {
  readonly joiner: SiteJoiner
  /** Name of the record that states are of, behind its partition: `'vt:acme:7'`. */
  readonly record: string
  /** The join as a pure function: what two sites hold together. */
  readonly join: (a: R | undefined, b: R | undefined) => R | undefined
  /**
   * A state that a site may hold of the record, as `joiner.read` answers it. Stamps and ends around `startsAt`, few
   * different ones, so that states meet in all ways.
   */
  readonly arbitraryRecord: (random: () => number) => R
  /** What is compared of a state. @default all of it */
  readonly compared?: (state: R) => unknown
  /** An open client of one server, which the caller ends. Asked when the first case runs. */
  readonly client: () => RedisClient
  readonly walk?: CrossSiteWalk<P>
  /** What the clocks of the sites show at first, ms since the epoch. @default 1_700_000_000_000 */
  readonly startsAt?: number
  /** How often the pure join is tried; scripts a tenth as often, and walks a fiftieth. @default 300 */
  readonly runs?: number
  /** A change of a script's text, to see whether the suite notices. */
  readonly plant?: SitePlant
}

const SITES = ['a', 'b', 'c'] as const
/** How far clocks of sites are apart at most, ms. */
const SKEW_MS = 30_000

/**
 * Holds a joiner to what several sites need of it: the laws of a join, the script equal to its pure twin, and three sites that
 * change a record at once, hear each other late, twice and out of order, and hold the same in the end. A failure names the seed.
 */
export function crossSiteSuite<R, P = unknown>(
  options: CrossSiteOptions<R, P>,
  { describe, test }: Runner,
): void {
  const { joiner, walk } = options
  describe(`${joiner.spi} at several sites`, () => {
    const seeded = (name: string, run: (trial: Trial<R, P>) => Promise<void> | void) =>
      test(name, async () => {
        const seed = chooseSeed()
        try {
          await run(new Trial(options, seed))
        } catch (error) {
          throw new Error(`${joiner.spi}: ${name}; AUTHSTATE_TEST_SEED=${seed} repeats it`, { cause: error })
        }
      })
    seeded('join: the order in which states meet does not matter', (trial) => trial.order())
    seeded('join: how often states meet does not matter, and an absent one changes nothing', (trial) =>
      trial.repetition(),
    )
    seeded('script: holds what the pure join says, in either order and however often', (trial) =>
      trial.twin(),
    )
    seeded('times: are joined where the record is, and never make a record of their own', (trial) =>
      trial.times(),
    )
    seeded('names: names every record that another site has to know', (trial) => trial.names())
    if (walk !== undefined)
      seeded('walk: three sites that lose each other hold the same in the end', (trial) => trial.walk(walk))
  })
}

class Trial<R, P> {
  readonly #options: CrossSiteOptions<R, P>
  readonly #chance: Chance
  readonly #runs: number

  constructor(options: CrossSiteOptions<R, P>, seed: number) {
    this.#options = options
    this.#chance = new Chance(seed)
    this.#runs = options.runs ?? 300
  }

  order(): void {
    const { join } = this.#options
    for (let run = 0; run < this.#runs; run++) {
      const [a, b, c] = [this.#state(), this.#state(), this.#state()]
      assert.deepEqual(join(a, b), join(b, a), 'it is commutative')
      assert.deepEqual(join(join(a, b), c), join(a, join(b, c)), 'it is associative')
    }
  }

  repetition(): void {
    const { join } = this.#options
    for (let run = 0; run < this.#runs; run++) {
      const [a, b] = [this.#state(), this.#state()]
      assert.deepEqual(join(a, a), a, 'it is idempotent')
      assert.deepEqual([join(a, undefined), join(undefined, a)], [a, a], 'an absent one changes nothing')
      assert.deepEqual(join(join(a, b), b), join(a, b), 'what was joined is in it')
    }
  }

  async twin(): Promise<void> {
    const { join } = this.#options
    for (let run = 0; run < this.#runs / 10; run++) {
      const [a, b] = [this.#state(), this.#state()]
      await this.#atOneSite(async (site) => {
        for (const state of [a, b, a]) await this.#hear(site, state)
        const joined = join(a, b) as R
        assert.deepEqual(
          await this.#held(site),
          this.#compared(joined),
          'the script holds what the join says',
        )
      })
    }
  }

  async times(): Promise<void> {
    for (let run = 0; run < this.#runs / 10; run++) {
      const state = this.#state()
      await this.#atOneSite(async (site) => {
        await this.#hear(site, state)
        const held = await this.#held(site)
        const told = await site.read(0, this.#options.record, true)
        if (told === undefined) return
        const record = { partition: 0, name: this.#options.record, state: told }
        const { outcome } = await site.hear(record)
        assert.ok(outcome !== 'need-full', 'a site can join the times of a record that it holds')
        assert.deepEqual(await this.#held(site), held, 'what a site knows already changes nothing')
        await this.#atOneSite(async (other) => {
          const answer = await other.hear(record)
          const expected = answer.outcome === 'need-full' ? undefined : held
          assert.deepEqual(await this.#held(other), expected, 'times alone are no record')
        })
      })
    }
  }

  async names(): Promise<void> {
    await this.#atOneSite(async (site) => {
      await this.#hear(site, this.#state())
      const named = (await site.tellAll()).map(({ name }) => name)
      assert.ok(named.includes(this.#options.record), `names has to name ${this.#options.record}`)
    })
  }

  async walk({ serve, acts, look }: CrossSiteWalk<P>): Promise<void> {
    for (let run = 0; run < this.#runs / 50; run++) {
      const sites: SiteNode<P>[] = []
      try {
        for (const name of SITES)
          sites.push(await this.#open(name, serve, this.#whole(2 * SKEW_MS) - SKEW_MS))
        const order = Array.from({ length: 20 }, () => this.#whole(1_000))
        const messages = new SiteMessages(sites, order)
        for (let step = 0; step < 30; step++) await this.#step(sites, messages, acts)
        await messages.heal()
        const latest = Math.max(...sites.map(({ clock }) => clock.now()))
        for (const { clock } of sites) clock.advance(latest - clock.now())
        const [first, ...others] = await Promise.all(sites.map(({ provider }) => look(provider)))
        for (const other of others) assert.deepEqual(other, first, 'all sites hold the same in the end')
      } finally {
        for (const site of sites) await site.close()
      }
    }
  }

  async #step(sites: readonly SiteNode<P>[], messages: SiteMessages, acts: CrossSiteWalk<P>['acts']) {
    const { random } = this.#chance
    const waitMs = [0, 1, 7, 400, 5_000][this.#whole(5)] as number
    for (const { clock } of sites) clock.advance(waitMs)
    const at = this.#whole(sites.length)
    await acts[this.#whole(acts.length)]?.((sites[at] as SiteNode<P>).provider, random)
    if (random() < 0.7) await messages.tell(at)
    if (random() < 0.1) await messages.tellAll(at)
    for (let arrivals = this.#whole(4); arrivals > 0; arrivals--) {
      if (random() < 0.2) messages.lose(this.#whole(1_000))
      else await messages.arrive(this.#whole(1_000), random() < 0.25)
    }
  }

  async #atOneSite(run: (site: SiteNode) => Promise<void>): Promise<void> {
    const site = await this.#open<unknown>('a', async (redis, clock) => {
      const connection = await connect(redis, { clock })
      return { provider: undefined, connection, close: () => connection.close() }
    })
    try {
      await run(site)
    } finally {
      await site.close()
    }
  }

  #open<Q>(name: string, serve: CrossSiteWalk<Q>['serve'], skewMs = 0): Promise<SiteNode<Q>> {
    const { joiner, client, startsAt = 1_700_000_000_000, plant } = this.#options
    return SiteNode.open<Q>({ client: client(), name, joiner, serve, now: startsAt + skewMs, plant })
  }

  async #hear(site: SiteNode, state: R): Promise<void> {
    const { outcome } = await site.hear({
      partition: 0,
      name: this.#options.record,
      state: JSON.stringify(state),
    })
    assert.ok(['changed', 'same', 'gone'].includes(outcome), `the script took no state: ${outcome}`)
  }

  async #held(site: SiteNode): Promise<unknown> {
    const told = await site.read(0, this.#options.record)
    return told === undefined ? undefined : this.#compared(JSON.parse(told) as R)
  }

  #compared(state: R): unknown {
    return (this.#options.compared ?? ((whole: R) => whole))(state)
  }

  #state(): R {
    return this.#options.arbitraryRecord(this.#chance.random)
  }

  #whole(below: number): number {
    return Math.floor(this.#chance.random() * below)
  }
}
