// Several sites on one Redis, each with its own keys and clock, whose messages a test loses, doubles and delays as it likes.
import { randomUUID } from 'node:crypto'
import {
  type ChangedRecord,
  defineScript,
  type RedisClient,
  type RedisConnection,
  type RedisOptions,
  type Script,
  type SiteJoiner,
} from '@authstate/redis'
import { FakeClock } from './fake-clock.js'
import { openInspector } from './inspector.js'

/** What a site tells another of a record. */
export interface ToldState {
  readonly partition: number
  readonly name: string
  readonly state: string
}

/** A change of the text of a script, by the script's name. */
export type SitePlant = Readonly<Record<string, readonly [from: string, to: string]>>

/** What a site serves. */
export interface ServedSite<P> {
  readonly provider: P
  readonly connection: RedisConnection
  /** Ends what was opened for it; the client stays open. */
  close(): Promise<void>
}

/** What {@link SiteNode} is opened with. */
export interface SiteNodeOptions<P> {
  /** An open client of one server, which the caller ends. */
  readonly client: RedisClient
  readonly name: string
  readonly joiner: SiteJoiner
  readonly serve: (redis: RedisOptions, clock: FakeClock) => Promise<ServedSite<P>>
  readonly now: number
  readonly plant?: SitePlant | undefined
}

/** What a site reads of its outboxes. */
interface Notes {
  xrange(key: string, from: string, to: string): Promise<readonly (readonly [string, readonly string[]])[]>
}

const PARTITIONS = 2
const START_TERMS = { endsMs: 7 * 86_400_000, aheadMs: 300_000 }

/** One site, and the node that it has. */
export class SiteNode<P = unknown> {
  readonly name: string
  readonly clock: FakeClock
  readonly #options: SiteNodeOptions<P>
  readonly #prefix: string
  readonly #served: ServedSite<P>
  readonly #connection: RedisConnection
  readonly #planted: RedisConnection
  readonly #had = new Map<number, string>()

  private constructor(options: SiteNodeOptions<P>, prefix: string, clock: FakeClock, served: ServedSite<P>) {
    this.name = options.name
    this.clock = clock
    this.#options = options
    this.#prefix = prefix
    this.#served = served
    this.#connection = served.connection
    this.#planted = planted(this.#connection, options.plant ?? {})
  }

  /** Opens a site over a server that holds nothing under its prefix. End it with `close`. */
  static async open<P>(options: SiteNodeOptions<P>): Promise<SiteNode<P>> {
    const { client, joiner, serve, name, now } = options
    const prefix = `walk-${randomUUID()}-${name}`
    const clock = new FakeClock(now)
    const consumers = [{ name: 'sites', kinds: [...joiner.kinds], details: true }]
    const redis = {
      client,
      prefix,
      partitions: PARTITIONS,
      changes: { consumers },
    }
    return new SiteNode(options, prefix, clock, await serve(redis, clock))
  }

  get provider(): P {
    return this.#served.provider
  }

  get terms() {
    return { ...START_TERMS, site: this.name }
  }

  /** What changed since it was asked last, as it is now. */
  async tell(): Promise<ToldState[]> {
    const { client, joiner } = this.#options
    const changed: ChangedRecord[] = []
    for (const partition of this.#connection.keys.all) {
      const after = this.#had.get(partition)
      const notes = await (client as unknown as Notes).xrange(
        this.#connection.keys.key(partition, 'xn'),
        after ? `(${after}` : '-',
        '+',
      )
      const names = new Map<string, { isRemoved: boolean; isTouch: boolean }>()
      for (const [id, [, text = '', , gone]] of notes) {
        this.#had.set(partition, id)
        const name = text.slice(1)
        if (!joiner.owns(name)) continue
        const isRemoved = text.startsWith('r') && !(gone ?? '').includes('"expired"')
        const before = names.get(name)
        names.set(name, {
          isRemoved: (before?.isRemoved ?? false) || isRemoved,
          isTouch: (before?.isTouch ?? true) && text.startsWith('t'),
        })
      }
      for (const [name, how] of names) changed.push({ partition, name, at: this.clock.now(), ...how })
    }
    return this.#read(changed)
  }

  /** All that another site has to know. */
  async tellAll(): Promise<ToldState[]> {
    const { joiner } = this.#options
    const all: ChangedRecord[] = []
    for (const partition of this.#connection.keys.all) {
      let page = await joiner.names(this.#planted, partition, undefined, 3)
      for (;;) {
        all.push(...page.names.map((name) => ({ partition, name, at: this.clock.now(), isRemoved: false })))
        if (page.next === undefined) break
        page = await joiner.names(this.#planted, partition, page.next, 3)
      }
    }
    return this.#read(all)
  }

  /** What two sites compare that hold the same. */
  async sums(): Promise<unknown> {
    const { joiner } = this.#options
    const all = this.#connection.keys.all.map((partition) =>
      joiner.sums?.(this.#connection, partition, undefined, 1_000, this.terms),
    )
    return (await Promise.all(all)).map((page) => [page?.count, page?.next, [...(page?.parts ?? [])].sort()])
  }

  /** What other sites have to know of one record, of which no more than times changed if `isTouch` says so. */
  async read(partition: number, name: string, isTouch = false): Promise<string | undefined> {
    const [told] = await this.#read([{ partition, name, at: this.clock.now(), isRemoved: false, isTouch }])
    return told?.state
  }

  /** Joins what another site knows. */
  hear({ state, ...record }: ToldState) {
    return this.#options.joiner.join(this.#planted, record, state, this.terms)
  }

  /** Ends the provider and removes everything under the prefix of the site. */
  async close(): Promise<void> {
    const { client } = this.#options
    await this.#served.close()
    const inspector = await openInspector(client)
    try {
      await inspector.clear(this.#prefix)
    } finally {
      inspector.close()
    }
  }

  async #read(changed: readonly ChangedRecord[]): Promise<ToldState[]> {
    const told: ToldState[] = []
    for (const record of changed) {
      const state = await this.#options.joiner.read(this.#planted, record, this.terms)
      if (state !== undefined) told.push({ partition: record.partition, name: record.name, state })
    }
    return told
  }
}

/** What is under way between sites. */
export class SiteMessages {
  readonly #sites: readonly SiteNode[]
  readonly #order: readonly number[]
  readonly #waiting: { readonly from: number; readonly to: number; readonly told: ToldState }[] = []
  readonly #lost: { readonly from: number; readonly to: number; readonly told: ToldState }[] = []

  /** @param order Which message arrives next, while all of them do. */
  constructor(sites: readonly SiteNode[], order: readonly number[]) {
    this.#sites = sites
    this.#order = order
  }

  /** Sends what changed at a site to all others; it arrives when {@link arrive} says so. */
  async tell(from: number): Promise<void> {
    this.#send(from, (await this.#sites[from]?.tell()) ?? [])
  }

  /** A push: everything, to everybody. */
  async tellAll(from: number): Promise<void> {
    this.#send(from, (await this.#sites[from]?.tellAll()) ?? [])
  }

  /** Loses one of the messages that are under way. {@link heal} sends it again. */
  lose(which: number): void {
    this.#lost.push(...this.#waiting.splice(which % Math.max(this.#waiting.length, 1), 1))
  }

  /** Delivers one of the messages that are under way. With `isTwice` it stays under way, and arrives once more. */
  async arrive(which: number, isTwice = false): Promise<void> {
    const [message] = this.#waiting.splice(which % Math.max(this.#waiting.length, 1), 1)
    if (message === undefined) return
    const { from, to, told } = message
    const answer = await this.#sites[to]?.hear(told)
    if (answer?.outcome === 'need-full') {
      const state = await this.#sites[from]?.read(told.partition, told.name)
      if (state !== undefined) this.#waiting.push({ from, to, told: { ...told, state } })
    }
    if (answer?.known !== undefined) {
      // What was known better is joined where it was told from, and told to everybody else.
      const learnt = { ...told, state: answer.known }
      if ((await this.#sites[from]?.hear(learnt))?.outcome === 'changed') this.#send(from, [learnt])
    }
    if (isTwice) this.#waiting.push(message)
  }

  /** What was not told is told, what was lost comes again, in any order. */
  async heal(): Promise<void> {
    for (const from of this.#sites.keys()) await this.tell(from)
    this.#waiting.push(...this.#lost.splice(0))
    for (let turn = 0; this.#waiting.length > 0; turn++)
      await this.arrive(this.#order[turn % this.#order.length] as number)
  }

  #send(from: number, told: readonly ToldState[]): void {
    for (const one of told)
      for (const to of this.#sites.keys()) if (to !== from) this.#waiting.push({ from, to, told: one })
  }
}

/** A connection whose scripts say something else. */
function planted(connection: RedisConnection, plant: SitePlant): RedisConnection {
  const mutants = new Map<string, Script>()
  const mutant = <S extends Script>(script: S): S => {
    const change = plant[script.name]
    if (change === undefined) return script
    let known = mutants.get(script.name)
    if (known === undefined) {
      const [from, to] = change
      if (!script.lua.includes(from)) throw new Error(`${script.name} does not say: ${from}`)
      known = defineScript({ ...script, lua: script.lua.replace(from, () => to) }) as Script
      mutants.set(script.name, known)
    }
    return known as unknown as S
  }
  if (Object.keys(plant).length === 0) return connection
  const run: RedisConnection['run'] = (script, keys, args) => connection.run(mutant(script), keys, args)
  return new Proxy({} as RedisConnection, {
    get: (_, name) => {
      if (name === 'run') return run
      const value: unknown = Reflect.get(connection, name)
      return typeof value === 'function' ? value.bind(connection) : value
    },
  })
}
