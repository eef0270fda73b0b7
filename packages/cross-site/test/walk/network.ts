import type { SiteNode, Told } from '../../../../tools/testing/site-walk.js'

interface Message {
  readonly from: number
  readonly to: number
  readonly told: Told
}

/** The ways between sites: what is told may be late, doubled, reordered or lost, a way may be cut, and who tells may die. */
export class Network {
  readonly #sites: readonly SiteNode[]
  readonly #order: readonly number[]
  #waiting: Message[] = []
  #lost: Message[] = []
  /** Ways that are cut, in one direction. */
  readonly #cut = new Set<string>()
  /** What a site has to tell again, because the node that would have told it died. */
  readonly #untold = new Map<number, Set<string>>()

  /** @param order Which message arrives next, once all of them do. */
  constructor(sites: readonly SiteNode[], order: readonly number[]) {
    this.#sites = sites
    this.#order = order
  }

  /** What changed at a site is told to all others, by whichever node is there. */
  async tell(from: number): Promise<void> {
    const site = this.#sites[from] as SiteNode
    this.#send(from, await site.tell())
    const untold = this.#untold.get(from)
    if (untold === undefined) return
    this.#untold.delete(from)
    const all = await site.tellAll()
    this.#send(
      from,
      all.filter(({ name }) => untold.has(name)),
    )
  }

  /** Everything is told to all others. */
  async push(from: number): Promise<void> {
    this.#send(from, await (this.#sites[from] as SiteNode).tellAll())
  }

  /** Cuts the way from one site to another, or opens it again. */
  toggle(from: number, to: number): void {
    const way = `${from} ${to}`
    if (!this.#cut.delete(way)) this.#cut.add(way)
  }

  /** The node that tells dies: what it told and nobody got has to be told again. */
  kill(from: number): void {
    const gone = this.#waiting.filter((message) => message.from === from)
    this.#waiting = this.#waiting.filter((message) => message.from !== from)
    const untold = this.#untold.get(from) ?? new Set()
    for (const { told } of gone) untold.add(told.name)
    this.#untold.set(from, untold)
  }

  lose(which: number): void {
    this.#lost.push(...this.#take(which))
  }

  async arrive(which: number, isTwice = false): Promise<void> {
    const [message] = this.#take(which)
    if (message === undefined) return
    const { from, to, told } = message
    if (this.#cut.has(`${from} ${to}`)) {
      this.#lost.push(message)
      return
    }
    const answer = await this.#sites[to]?.hear(told)
    if (answer?.outcome === 'need-full') {
      const state = await this.#sites[from]?.read(told.partition, told.name)
      if (state !== undefined) this.#waiting.push({ from, to, told: { ...told, state } })
    }
    if (answer?.known !== undefined) {
      const better = { ...told, state: answer.known }
      // What was known better is joined where it was told from, and told to everybody else.
      if ((await this.#sites[from]?.hear(better))?.outcome === 'changed') this.#send(from, [better])
    }
    if (isTwice) this.#waiting.push(message)
  }

  /** All ways are open, what was not told is told, and what was lost comes again, in any order. */
  async heal(): Promise<void> {
    this.#cut.clear()
    for (const from of this.#sites.keys()) await this.tell(from)
    this.#waiting.push(...this.#lost.splice(0))
    for (let turn = 0; this.#waiting.length > 0; turn++)
      await this.arrive(this.#order[turn % this.#order.length] as number)
  }

  #take(which: number): Message[] {
    return this.#waiting.splice(which % Math.max(this.#waiting.length, 1), 1)
  }

  #send(from: number, told: readonly Told[]): void {
    for (const one of told)
      for (const to of this.#sites.keys()) if (to !== from) this.#waiting.push({ from, to, told: one })
  }
}
