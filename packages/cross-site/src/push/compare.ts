import { createHash } from 'node:crypto'
import type { NamesCursor, SiteJoiner } from '@authstate/redis'
import type { Difference } from './contract.js'
import { namesAt, readAt, type Side } from './side.js'
import { type TellNews, tell } from './tell.js'

/** Records whose digests are added up in one step. */
const AT_A_TIME = 64
/** Sums of digests stay whole numbers. */
const MODULUS = 2 ** 48
/** How often a partition is checked before it counts as different, because changes on their way arrive meanwhile. */
const LOOKS = 3

/** What is compared. */
export interface Compared extends TellNews {
  readonly here: Side
  readonly there: Side
  readonly joiner: SiteJoiner
  readonly partition: number
  /** Waits for its turn, and returns whether to go on. */
  goesOn(count: number): Promise<boolean>
  /** Waits between two checks. */
  pause(): Promise<void>
}

interface Sums {
  readonly count: number
  /** By the first byte of the digest of a name. */
  readonly parts: ReadonlyMap<number, number>
}

/**
 * Compares what two sites hold of a service in a partition, by count and digests; the order does not matter. If wanted, sends each what
 * it lacks. `undefined`: one of them did not answer, or it has to stop.
 */
export async function compare(
  compared: Compared,
  repairs: boolean,
): Promise<Difference | 'equal' | undefined> {
  let differing = await look(compared)
  for (let looks = 1; looks < LOOKS && differing !== undefined && differing.parts.size > 0; looks++) {
    await compared.pause()
    differing = await look(compared)
  }
  if (differing === undefined) return undefined
  if (differing.parts.size === 0) return 'equal'
  let isRepaired = false
  if (repairs) {
    const { here, there } = compared
    const outward = await tellParts(compared, here, there, differing.parts)
    const inward = outward && (await tellParts(compared, there, here, differing.parts))
    const after = inward && (await look(compared))
    if (after === undefined || after === false) return undefined
    isRepaired = after.parts.size === 0
  }
  return {
    spi: compared.joiner.spi,
    partition: compared.partition,
    here: differing.here,
    there: differing.there,
    parts: differing.parts.size,
    isRepaired,
  }
}

async function look(compared: Compared) {
  const [here, there] = await Promise.all([sumsAt(compared, compared.here), sumsAt(compared, compared.there)])
  if (here === undefined || there === undefined) return undefined
  const parts = new Set(
    [...here.parts.keys(), ...there.parts.keys()].filter(
      (part) => here.parts.get(part) !== there.parts.get(part),
    ),
  )
  return { here: here.count, there: there.count, parts }
}

async function sumsAt(compared: Compared, side: Side): Promise<Sums | undefined> {
  const { joiner, partition, goesOn } = compared
  const parts = new Map<number, number>()
  let count = 0
  let after: NamesCursor | undefined
  for (;;) {
    const page = await pageAt(side, joiner, partition, after)
    if (page === undefined || !(await goesOn(page.count))) return undefined
    count += page.count
    for (const [part, sum] of page.parts) parts.set(part, ((parts.get(part) ?? 0) + sum) % MODULUS)
    after = page.next
    if (after === undefined) return { count, parts }
  }
}

async function pageAt(side: Side, joiner: SiteJoiner, partition: number, after: NamesCursor | undefined) {
  const { sums } = joiner
  if (sums !== undefined)
    return side.ask((connection) => sums(connection, partition, after, AT_A_TIME, side.terms))
  const page = await namesAt(side, joiner, partition, after, AT_A_TIME)
  const known = page && (await readAt(side, joiner, partition, page.names))
  if (known === undefined) return undefined
  const living = known.flatMap(({ name, state }) => {
    const about = joiner.about?.(state)
    return about === undefined || about.isRemoved ? [] : [{ name, compared: about.compared }]
  })
  const parts = living.map(({ name, compared }) => {
    const digest = createHash('sha1').update(`${name} ${compared}`).digest('hex')
    return [partOf(name), Number.parseInt(digest.slice(0, 12), 16)] as const
  })
  return { count: living.length, parts, next: page?.next }
}

const partOf = (name: string): number => createHash('sha1').update(name).digest()[0] ?? 0

async function tellParts(
  { joiner, partition, goesOn, onRefused, onLearned }: Compared,
  from: Side,
  to: Side,
  parts: ReadonlySet<number>,
): Promise<boolean> {
  let after: NamesCursor | undefined
  do {
    const page = await namesAt(from, joiner, partition, after, 4 * AT_A_TIME)
    if (page === undefined || !(await goesOn(page.names.length))) return false
    const names = page.names.filter((name) => parts.has(partOf(name)))
    if ((await tell({ from, to, joiner, partition, onRefused, onLearned }, names)) === undefined) return false
    after = page.next
  } while (after !== undefined)
  return true
}
