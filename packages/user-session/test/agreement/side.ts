import type { FakeClock } from '@authstate/conformance'
import type { UserSessionProvider } from '../../src/index.js'
import { REALM, type Step } from './steps.js'

/** What came of a step: what the caller got, what listeners heard, and what outcomes were among it. */
export interface Seen {
  readonly answer: unknown
  readonly events: readonly string[]
  readonly listed: unknown
  readonly words: readonly string[]
}

const UNKNOWN = `${'A'.repeat(21)}000`

/** One of the two stores, with its own ids for the sessions that both have. */
export class Side {
  readonly provider: UserSessionProvider
  /** In the order in which they were created. */
  readonly #ids: string[] = []
  readonly #events: string[] = []
  #turn = 0

  constructor(provider: UserSessionProvider) {
    this.provider = provider
    for (const type of ['created', 'removed', 'expired'] as const) {
      provider.on(type, (event) => this.#events.push(this.#named(event)))
    }
  }

  /** A session by its number from the last one backwards. */
  id(number: number): string {
    return this.#ids[this.#ids.length - 1 - (number % Math.max(this.#ids.length, 1))] ?? UNKNOWN
  }

  async run(step: Step, clock: FakeClock): Promise<Seen> {
    this.#events.length = 0
    let answer: unknown
    try {
      answer = await step.run(this.provider, (number) => this.id(number), clock)
    } catch (error) {
      answer = { error: (error as Error).message }
    }
    const made = step.creates ? (answer as { session?: { id: string } }).session?.id : undefined
    if (made !== undefined) this.#ids.push(made)
    const events = this.#events.map((text) => this.#nameAll(text)).sort()
    const named = this.#nameAll(JSON.stringify(answer ?? null))
    const listed = await this.#listed(this.#turn++ % 4)
    return { answer: JSON.parse(named), events, listed, words: wordsIn(named + events.join()) }
  }

  /** All that can be listed and read. */
  async everything(): Promise<unknown> {
    const read: unknown[] = []
    for (let turn = 0; turn < 4; turn++) read.push(await this.#listed(turn))
    for (const id of this.#ids) {
      for (const offline of [false, true]) {
        read.push(this.#nameAll(JSON.stringify((await this.provider.get(REALM, id, { offline })) ?? null)))
      }
    }
    return read
  }

  async #listed(turn: number): Promise<unknown> {
    const { provider } = this
    const scope = { offline: turn % 2 === 1 }
    const page = { ...scope, limit: 100 }
    const names = turn < 2 ? ['alice', '__proto__'] : ['bob', 'app']
    const [user, client] = names as [string, string]
    const all = [
      (await provider.list(REALM, page)).items,
      (await provider.listByUser(REALM, user, page)).items,
      (await provider.listByClient(REALM, client, page)).items,
    ].map((items) => items.map((item) => this.#nameAll(JSON.stringify(item))).sort())
    const counts = [
      await provider.count(REALM, scope),
      await provider.countByClient(REALM, client, scope),
      [...(await provider.clientStats(REALM, scope))].sort(),
    ]
    return { all, counts }
  }

  #named(event: object): string {
    return JSON.stringify(event, (name, value: unknown) =>
      name === 'clientIds' ? [...(value as string[])].sort() : value,
    )
  }

  /** A text with a number in the place of each id, and the properties of each record by their names. */
  #nameAll(text: string): string {
    const named = this.#ids.reduce((item, id, number) => item.replaceAll(id, `#${number}`), text)
    return JSON.stringify(sorted(JSON.parse(named)))
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, item]) => [name, sorted(item)]),
  )
}

const wordsIn = (text: string): string[] =>
  [...text.matchAll(/"(?:outcome|reason|type)":"([\w-]+)"/g)].map(([, word]) => word as string)
