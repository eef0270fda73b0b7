import { channel } from 'node:diagnostics_channel'
import {
  type AnyProviderFactory,
  ConflictError,
  defineSpi,
  PROVIDER_ANSWERS,
  type Provider,
  type ProviderAnswer,
  StoreUnavailableError,
} from '@authstate/spi'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { CALL_CHANNEL, type InstrumentHook, type ProviderCall } from '../src/index.js'
import { factory, recordingLogger, started, users } from './support.js'

/** The clock by which calls are measured, which a test can hold. */
const host = vi.hoisted(() => ({ monotonicMs: vi.fn(() => performance.now()) }))
vi.mock(import('@authstate/spi/internal'), async (original) => {
  const spi = await original()
  return { ...spi, timers: { ...spi.timers, monotonicMs: () => host.monotonicMs() } }
})

class Base {
  inherited(): string {
    return this.name
  }
  get name(): string {
    return 'base'
  }
}
class Counter extends Base implements Provider {
  #count = 0
  readonly limit = 10
  override get name(): string {
    return `counter ${this.#count}`
  }
  async answer(value: unknown): Promise<unknown> {
    return value
  }
  async add(amount: number): Promise<number> {
    if (typeof amount !== 'number') throw new TypeError('"amount" must be a number')
    if (amount < 0) throw new RangeError('"amount" must not be negative')
    this.#count += amount
    return this.#count
  }
  peek(): number {
    return this.#count
  }
  fail(error: unknown): never {
    throw error
  }
  async reject(error: unknown): Promise<void> {
    throw error
  }
  twice = (): number => this.#count * 2
  async checkHealth(): Promise<void> {}
  async close(): Promise<void> {
    this.#count = -1
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
const counterSpi = defineSpi<Counter>('counter')

async function counterWith(instrument?: InstrumentHook, logger = recordingLogger()) {
  const counters: AnyProviderFactory = { spi: counterSpi, id: 'memory', create: () => new Counter() }
  const registry = await started({ factories: [counters], logger, instrument })
  return { registry, counter: registry.get(counterSpi), logger }
}
const TRACING = `tracing:${CALL_CHANNEL}`
const subscriptions: ((message: unknown) => void)[] = []
function subscribe(): ProviderCall[] {
  const calls: ProviderCall[] = []
  const listener = (message: unknown): void => void calls.push(message as ProviderCall)
  subscriptions.push(listener)
  channel(CALL_CHANNEL).subscribe(listener)
  return calls
}
afterEach(() => {
  for (const listener of subscriptions.splice(0)) channel(CALL_CHANNEL).unsubscribe(listener)
})

describe('instrumentation', () => {
  test('tells the hook and the channel of every call', async () => {
    const heard: ProviderCall[] = []
    const published = subscribe()
    const { registry, counter } = await counterWith((call) => heard.push(call))
    await counter.add(3)
    expect(counter.peek()).toBe(3)
    const common = {
      spi: 'counter',
      provider: 'memory',
      node: registry.describe().node,
      durationMs: expect.any(Number),
      outcome: 'ok',
    }
    const expected = [
      { ...common, verb: 'add' },
      { ...common, verb: 'peek', sync: true },
    ]
    expect(heard).toEqual(expected)
    expect(published).toEqual(expected)
  })

  test('the name of the channel', () => {
    expect(CALL_CHANNEL).toBe('authstate:call')
  })

  test('tells a subscriber that came after the start, and none that left', async () => {
    const { counter } = await counterWith()
    counter.peek()
    const published = subscribe()
    counter.peek()
    channel(CALL_CHANNEL).unsubscribe(subscriptions.pop() as () => void)
    counter.peek()
    expect(published).toHaveLength(1)
  })

  test('measures until the promise settles', async () => {
    const heard: ProviderCall[] = []
    let settle = (): void => {}
    const slow = factory(users, 'x', {
      create: () => ({ wait: () => new Promise<void>((resolve) => (settle = resolve)) }),
    })
    const registry = await started({ factories: [slow], instrument: (call) => void heard.push(call) })
    host.monotonicMs.mockReturnValue(100)
    try {
      const waiting = (registry.get(users) as unknown as { wait(): Promise<void> }).wait()
      host.monotonicMs.mockReturnValue(142)
      expect(heard).toEqual([])
      settle()
      await waiting
      expect(heard).toMatchObject([{ verb: 'wait', durationMs: 42 }])
    } finally {
      host.monotonicMs.mockImplementation(() => performance.now())
    }
  })

  test.each([
    [new ConflictError('x'), 'ERR_CONFLICT'],
    [new StoreUnavailableError('x', { applied: 'no' }), 'ERR_STORE_UNAVAILABLE'],
    [new TypeError('x'), 'TypeError'],
    [new RangeError('x'), 'RangeError'],
    [new Error('x'), 'error'],
    ['text', 'error'],
  ])(
    'of a failure it tells what kind, and the caller gets the failure itself: %s',
    async (error, outcome) => {
      const heard: ProviderCall[] = []
      const { counter } = await counterWith((call) => heard.push(call))
      expect(() => counter.fail(error)).toThrow()
      await expect(counter.reject(error)).rejects.toBe(error)
      expect(heard).toMatchObject([
        { verb: 'fail', outcome },
        { verb: 'reject', outcome },
      ])
    },
  )

  test('holds no arguments, results or ids', async () => {
    const heard: ProviderCall[] = []
    const { counter } = await counterWith((call) => heard.push(call))
    await counter.add(987_654)
    await counter.reject(new Error('987654')).catch(() => {})
    const names = ['durationMs', 'node', 'outcome', 'provider', 'spi', 'verb']
    for (const call of heard) expect(Object.keys(call).sort()).toEqual(names)
    expect(JSON.stringify(heard.map(({ durationMs: _, ...rest }) => rest))).not.toContain('987654')
  })

  test.each<[unknown, ProviderAnswer | undefined]>([
    [undefined, 'absent'],
    [true, 'true'],
    [false, 'false'],
    ['stored', 'stored'],
    [{ outcome: 'refused', reason: 'user-limit' }, 'refused'],
    [{ outcome: 'executed', result: 's3cret' }, 'executed'],
    ['eyJhbGciOiJIUzI1NiJ9.s3cret', undefined],
    [{ outcome: 's3cret' }, undefined],
    [{ outcome: { toString: () => 'used' } }, undefined],
    [null, undefined],
    [7, undefined],
    [{}, undefined],
    [[], undefined],
  ])('tells the word that a verb answered, and no other text: %j', async (value, answer) => {
    const heard: ProviderCall[] = []
    const { counter } = await counterWith((call) => heard.push(call))
    expect(await counter.answer(value)).toBe(value)
    expect(heard[0]?.answer).toBe(answer)
    expect('answer' in (heard[0] ?? {})).toBe(answer !== undefined)
  })

  test('an answer that nobody may look into is the caller’s all the same', async () => {
    const heard: ProviderCall[] = []
    const { counter } = await counterWith((call) => heard.push(call))
    const hostile = new Proxy(
      {},
      {
        get(_, key) {
          if (key === 'outcome') throw new Error('not yours')
          return undefined
        },
      },
    )
    expect(await counter.answer(hostile)).toBe(hostile)
    expect(heard).toMatchObject([{ outcome: 'ok' }])
  })

  test('a hook that fails reaches no caller and is logged once', async () => {
    const hooks: InstrumentHook[] = [
      () => {
        throw new Error('broken')
      },
      (async () => {
        throw new Error('broken')
      }) as unknown as InstrumentHook,
    ]
    for (const hook of hooks) {
      const { counter, logger } = await counterWith(hook)
      for (let round = 1; round <= 3; round++) expect(await counter.add(1)).toBe(round)
      await new Promise(setImmediate)
      expect(logger.lines).toHaveLength(1)
    }
  })

  test('close, checkHealth and symbols are forwarded and not counted', async () => {
    const heard: ProviderCall[] = []
    const { registry, counter } = await counterWith((call) => heard.push(call))
    await counter.checkHealth()
    await registry.health()
    await counter[Symbol.asyncDispose]()
    expect(counter.name).toBe('counter -1')
    expect(heard).toEqual([])
  })

  test('a rejection that nobody handles is still seen as one', async () => {
    const { counter } = await counterWith(() => {})
    const unhandled: unknown[] = []
    const listener = (reason: unknown): void => void unhandled.push(reason)
    const others = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', listener)
    try {
      const fault = new Error('nobody cares')
      void counter.reject(fault)
      await new Promise(setImmediate)
      expect(unhandled).toEqual([fault])
    } finally {
      process.off('unhandledRejection', listener)
      for (const other of others) process.on('unhandledRejection', other)
    }
  })

  test('calls from one provider to another are told as well', async () => {
    const heard: ProviderCall[] = []
    const outer = factory(users, 'x', {
      dependsOn: [counterSpi],
      create: (context) => ({ bump: () => context.get(counterSpi).add(1) }),
    })
    const inner: AnyProviderFactory = { spi: counterSpi, id: 'memory', create: () => new Counter() }
    const registry = await started({ factories: [outer, inner], instrument: (call) => void heard.push(call) })
    await (registry.get(users) as unknown as { bump(): Promise<number> }).bump()
    expect(heard.map(({ verb }) => verb)).toEqual(['add', 'bump'])
  })
})

describe('what get() hands out', () => {
  test('behaves as the provider: private fields, getters, inherited and own methods', async () => {
    const { registry, counter } = await counterWith()
    expect(await counter.add(2)).toBe(2)
    expect(counter.name).toBe('counter 2')
    expect(counter.inherited()).toBe('counter 2')
    expect(counter.twice()).toBe(4)
    expect(counter.limit).toBe(10)
    expect(registry.get(counterSpi)).toBe(counter)
  })

  test('works for plain objects', async () => {
    const plain = {
      count: 1,
      bump() {
        this.count += 1
        return this.count
      },
    }
    const registry = await started({ factories: [factory(users, 'x', { create: () => plain })] })
    const got = registry.get(users) as unknown as typeof plain
    expect(got.bump()).toBe(2)
    expect(got.count).toBe(2)
  })

  test('synchronous methods stay synchronous', async () => {
    for (const hook of [undefined, () => {}]) {
      const { counter } = await counterWith(hook)
      expect(counter.peek()).toBe(0)
      expect(counter.add(1)).toBeInstanceOf(Promise)
    }
  })

  test('when nobody listens a call passes straight through: no time is taken, nothing wrapped, nothing published', async () => {
    const promise = Promise.resolve(1)
    const then = vi.spyOn(promise, 'then')
    const direct = factory(users, 'x', { create: () => ({ same: () => promise }) })
    const registry = await started({ factories: [direct] })
    host.monotonicMs.mockClear()
    const names = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((event) => `${TRACING}:${event}`)
    const published = [CALL_CHANNEL, ...names].flatMap((name) => {
      const one = channel(name)
      return [vi.spyOn(one, 'publish'), vi.spyOn(one, 'runStores')]
    })
    try {
      expect((registry.get(users) as unknown as { same(): Promise<number> }).same()).toBe(promise)
      expect(host.monotonicMs).not.toHaveBeenCalled()
      expect(then).not.toHaveBeenCalled()
      for (const spy of published) expect(spy).not.toHaveBeenCalled()
    } finally {
      vi.restoreAllMocks()
      host.monotonicMs.mockImplementation(() => performance.now())
    }
  })
})

test('the list of answers has each word once', () => {
  expect(new Set(PROVIDER_ANSWERS).size).toBe(PROVIDER_ANSWERS.length)
})
