import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { exampleOffences, packageOffences } from './lib/architecture.js'
import { readTracked } from './lib/tracked.js'

const files = readTracked(/^(packages(\/adapters)?|examples)\/[^/]+\/(package\.json$|.*\.[cm]?[jt]sx?$)/)

describe('the arrows of the house', () => {
  test('every source of a package imports only what it may', () => expect(packageOffences(files)).toEqual([]))
  test('examples import published names only', () => expect(exampleOffences(files)).toEqual([]))
})

describe('the checker finds what is planted', () => {
  const ours = ['spi', 'registry', 'redis', 'cluster', 'conformance', 'http-client'].map((name) => [
    `@authstate/${name}`,
    'workspace:^',
  ])
  const dependencies = { ...Object.fromEntries(ours), ioredis: '6.0.0' }
  const plant = (path: string, text: string): string[] => {
    const [, folder = ''] = /^\w+\/((?:adapters\/)?[^/]+)/.exec(path) ?? []
    const manifest = { name: `@authstate/${basename(folder)}`, exports: { '.': '' }, dependencies }
    const planted = new Map([
      [path, text],
      [`packages/${folder}/package.json`, JSON.stringify(manifest)],
    ])
    return path.startsWith('examples/') ? exampleOffences(planted) : packageOffences(planted)
  }

  test.each([
    ['an arrow against the plan', 'packages/spi/src/a.ts', "import { x } from '@authstate/redis'"],
    [
      'the registry in a provider',
      'packages/cluster/src/memory.ts',
      "import { x } from '@authstate/registry'",
    ],
    ['one SPI in another', 'packages/user-session/src/memory.ts', "import { x } from '@authstate/cluster'"],
    [
      'a type of one SPI in another',
      'packages/user-session/src/memory.ts',
      "import type { X } from '@authstate/cluster'",
    ],
    ['a type query', 'packages/user-session/src/memory.ts', "type X = import('@authstate/cluster').X"],
    ['what an application adds', 'packages/authstate/src/a.ts', "import { x } from '@authstate/http-client'"],
    ['a re-export', 'packages/redis/src/index.ts', "export * from '@authstate/cluster'"],
    ['a dynamic import', 'packages/spi/src/a.ts', "const x = await import('@authstate/redis')"],
    ['Redis outside redis.ts', 'packages/cluster/src/memory.ts', "import { x } from '@authstate/redis'"],
    [
      'the kit outside the suite',
      'packages/cluster/src/rules.ts',
      "import { x } from '@authstate/conformance'",
    ],
    ['ioredis at run time', 'packages/cluster/src/redis.ts', "import { Redis } from 'ioredis'"],
    ['ioredis in a mixed import', 'packages/cluster/src/redis.ts', "import { type Redis } from 'ioredis'"],
    ['ioredis loaded early', 'packages/redis/src/connect.ts', "import { Redis } from 'ioredis'"],
    ['a way out of src', 'packages/spi/src/a.ts', "import { x } from '../../redis/src/keys.js'"],
    ['a package that is not declared', 'packages/spi/src/a.ts', "import { x } from 'left-pad'"],
    ['a store in an adapter', 'packages/adapters/x/src/a.ts', "import { x } from '@authstate/cluster/redis'"],
    ['the registry in an adapter', 'packages/adapters/x/src/a.ts', "import { x } from '@authstate/registry'"],
    ['Redis in an adapter', 'packages/adapters/x/src/a.ts', "import type { Redis } from 'ioredis'"],
    [
      'a way out of an adapter',
      'packages/adapters/x/src/a.ts',
      "import { x } from '../../../spi/src/index.js'",
    ],
    ['a package without a place', 'packages/new/src/a.ts', ''],
    ['a long file', 'packages/spi/src/a.ts', '\n'.repeat(401)],
    [
      'a private name in an example',
      'examples/login/src/a.ts',
      "import { x } from '@authstate/spi/src/ids.js'",
    ],
    [
      'a way out of an example',
      'examples/login/src/a.ts',
      "import { x } from '../../../packages/spi/src/index.js'",
    ],
    [
      "the tests' support in an example's source",
      'examples/login/src/a.ts',
      "import { x } from '../../../tools/testing/capabilities.js'",
    ],
  ])('%s', (_, path, text) => expect(plant(path, text)).toHaveLength(1))

  test('a memory-only user who would load the Redis side', () => {
    const planted = new Map([
      ['packages/cluster/package.json', JSON.stringify({ dependencies })],
      ['packages/cluster/src/index.ts', "export * from './memory.js'"],
      ['packages/cluster/src/memory.ts', "export type { X } from './redis.js'"],
    ])
    expect(packageOffences(planted)).toEqual([
      expect.stringMatching(/index\.ts -> .*memory\.ts -> .*redis\.ts: a memory/),
    ])
  })

  test('and nothing in what is allowed', () => {
    const planted = new Map([
      ['packages/cluster/package.json', JSON.stringify({ dependencies })],
      [
        'packages/cluster/src/redis.ts',
        "import { x } from '@authstate/redis'\nimport type { Redis } from 'ioredis'",
      ],
      ['packages/cluster/src/index.ts', "export * from './memory.js'\nimport { x } from 'node:crypto'"],
      ['packages/adapters/x/package.json', JSON.stringify({ dependencies })],
      [
        'packages/adapters/x/src/a.ts',
        "import { clusterSpi } from '@authstate/cluster'\nimport { x } from '@authstate/spi'",
      ],
      ['packages/redis/package.json', JSON.stringify({ dependencies })],
      ['packages/redis/src/connect.ts', "const { Redis } = await import('ioredis')"],
    ])
    expect(packageOffences(planted)).toEqual([])
    const test = "import { x } from '../../../tools/testing/capabilities.js'\nimport { y } from '../src/y.js'"
    expect(exampleOffences(new Map([['examples/login/test/a.test.ts', test]]))).toEqual([])
  })
})
