import assert from 'node:assert/strict'
import { defineSpi, type Provider, type ProviderFactory } from '@authstate/spi'
import { expect, test } from 'vitest'
import { ConformanceFailure, checkSuite, defineSuite, memoryTarget, type Stage } from '../src/index.js'
import { check, reportOf } from './fixtures/check.js'

test('a good provider passes every case', async () => {
  expect((await check()).map(({ outcome }) => outcome)).toEqual(Array(5).fill('passed'))
})

test('a failure reads like a bug report', async () => {
  expect(await reportOf('late-expiry', 'gone at the end')).toBe(`fixture does not keep a guarantee of tally

  guarantee  get: gone at the end of its life
  source     contract
  target     fixture, a provider of tally; level expiry
  expected   undefined
  got        1
  steps      1  add('realm', 'k', 1000)  → 1
             2  the clock goes on by 999 ms
             3  get('realm', 'k')  → 1
             4  the clock goes on by 1 ms
             5  get('realm', 'k')  → 1
`)
})

test('it names the node of each step', async () => {
  const report = await reportOf('lost-update', 'N callers')
  expect(report).toContain("1  add('realm', 'k', 1000)  → 1")
  expect(report).toContain("2  node 2: add('realm', 'k', 1000)  → 1")
})

test('it holds what a provider threw', async () => {
  const report = await reportOf('throw', 'answers the sum')
  expect(report).toContain('error      Error: the store is on fire')
  expect(report).toContain("1  add('realm', 'k', 1000)  throws Error: the store is on fire")
})

test('what never answers fails in time, and the report says where it stopped', async () => {
  const report = await reportOf('hang', 'answers the sum')
  expect(report).toContain('the case did not end within 200 ms')
  expect(report).toContain("1  add('realm', 'k', 1000)  … no answer")
})

test('the failure knows the parts of its report, and points at the case', async () => {
  const [result] = await check('late-expiry', 'gone at the end')
  assert.ok(result?.outcome === 'failed')
  const { failure } = result
  expect(failure).toBeInstanceOf(ConformanceFailure)
  expect(failure).toMatchObject({
    spi: 'tally',
    target: 'fixture',
    guarantee: 'get: gone at the end of its life',
    level: 'expiry',
    source: 'contract',
    expected: undefined,
    actual: 1,
  })
  expect(failure.steps).toHaveLength(5)
  expect(failure.stack).toMatch(/\n {4}at .*tally\.ts/)
  expect(failure.cause).toBeInstanceOf(assert.AssertionError)
})

const probeSpi = defineSpi<Probe>('probe')

class Child {
  constructor(readonly name: string) {}
  size() {
    return this.name.length
  }
}

class Probe implements Provider {
  readonly #children = new Map<string, Child>()
  readonly id = 'read-only'

  child(name: string) {
    const child = this.#children.get(name) ?? new Child(name)
    this.#children.set(name, child)
    return child
  }

  async echo(value: unknown) {
    return value
  }

  async close() {}

  refuse(): never {
    throw new TypeError('"x" is wrong')
  }
}

const probes: ProviderFactory<Probe> = { spi: probeSpi, id: 'probe', create: () => new Probe() }

async function outcomeOf(run: (stage: Stage<Probe>) => Promise<void>, seed = 7) {
  const suite = defineSuite(probeSpi, ({ basic }) => basic('probe: runs', 'here', run))
  const [result] = await checkSuite(suite, memoryTarget(probeSpi, [probes]), { seed })
  assert.ok(result !== undefined)
  return result
}

const messageOf = async (run: (stage: Stage<Probe>) => Promise<void>, seed?: number) => {
  const result = await outcomeOf(run, seed)
  return result.outcome === 'failed' ? result.failure.message : result.outcome
}

test('recording changes nothing of what a provider is', async () => {
  const result = await outcomeOf(async ({ provider }) => {
    assert.equal(provider.id, 'read-only')
    assert.equal(provider.child('a'), provider.child('a'))
    assert.equal(provider.child('abc').size(), 3)
    assert.ok(provider.child('a') instanceof Child)
    assert.throws(() => provider.refuse(), TypeError)
    const value = { deep: [1] }
    assert.deepEqual(await provider.echo(value), value)
    assert.equal('child' in provider, true)
    assert.equal('nothing' in provider, false)
  })
  expect(result.outcome).toBe('passed')
})

test('calls of what a provider gives out are steps, too', async () => {
  const message = await messageOf(async ({ provider }) => assert.equal(provider.child('abc').size(), 4))
  expect(message).toMatch(/1 {2}child\('abc'\) {2}→ .*\n.*2 {2}child\('abc'\)\.size\(\) {2}→ 3/)
})

test('a long case keeps its last steps and says how many there were', async () => {
  const message = await messageOf(async ({ provider }) => {
    for (let n = 0; n < 5_000; n++) await provider.echo(n)
    assert.fail('at the end')
  })
  expect(message).toContain('check      at the end')
  expect(message).toContain('… 4976 before')
  expect(message).toContain('5000  echo(4999)  → 4999')
  expect(message).not.toContain('echo(4975)')
})

test('long values are cut', async () => {
  const message = await messageOf(async ({ provider }) => {
    await provider.echo({ text: 'x'.repeat(1_000_000), list: Array(10_000).fill(0) })
    assert.fail()
  })
  expect(message.length).toBeLessThan(2_000)
})

test('the seed is told when a case drew from it, and only then', async () => {
  expect(await messageOf(async ({ random }) => assert.equal(random(), 2), 42)).toContain(
    'seed       42, repeat with AUTHSTATE_TEST_SEED=42',
  )
  expect(await messageOf(async (stage) => assert.equal(stage.seed, 2), 42)).toContain('seed       42,')
  expect(await messageOf(async () => assert.fail(), 42)).not.toContain('seed')
})

test('the same seed gives the same numbers, another gives others', async () => {
  const drawn: number[][] = []
  for (const seed of [1, 1, 2]) {
    await outcomeOf(async ({ random }) => {
      drawn.push(Array.from({ length: 100 }, random))
    }, seed)
  }
  expect(drawn[0]).toEqual(drawn[1])
  expect(drawn[0]).not.toEqual(drawn[2])
  for (const number of drawn.flat()) expect(number >= 0 && number < 1).toBe(true)
  expect(new Set(drawn[0]).size).toBe(100)
})

test('a case that asks for counted commands is left out where there are none', async () => {
  const result = await outcomeOf(async ({ commands }) => {
    if (commands === undefined) return
    assert.fail()
  })
  expect(result).toMatchObject({ outcome: 'left out', reason: 'the target counts no commands' })
})
