import { jsonMap } from '@authstate/spi'
import { expect, test } from 'vitest'
import { copied, isSpoilt, spoil } from '../src/copies.js'
import { type Bug, checkNotebook } from './fixtures/notebook.js'

async function findingOf(bug?: Bug): Promise<string> {
  const [result] = await checkNotebook(bug)
  if (result?.outcome !== 'failed') return result?.outcome ?? 'nothing was run'
  const { cause } = result.failure
  return cause instanceof Error ? cause.message : ''
}

test('a provider with manners passes', async () => {
  expect(await findingOf()).toBe('passed')
})

test.each<[Bug, RegExp]>([
  [
    'keeps what it is given',
    /^(read|write) hands out an object that write was given before|^read answers with a change/,
  ],
  ['hands out what it keeps', /^read hands out an object that read handed out before/],
  ['gives all one object', /^read hands out an object that read handed out before/],
  ['changes what it is given', /^write changes an object that it was given$/],
])('a provider that %s is found', async (bug, finding) => {
  expect(await findingOf(bug)).toMatch(finding)
})

test.each<[Bug, string]>([
  [
    'prints a key in an error',
    'write throws an error whose text holds an id, a token or a value of the case',
  ],
  [
    'prints a key in a log',
    'a log entry holds an id, a token or a value of the case: info "a page … was written"',
  ],
  [
    'prints a field in a log',
    'a log entry holds an id, a token or a value of the case: info "a page was written"',
  ],
  ['prints a short name in a log', 'a log entry holds an id, a token or a value of the case: info "written"'],
])('a provider that %s is found, and the finding does not print it', async (bug, finding) => {
  expect(await findingOf(bug)).toBe(finding)
})

test('a store that never forgets is found by its size', async () => {
  expect(await findingOf('never forgets')).toBe(
    'the store grows without bound: the case was played 3 times, and when all that it wrote had expired, the store held 2, then 4, then 6 entries',
  )
})

test('a copy is equal and shares nothing that can be changed; what behaves keeps its identity', () => {
  const call = () => 1
  const lease = { held: () => true }
  const value = {
    map: new Map([['k', [1]]]),
    set: new Set(['a']),
    at: new Date(5),
    bytes: Buffer.from('abc'),
    list: [{ n: 1 }],
    frozen: Object.freeze({ deep: [1] }),
    bare: Object.assign(Object.create(null), { ['__proto__']: 1 }),
    call,
    lease,
  }
  const { call: _, ...data } = value
  const first = copied(data)
  const second = copied(data)
  expect(first).toStrictEqual(data)
  expect(first.lease).toBe(lease)
  expect(Object.isFrozen(first.frozen)).toBe(true)
  spoil(first)
  expect(isSpoilt(first)).toBe(true)
  expect(isSpoilt(data)).toBe(false)
  expect(data).toStrictEqual(second)
  expect(copied(value)).toBe(value)
})

test('a copy of a map that JSON can write is one, too', () => {
  const copy = copied({ tabs: jsonMap([['a', { n: 1 }]]) })
  expect(JSON.stringify(copy)).toBe('{"tabs":{"a":{"n":1}}}')
})

test('a copy of what refers to itself ends', () => {
  const value: { self?: unknown } = {}
  value.self = value
  const copy = copied(value)
  expect(copy).not.toBe(value)
  expect(copy.self).toBe(copy)
})
