// What changed is told at once, however much is still under way, up to a bound.
import type { ChangedRecord, RedisConnection, SiteJoiner } from '@authstate/redis'
import { expect, test } from 'vitest'
import { Flights } from '../src/flights.js'
import type { Link } from '../src/link.js'
import type { Telling, Told } from '../src/link-parts.js'
import { until } from './support.js'

const joiner = { spi: 'vault', owns: () => true } as unknown as SiteJoiner

/** Flights over a store in which each look finds one more change, to a site that confirms nothing until it is told to. */
function openFlights() {
  let looks = 0
  const told: string[] = []
  const waiting: (() => void)[] = []
  const connection = {
    clock: { now: () => 1 },
    keys: { key: (...parts: unknown[]) => parts.join(':') },
    run: async () => {
      looks += 1
      return { last: `${looks}-0`, notes: [[`${looks}-0`, ['vault', `tv:acme:${looks}`]]] }
    },
  } as unknown as RedisConnection
  const link = { to: 'b', tells: () => true, mark() {} } as unknown as Link
  const flights = new Flights({
    connection,
    consumer: 'sites',
    joiners: [joiner],
    links: [link],
    read: async (records: readonly ChangedRecord[]) =>
      records.map((record): Told => ({ joiner, record, state: '{}' })),
    tell: async (_, all) => {
      told.push(...all.map(({ record }) => record.name))
      await new Promise<void>((resolve) => waiting.push(resolve))
      return all.map((): Telling => ({ outcome: 'applied' }))
    },
    onLost() {},
  })
  const confirm = () => {
    for (const resolve of waiting.splice(0)) resolve()
  }
  return { flights, told, link, looks: () => looks, confirm }
}

test('a change is told while earlier ones are not confirmed, eight at once', async () => {
  const { flights, told, link, looks, confirm } = openFlights()
  for (let n = 1; n <= 8; n++) {
    flights.hurry(0)
    await until(async () => told.length === n)
  }
  flights.hurry(0)
  await new Promise(setImmediate)
  expect(looks()).toBe(8)
  expect(told).toEqual(Array.from({ length: 8 }, (_, n) => `v:acme:${n + 1}`))
  expect(flights.hasTold(0, link, '1-0')).toBe(false)

  confirm()
  await flights.landed(0)
  expect(flights.hasTold(0, link, '1-0')).toBe(true)
  flights.hurry(0)
  await until(async () => told.length === 9)
  confirm()
  await flights.landed(0)
})
