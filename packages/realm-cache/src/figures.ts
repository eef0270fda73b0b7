import type { ClusterProvider } from '@authstate/cluster'
import { answerNodes, askNodes } from '@authstate/cluster/nodes'
import { assertInteger, assertOptions, type Known } from '@authstate/spi'
import { isPlainObject } from '@authstate/spi/internal'
import type { RegionStats } from './contract.js'

// Nodes ask each other what their regions have done: over the work channel, as figures are nowhere else.

const TOPICS = { topic: 'realm-cache.figures?', answers: 'realm-cache.figures' }

/** What the regions of a node have done, by the name of the region. */
export interface NodeFigures {
  readonly node: string
  readonly regions: Readonly<Record<string, RegionStats>>
}

/** What came of asking. */
export interface AskedFigures {
  /** Those that answered in time, by name. Not the node that asks. */
  readonly nodes: readonly NodeFigures[]
  /** Nodes of the cluster that did not answer in time: they have no cache, are of an earlier version, or are busy. */
  readonly silent: readonly string[]
}

/** How {@link askFigures} asks. */
export interface AskFiguresOptions {
  /** How long answers are waited for at most, 1 to 60 000 ms. @default 1000 */
  readonly waitMs?: number | undefined
}

const OPTIONS: Known<AskFiguresOptions> = { waitMs: true }

/** One region of an answer; `of` is how many there are in all. An event holds no more than one of them. */
interface Answer extends Readonly<Record<string, unknown>> {
  readonly of: number
  readonly region?: string
  readonly stats?: RegionStats
}

/**
 * Asks every other node that caches realm data what its regions have done. Call it for a page or a command of operators: it
 * costs an event to each node, and one back for each region.
 *
 * Returns as soon as all have answered, and after `waitMs` at the latest, with what there is by then.
 *
 * @throws {StoreUnavailableError} the question could not be sent
 */
export async function askFigures(
  cluster: ClusterProvider,
  options: AskFiguresOptions = {},
): Promise<AskedFigures> {
  assertOptions(options, 'options', OPTIONS)
  const { waitMs = 1_000 } = options
  assertInteger(waitMs, 'options.waitMs', 1, 60_000)
  const heard = new Map<string, Map<string, RegionStats>>()
  const { answered, silent } = await askNodes(cluster, { ...TOPICS, waitMs }, (incarnation, event) => {
    if (!isAnswer(event)) return false
    const regions = heard.get(incarnation) ?? new Map<string, RegionStats>()
    heard.set(incarnation, regions)
    if (event.region !== undefined && event.stats !== undefined) regions.set(event.region, event.stats)
    return regions.size >= event.of
  })
  return {
    nodes: answered.map(({ incarnation, name }) => ({
      node: name,
      regions: Object.fromEntries(heard.get(incarnation) ?? []),
    })),
    silent: silent.map(({ name }) => name),
  }
}

/** Answers what others ask, until it is stopped. */
export function answerFigures(
  cluster: ClusterProvider,
  figures: () => readonly (readonly [region: string, stats: RegionStats])[],
): () => void {
  return answerNodes(cluster, TOPICS, () => {
    const all = figures()
    const answers: Answer[] = all.map(([region, stats]) => ({ of: all.length, region, stats }))
    return answers.length > 0 ? answers : [{ of: 0 }]
  })
}

function isAnswer(event: unknown): event is Answer {
  if (!isPlainObject(event)) return false
  const { of, region, stats } = event
  const isWhole =
    region === undefined ? stats === undefined : typeof region === 'string' && isPlainObject(stats)
  return Number.isInteger(of) && isWhole
}
