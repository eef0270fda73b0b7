/**
 * What nodes ask each other, for packages that keep something in each process.
 *
 * @module
 */
import { randomId } from '@authstate/spi'
import { isPlainObject, timers } from '@authstate/spi/internal'
import type { ClusterNode, ClusterProvider } from './contract.js'

// Nodes ask each other what only each of them knows: over the work channel, as it is nowhere else.

/** Longest id of a question that is answered: longer than ours are. */
const MOST_CHARACTERS = 64

/** What is asked, and where answers come. */
export interface Question {
  /** Topic of the question. */
  readonly topic: string
  /** Topic of the answers. */
  readonly answers: string
  /** What the question says, beside its own id. */
  readonly content?: Readonly<Record<string, unknown>>
  /** How long answers are waited for at most. */
  readonly waitMs: number
}

/** What came of asking: the other nodes of the cluster. */
export interface Asked {
  /** Those that have answered. */
  readonly answered: readonly ClusterNode[]
  /** Nodes that did not answer in time: they do not know this question, have an earlier version, or are busy. */
  readonly silent: readonly ClusterNode[]
}

/**
 * Asks every other node, and waits until all have answered, `waitMs` at the most. Call it for what only the process itself knows,
 * such as its counters. It costs an event to each node, and what they answer.
 *
 * @param hear Takes an event of a node, by its incarnation, and says whether that node has answered with it. Anybody who may write
 *   to the channel may have sent it: look at what it holds.
 * @throws {StoreUnavailableError} the question could not be sent
 */
export async function askNodes(
  cluster: ClusterProvider,
  { topic, answers, content = {}, waitMs }: Question,
  hear: (incarnation: string, event: Readonly<Record<string, unknown>>) => boolean,
): Promise<Asked> {
  const question = randomId()
  const { nodes } = await cluster.refresh()
  const others = new Map(nodes.map((node) => [node.incarnation, node]))
  others.delete(cluster.node.incarnation)
  const answered = new Set<string>()
  let end = () => {}
  const over = new Promise<void>((resolve) => {
    end = resolve
  })
  const stop = cluster.subscribe<unknown>(answers, (event, { sender: { incarnation } }) => {
    if (!isPlainObject(event) || event['to'] !== question || !others.has(incarnation)) return
    if (!hear(incarnation, event)) return
    answered.add(incarnation)
    if (answered.size === others.size) end()
  })
  const timer = timers.setTimeout(end, waitMs)
  try {
    if (others.size > 0) {
      await cluster.publish(topic, { question, ...content }, { scope: 'others' })
      await over
    }
  } finally {
    timers.clearTimeout(timer)
    stop()
  }
  const all = [...others.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    answered: all.filter(({ incarnation }) => answered.has(incarnation)),
    silent: all.filter(({ incarnation }) => !answered.has(incarnation)),
  }
}

/**
 * Answers what other nodes ask, until it is stopped.
 *
 * @param answer Takes what the question says, and gives what is answered: an event for each.
 */
export function answerNodes(
  cluster: ClusterProvider,
  { topic, answers }: Pick<Question, 'topic' | 'answers'>,
  answer: (content: Readonly<Record<string, unknown>>) => readonly Readonly<Record<string, unknown>>[],
): () => void {
  return cluster.subscribe<unknown>(topic, async (event) => {
    const to = isPlainObject(event) ? event['question'] : undefined
    if (!isPlainObject(event) || typeof to !== 'string' || to.length > MOST_CHARACTERS) return
    // The node that asked has a time-out; the channel itself says when it is away.
    await Promise.allSettled(
      answer(event).map((said) => cluster.publish(answers, { ...said, to }, { scope: 'others' })),
    )
  })
}
