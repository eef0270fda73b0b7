import assert from 'node:assert/strict'
import { defineSpi, type Provider, type ProviderFactory } from '@authstate/spi'
import { expect, test } from 'vitest'
import {
  checkSuite,
  defineSuite,
  leftOut,
  type OpenStore,
  type ProviderDescription,
  providerTarget,
  runSuite,
} from '../src/index.js'
import { tallyTarget } from './fixtures/check.js'
import { tallySuite } from './fixtures/tally.js'

/** What `runSuite` registers with a runner that has, or has not, a `skip`. */
function registered(leaveOut: Record<string, string>, canSkip: boolean) {
  const run: string[] = []
  const skipped: string[] = []
  const test = (name: string) => run.push(name)
  const runner = { describe: (_: string, body: () => void) => body(), test }
  const skip = (name: string) => skipped.push(name)
  runSuite(
    tallySuite,
    { ...tallyTarget(), leaveOut },
    canSkip ? { ...runner, test: Object.assign(test, { skip }) } : runner,
  )
  return { run, skipped }
}

test('a left-out level or case is one skipped entry that says why, the rest runs', () => {
  const { run, skipped } = registered(
    { basic: 'not yet', 'get: gone at the end of its life': 'no clock' },
    true,
  )
  expect(run).toEqual([
    'add: N callers see N sums [concurrency, contract]',
    'add: every node sees it [cluster, contract]',
  ])
  expect(skipped).toEqual(
    ['left out, 2 cases: basic: not yet', 'left out, 1 case: no clock'].sort().reverse(),
  )
})

test('a runner without skip shows it all the same', () => {
  expect(registered({ cluster: 'alone' }, false).run.at(-1)).toBe('left out, 1 case: cluster: alone')
})

test('a runner is given more time than the kit, whose report says more', async () => {
  const bodies: ((this: unknown) => Promise<void>)[] = []
  const given: unknown[] = []
  const test = (_: string, body: () => Promise<void>, timeoutMs?: number) => {
    bodies.push(body)
    given.push(timeoutMs)
  }
  const runner = { describe: (_: string, body: () => void) => body(), test }
  runSuite(tallySuite, tallyTarget(), runner, { timeoutMs: 5_000 })
  expect(new Set(given)).toEqual(new Set([35_000]))
  // Mocha's way: the context of a test takes it.
  const context = { timeout: (ms: number) => given.push(`mocha ${ms}`) }
  await bodies[0]?.call(context)
  expect(given.at(-1)).toBe('mocha 35000')
})

test('leftOut names every case and its reason', () => {
  expect(leftOut(tallySuite, { ...tallyTarget(), leaveOut: { basic: 'not yet' } })).toEqual([
    { name: 'add: answers the sum', reason: 'basic: not yet' },
    { name: 'add: any walk gives what counting gives', reason: 'basic: not yet' },
  ])
  expect(leftOut(tallySuite, tallyTarget())).toEqual([])
})

test.each([
  [{ concurency: 'a slip' }, /'concurency' is no level and no case of tally.*Did you mean 'concurrency'/],
  [{ __proto__x: 'odd' }, /no level/],
  [{ basic: ' ' }, /'basic' needs a reason/],
])('%o is refused', (leaveOut, message) => {
  expect(() => leftOut(tallySuite, { ...tallyTarget(), leaveOut })).toThrow(message)
  expect(() => registered(leaveOut, true)).toThrow(TypeError)
})

interface Shelf extends Provider {
  put(text: string): Promise<void>
  all(): Promise<readonly string[]>
}

const shelfSpi = defineSpi<Shelf>('shelf')

/** A store outside the provider, which the property `at` leads to. */
const places = new Map<string, string[]>()

const shelves: ProviderFactory<Shelf, { readonly at: string }> = {
  spi: shelfSpi,
  id: 'shelf',
  config: { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as never }) } },
  create: (_, { at }) => ({
    put: async (text) => void (places.get(at) ?? assert.fail('no such place')).push(text),
    all: async () => places.get(at) ?? [],
  }),
}

const shelfSuite = defineSuite(shelfSpi, ({ basic, cluster }) => {
  basic('put: on an empty store', 'here', async ({ provider }) => {
    assert.deepEqual(await provider.all(), [])
    await provider.put('one')
  })
  cluster('put: seen by another node', 'here', async ({ provider, anotherNode }) => {
    await provider.put('one')
    const other = await anotherNode()
    assert.notEqual(other, provider)
    assert.deepEqual(await other.all(), ['one'])
  })
})

const describeShelf = (more: Partial<ProviderDescription<Shelf>>) =>
  providerTarget({ spi: shelfSpi, name: 'shelf', factories: [shelves], ...more })

function openShelf(more: Partial<OpenStore> = {}) {
  const at = `place ${places.size}`
  places.set(at, [])
  return { properties: { at }, close: () => void places.delete(at), ...more }
}

test('each case gets a store of its own, each node a provider, and all is closed', async () => {
  const results = await checkSuite(shelfSuite, describeShelf({ openStore: () => openShelf() }))
  expect(results.map(({ outcome }) => outcome)).toEqual(['passed', 'passed'])
  expect(places.size).toBe(0)
})

test('without a store of its own a case finds what another left', async () => {
  places.set('shared', [])
  const results = await checkSuite(shelfSuite, describeShelf({ properties: { at: 'shared' } }))
  expect(results.map(({ outcome }) => outcome)).toEqual(['passed', 'failed'])
  places.clear()
})

test('disorder that verify finds fails the case', async () => {
  const openStore = () => openShelf({ verify: () => assert.fail('dust') })
  const [result] = await checkSuite(shelfSuite, describeShelf({ openStore }))
  expect(result).toMatchObject({ outcome: 'failed', failure: { message: expect.stringContaining('dust') } })
  expect(places.size).toBe(0)
})

test('a provider that cannot be started fails the case with the reason', async () => {
  const broken = { ...shelves, create: () => assert.fail('no disk') }
  const [result] = await checkSuite(shelfSuite, describeShelf({ factories: [broken] }))
  expect(result).toMatchObject({
    outcome: 'failed',
    failure: { message: expect.stringContaining('no disk') },
  })
})

test('of several factories of the SPI one must be named', async () => {
  const two = [shelves, { ...shelves, id: 'other' }]
  const run = async (more: Partial<ProviderDescription<Shelf>>) =>
    (await checkSuite(shelfSuite, describeShelf({ openStore: () => openShelf(), ...more }))).map((item) =>
      item.outcome === 'failed' ? item.failure.message : item.outcome,
    )
  expect(await run({ factories: two, provider: 'other' })).toEqual(['passed', 'passed'])
  expect((await run({ factories: two }))[0]).toContain('"provider" must say which')
  expect((await run({ factories: [] }))[0]).toContain('"factories" has none for shelf')
})
