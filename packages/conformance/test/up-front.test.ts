import { defineSpi, type Provider, type ProviderFactory } from '@authstate/spi'
import { describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { Progress } from '../src/cli/progress.js'
import {
  checkSuite,
  defineSuite,
  memoryTarget,
  redisTarget,
  refusesMisspelling,
  runSuite,
  taker,
} from '../src/index.js'

interface PairProvider extends Provider {
  left(options?: { readonly limit?: number }): string
  right(): string
}
const pairSpi = defineSpi<PairProvider>('pair')

const suite = defineSuite<PairProvider>(
  pairSpi,
  ({ basic }) => {
    basic('left: answers', 'contract', async ({ provider }) => void provider.left())
    basic('right: answers', 'contract', async ({ provider }) => void provider.right())
  },
  {},
  { left: true, right: true },
)

const pairs = (provider: Partial<PairProvider>): ProviderFactory<PairProvider> => ({
  spi: pairSpi,
  id: 'memory',
  create: () => provider as PairProvider,
})
const whole = { left: () => 'l', right: () => 'r' }

describe('a provider that lacks a verb', () => {
  const target = memoryTarget(pairSpi, [pairs({ left: whole.left })])

  test('is told so once, and no case is run', async () => {
    const results = await checkSuite(suite, target)
    expect(results).toMatchObject([{ guarantee: 'verbs: every one is there', outcome: 'failed' }])
    const [only] = results
    expect(only?.outcome === 'failed' && only.failure.message).toContain(
      'the provider lacks the method right; no case was run',
    )
  })

  test('fails one test of a runner, the first', async () => {
    const tests: [name: string, body: () => Promise<void>][] = []
    const runner = {
      describe: (_: string, body: () => void) => body(),
      test: (name: string, body: () => Promise<void>) => void tests.push([name, body]),
    }
    runSuite(suite, target, runner)
    const outcomes = await Promise.allSettled(tests.map(([, body]) => body()))
    expect(tests[0]?.[0]).toMatch(/^verbs: every one is there/)
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
  })

  test('is told nothing when it lacks none', async () => {
    const results = await checkSuite(suite, memoryTarget(pairSpi, [pairs(whole)]))
    expect(results.map(({ outcome }) => outcome)).toEqual(['passed', 'passed'])
  })
})

describe('a verb that takes a misspelt property', () => {
  const looksAt = (left: PairProvider['left']) =>
    refusesMisspelling<PairProvider>({
      left: [taker<{ readonly limit?: number }>({ limit: 1 }, (options) => left(options))],
      right: [],
    })

  test.each<[string, PairProvider['left'], RegExp]>([
    ['without a word', () => 'l', /left takes an object in which limit is spelt limi/],
    [
      'and fails by accident',
      () => {
        throw new TypeError('limit is not a function')
      },
      /left does not name limi/,
    ],
  ])('%s, is found', async (_, left, message) => {
    await expect(looksAt(left)).rejects.toThrow(message)
  })

  test('is not found where it is refused by name', async () => {
    await looksAt(() => {
      throw new TypeError(`"options" has no property 'limi'. Known: 'limit'.`)
    })
  })
})

describe('the command says what runs', () => {
  const said = (isTerminal: boolean) => {
    const parts: string[] = []
    const progress = new Progress('pair on sqlite', 2, {
      isTerminal,
      complain: (text) => void parts.push(text),
    })
    progress.begin('left: answers')
    progress.begin('right: answers')
    progress.end()
    return parts
  }

  test('in lines of their own', () => {
    expect(said(false)).toEqual([
      'pair on sqlite 1/2: left: answers\n',
      'pair on sqlite 2/2: right: answers\n',
    ])
  })

  test('on a terminal in one line, which is taken away', () => {
    const parts = said(true)
    expect(parts.map((part) => part.trimEnd().replace('\r', ''))).toEqual([
      'pair on sqlite 1/2: left: answers',
      'pair on sqlite 2/2: right: answers',
      '',
    ])
    expect(parts.every((part) => part.startsWith('\r') && !part.includes('\n'))).toBe(true)
  })
})

describeWith(redis, 'a target on Redis', () => {
  test('hands the logger of the case to the provider', async () => {
    const talking: ProviderFactory<PairProvider> = {
      spi: pairSpi,
      id: 'redis',
      create: ({ logger }) => ({
        ...whole,
        left: () => {
          logger.warn({}, 'left was asked')
          return 'l'
        },
      }),
    }
    const logged = defineSuite<PairProvider>(pairSpi, ({ basic }) => {
      basic('left: says so', 'contract', async ({ provider, logger }) => {
        provider.left()
        expect(logger.entries.map(({ message }) => message)).toContain('left was asked')
      })
    })
    const client = openRedis()
    try {
      const target = redisTarget({
        name: 'redis',
        spi: pairSpi,
        factories: [talking],
        client: () => client,
        keySpace: { records: [], indexes: {} },
      })
      const results = await checkSuite(logged, target)
      expect(results).toMatchObject([{ outcome: 'passed' }])
    } finally {
      client.disconnect()
    }
  })
})
