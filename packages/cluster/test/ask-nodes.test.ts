import { describe, expect, test } from 'vitest'
import { answerNodes, askNodes } from '../src/ask-nodes.js'
import type { ClusterProvider } from '../src/index.js'

type Listener = (event: unknown, message: { sender: { incarnation: string } }) => unknown
type Event = Readonly<Record<string, unknown>>

const node = (name: string) => ({ name, incarnation: `${name}-1`, joinedAt: 0 })

/** The cluster as node `a` of a, b and c has it. What is published goes to `others`, which may answer by `tell`. */
function clusterOf(
  others: (topic: string, event: Event, tell: (from: string, event: Event) => void) => void,
) {
  const listeners = new Map<string, Listener>()
  const published: (readonly [topic: string, event: Event])[] = []
  const cluster = {
    node: node('a'),
    refresh: async () => ({ nodes: ['a', 'b', 'c'].map(node), version: 1 }),
    subscribe: (topic: string, listener: Listener) => {
      listeners.set(topic, listener)
      return () => listeners.delete(topic)
    },
    publish: async (topic: string, event: Event) => {
      published.push([topic, event])
      others(topic, event, (from, answer) => {
        listeners.get('answers')?.(answer, { sender: { incarnation: `${from}-1` } })
      })
    },
  } as unknown as ClusterProvider
  return { cluster, listeners, published }
}

const QUESTION = { topic: 'question', answers: 'answers', waitMs: 60_000 }
const names = (nodes: readonly { readonly name: string }[]) => nodes.map(({ name }) => name)

describe('what only other nodes know', () => {
  test('a question ends as soon as all have answered, and leaves no listener', async () => {
    const { cluster, listeners, published } = clusterOf((_, { question }, tell) => {
      for (const from of ['c', 'b']) tell(from, { to: question, said: from })
    })
    const said: unknown[] = []
    const { answered, silent } = await askNodes(cluster, { ...QUESTION, content: { id: 7 } }, (_, event) => {
      said.push(event['said'])
      return true
    })
    expect(names(answered)).toEqual(['b', 'c'])
    expect(silent).toEqual([])
    expect(said).toEqual(['c', 'b'])
    expect(published).toEqual([['question', { question: expect.any(String), id: 7 }]])
    expect(listeners.size).toBe(0)
  })

  test('answers to other questions, of strangers, of no shape and of half the content count for nothing', async () => {
    const { cluster } = clusterOf((_, { question }, tell) => {
      tell('b', { to: 'another' })
      tell('stranger', { to: question, whole: true })
      tell('a', { to: question, whole: true })
      tell('b', 'text' as unknown as Event)
      tell('b', { to: question })
      tell('c', { to: question, whole: true })
    })
    const { answered, silent } = await askNodes(
      cluster,
      { ...QUESTION, waitMs: 1 },
      (_, event) => event['whole'] === true,
    )
    expect(names(answered)).toEqual(['c'])
    expect(names(silent)).toEqual(['b'])
  })

  test('a node answers a question with every event, under the id of the question, and nothing that is none', async () => {
    const { cluster, listeners, published } = clusterOf(() => {})
    const stop = answerNodes(cluster, QUESTION, ({ id }) => [{ id }, { id, last: true }])
    const hear = listeners.get('question') as Listener
    for (const event of [undefined, 'text', {}, { question: 7 }, { question: 'x'.repeat(65) }]) {
      await hear(event, { sender: { incarnation: 'b-1' } })
    }
    expect(published).toEqual([])
    await hear({ question: 'q', id: 7 }, { sender: { incarnation: 'b-1' } })
    expect(published).toEqual([
      ['answers', { to: 'q', id: 7 }],
      ['answers', { to: 'q', id: 7, last: true }],
    ])
    stop()
    expect(listeners.size).toBe(0)
  })
})
