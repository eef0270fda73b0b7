// What is due is found without looking at what is not: work is counted, because time says little on a machine that has other work.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DueQueue } from '../src/due-queue.js'
import { MemoryStore } from '../src/memory-store.js'
import type { NewMessage, Terms } from '../src/store.js'

/** A number that counts how often it is compared. */
function counter() {
  const counted = {
    comparisons: 0,
    of: (value: number): number =>
      ({
        valueOf: () => {
          counted.comparisons += 1
          return value
        },
      }) as unknown as number,
  }
  return counted
}

test('things come in the order of their instants, and of one instant as they were put', () => {
  const change = fc.record({ item: fc.nat(12), at: fc.option(fc.nat(6), { nil: undefined }) })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 120 }), (changes) => {
      const queue = new DueQueue<number>()
      const model = new Map<number, number>()
      for (const { item, at } of changes) {
        if (at === undefined) expect(queue.delete(item)).toBe(model.delete(item))
        else {
          model.delete(item)
          model.set(item, at)
          queue.set(item, at)
        }
        const [first] = [...model].sort((a, b) => a[1] - b[1])
        expect(queue.first()).toMatchObject(first ? { item: first[0], at: first[1] } : {})
        expect(queue.size).toBe(model.size)
      }
    }),
  )
})

test('a change costs the height of the heap, also where the same thing changes again and again', () => {
  const numbers = counter()
  const queue = new DueQueue<number>()
  const COUNT = 10_000
  for (let item = 0; item < COUNT; item++) queue.set(item, numbers.of((item * 7_919) % COUNT))
  for (let times = 0; times < COUNT; times++) queue.set(0, numbers.of(times))
  for (let top = queue.first(); top !== undefined; top = queue.first()) queue.delete(top.item)
  // 20 000 put and taken: 14 levels, two children each, two looks at an instant, both sides of a comparison.
  expect(numbers.comparisons / (2 * COUNT)).toBeLessThan(14 * 2 * 2 * 2)
})

test('claim: of a thousand hosts those are looked at that are due', async () => {
  const store = new MemoryStore()
  const terms: Terms = {
    now: 0,
    maxLifeMs: 1_000_000,
    keepMs: 1_000,
    deadKeepMs: 1_000,
    maxQueued: 10_000,
    maxDead: 10,
  }
  const HOSTS = 1_000
  const messages = Array.from(
    { length: HOSTS },
    (_, index): NewMessage => ({
      id: `m${index}`,
      target: { clientId: `c${index}`, kind: 'logout-token', via: 'url', host: `h${index}` },
      refused: undefined,
    }),
  )
  const announcement = { type: 'session-ended', userId: 'u', sessionId: 's', at: 0 } as const
  await store.enqueue({ realmId: 'r', deliveryId: 'd', announcement, messages }, terms)
  const numbers = counter()
  let claimed = 0
  for (let claims = 0; claimed < HOSTS && claims < HOSTS; claims++) {
    const { messages: taken } = await store.claim({
      now: numbers.of(0),
      leaseUntil: 100,
      owner: 'o',
      limit: 1,
      maxPerClient: 1,
      sending: [],
      terms,
    })
    for (const message of taken) {
      const state = { ...message.state, state: 'delivered', nextAt: 0 } as const
      await store.settle(message, { owner: 'o', state, laneFreeAt: 0, terms })
    }
    claimed += taken.length
  }
  expect(claimed).toBe(HOSTS)
  // A claim that looks at all of them compares half a million times.
  expect(numbers.comparisons / HOSTS).toBeLessThan(8)
})
