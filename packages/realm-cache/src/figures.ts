import type { ClusterProvider } from '@authstate/cluster'
import { assertInteger, assertOptions, type Known, randomId } from '@authstate/spi'
import { isPlainObject, timers } from '@authstate/spi/internal'
import type { RegionStats } from './contract.js'

// Nodes ask each other what their regions have done: over the work channel, as figures are nowhere else.

const QUESTIONS = 'realm-cache.figures?'
const ANSWERS = 'realm-cache.figures'

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
interface Answer {
  readonly to: string
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
  const question = randomId()
  const { nodes } = await cluster.refresh()
  const others = new Map(nodes.map(({ incarnation, name }) => [incarnation, name]))
  others.delete(cluster.node.incarnation)
  const heard = new Map<string, Map<string, RegionStats>>()
  const complete = new Set<string>()
  let end = () => {}
  const over = new Promise<void>((resolve) => {
    end = resolve
  })
  const stop = cluster.subscribe<unknown>(ANSWERS, (event, { sender }) => {
    if (!isAnswer(event) || event.to !== question || !others.has(sender.incarnation)) return
    const regions = heard.get(sender.incarnation) ?? new Map<string, RegionStats>()
    heard.set(sender.incarnation, regions)
    if (event.region !== undefined && event.stats !== undefined) regions.set(event.region, event.stats)
    if (regions.size >= event.of) complete.add(sender.incarnation)
    if (complete.size >= others.size) end()
  })
  const timer = timers.setTimeout(end, waitMs)
  try {
    if (others.size > 0) {
      await cluster.publish(QUESTIONS, { question }, { scope: 'others' })
      await over
    }
  } finally {
    timers.clearTimeout(timer)
    stop()
  }
  const byName = (a: string, b: string) => (a < b ? -1 : 1)
  const answered = [...others].filter(([incarnation]) => complete.has(incarnation))
  return {
    nodes: answered
      .map(([incarnation, node]) => ({ node, regions: Object.fromEntries(heard.get(incarnation) ?? []) }))
      .sort((a, b) => byName(a.node, b.node)),
    silent: [...others]
      .filter(([incarnation]) => !complete.has(incarnation))
      .map(([, name]) => name)
      .sort(byName),
  }
}

/** Answers what others ask, until it is stopped. */
export function answerFigures(
  cluster: ClusterProvider,
  figures: () => readonly (readonly [region: string, stats: RegionStats])[],
): () => void {
  return cluster.subscribe<unknown>(QUESTIONS, async (event) => {
    const to = isPlainObject(event) ? event['question'] : undefined
    if (typeof to !== 'string' || to.length > MOST_CHARACTERS) return
    const all = figures()
    const answers: Answer[] = all.map(([region, stats]) => ({ to, of: all.length, region, stats }))
    if (answers.length === 0) answers.push({ to, of: 0 })
    // Whoever asked has a time-out; that nobody can be told is said elsewhere.
    await Promise.allSettled(answers.map((answer) => cluster.publish(ANSWERS, answer, { scope: 'others' })))
  })
}

/** Of a question: what ids of ours have, and some. */
const MOST_CHARACTERS = 64

function isAnswer(event: unknown): event is Answer {
  if (!isPlainObject(event)) return false
  const { to, of, region, stats } = event
  const isWhole =
    region === undefined ? stats === undefined : typeof region === 'string' && isPlainObject(stats)
  return typeof to === 'string' && Number.isInteger(of) && isWhole
}
