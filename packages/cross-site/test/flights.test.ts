// What changed is told at once, however much is still under way, up to a bound.
import type { ChangedRecord, RedisConnection, SiteJoiner } from '@authstate/redis'
import { expect, test } from 'vitest'
import { Flights } from '../src/flights.js'
import type { Link } from '../src/link.js'
import type { Telling, Told } from '../src/link-parts.js'
import { until } from './support.js'

const joiner = { spi: 'vault', owns: () => true } as unknown as SiteJoiner

interface Options {
  /** Of each state. */
  readonly bytes?: number
  readonly notesPerLook?: number
  readonly patienceMs?: number
  readonly gatherMs?: number
  /** A site that confirms what it is told, beside the one that waits. */
  readonly other?: Link
}

const linkTo = (to: string) => ({ to, tells: () => true, mark() {} }) as unknown as Link

/** Flights over a store in which each look finds one more change, to a site that confirms nothing until it is told to. */
function openFlights({
  bytes = 2,
  notesPerLook = 1,
  patienceMs = 60_000,
  gatherMs = 2,
  other,
}: Options = {}) {
  let looks = 0
  const told: string[] = []
  const waiting: (() => void)[] = []
  const noted = (note: string) => [`${note}-0`, ['vault', `tv:acme:${note}`]]
  const connection = {
    clock: { now: () => 1 },
    keys: { key: (...parts: unknown[]) => parts.join(':') },
    run: async () => {
      looks += 1
      const notes = Array.from({ length: notesPerLook }, (_, n) =>
        noted(`${(looks - 1) * notesPerLook + n + 1}`),
      )
      return { last: notes.at(-1)?.[0], notes }
    },
  } as unknown as RedisConnection
  const link = linkTo('b')
  const flights = new Flights({
    connection,
    consumer: 'sites',
    joiners: [joiner],
    links: other === undefined ? [link] : [link, other],
    read: async (records: readonly ChangedRecord[]) =>
      records.map((record): Told => ({ joiner, record, state: 'x'.repeat(bytes) })),
    tell: async (to, all) => {
      const answer = all.map((): Telling => ({ outcome: 'applied' }))
      if (to === other) return answer
      told.push(...all.map(({ record }) => record.name))
      await new Promise<void>((resolve) => waiting.push(resolve))
      return answer
    },
    onLost() {},
    patienceMs,
    gatherMs,
  })
  const confirm = () => {
    for (const resolve of waiting.splice(0)) resolve()
  }
  return { flights, told, link, looks: () => looks, confirm }
}

const turn = () => new Promise(setImmediate)

test('a change is told while earlier ones are not confirmed, eight at once', async () => {
  const { flights, told, link, looks, confirm } = openFlights()
  for (let n = 1; n <= 8; n++) {
    flights.hurry(0)
    await until(async () => told.length === n)
  }
  flights.hurry(0)
  await turn()
  await turn()
  expect(looks()).toBe(8)
  expect(told).toEqual(Array.from({ length: 8 }, (_, n) => `v:acme:${n + 1}`))
  expect(flights.hasTold(0, link, '1-0')).toBe(false)

  confirm()
  await flights.landed(0)
  expect(flights.hasTold(0, link, '1-0')).toBe(true)
  // What could not be told at once is told as soon as something has landed.
  await until(async () => told.length === 9)
  confirm()
  await flights.landed(0)
})

test('changes are told up to 256 KiB at once, and the next as soon as something has landed', async () => {
  const { flights, told, looks, confirm } = openFlights({ bytes: 100 * 1_024 })
  for (let n = 1; n <= 3; n++) {
    flights.hurry(0)
    await until(async () => told.length === n)
  }
  flights.hurry(0)
  await turn()
  await turn()
  expect(looks()).toBe(3)
  confirm()
  await until(async () => told.length === 4)
  confirm()
})

test('changes that were made together are told in parts of 256 KiB', async () => {
  const { flights, told, confirm } = openFlights({ bytes: 200 * 1_024, notesPerLook: 3 })
  flights.hurry(0)
  await until(async () => told.length > 0)
  await turn()
  expect(told).toEqual(['v:acme:1', 'v:acme:2'])
  confirm()
  await until(async () => told.length === 3)
  confirm()
  await flights.landed(0)
})

test('changes are gathered only while more than half of that is under way', async () => {
  const { flights, told, looks, confirm } = openFlights({ gatherMs: 60_000 })
  for (let n = 1; n <= 5; n++) {
    for (let change = 0; change < 3; change++) flights.hurry(0)
    await until(async () => told.length === n)
  }
  expect(looks()).toBe(5)
  flights.hurry(0)
  await turn()
  await turn()
  expect(looks()).toBe(5)
  confirm()
  flights.close()
})

test('a site that confirms nothing keeps changes for another one waiting for a while only', async () => {
  const other = linkTo('c')
  const { flights, link, looks, confirm } = openFlights({ other, patienceMs: 1 })
  for (let n = 1; n <= 10; n++) {
    flights.hurry(0)
    await until(async () => looks() === n)
    await flights.landed(0)
    expect([flights.hasTold(0, link, `${n}-0`), flights.hasTold(0, other, `${n}-0`)]).toEqual([false, true])
  }
  confirm()
})

test('nothing departs once it is closed', async () => {
  const { flights, looks } = openFlights()
  flights.hurry(0)
  flights.close()
  await turn()
  await turn()
  expect(looks()).toBe(0)
})
