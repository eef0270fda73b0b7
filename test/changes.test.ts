// Every change of a record is noted for whoever is told of changes: what docs/changes.md says of kinds, what scripts declare, and
// what verbs do to Redis are the same, for every service there is.
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { FakeClock, RecordingLogger } from '@authstate/conformance'
import { annotationsOf, type Script } from '@authstate/redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AuthState, createAuthState } from '../packages/authstate/src/index.js'
import { services } from '../packages/authstate/src/services.js'
import { store, VERBS } from '../packages/authstate/test/full/verbs.js'
import { describeWith, redis, redisUrl } from '../tools/testing/capabilities.js'
import { openRedis } from '../tools/testing/redis-targets.js'
import { readTracked } from './lib/tracked.js'

/** A row of the table of kinds. */
interface Kind {
  readonly kind: string
  /** Kinds of keys. */
  readonly keys: readonly string[]
  readonly hows: readonly string[]
}

const page = readFileSync(new URL('../docs/changes.md', import.meta.url), 'utf8')
const section = page.slice(page.indexOf('## What is a record'), page.indexOf('## What ended'))
const quoted = (text = '') => [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word)
const kinds: readonly Kind[] = section
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => {
    const [kind, keys, noted] = line.split(' | ')
    const hows = quoted(noted).filter((word) => /^(touch|full|removal)$/.test(word))
    return { kind: quoted(kind)[0] ?? '', keys: quoted(keys), hows: [...new Set(hows)].sort() }
  })

/** Services that an application adds, and that are no part of the front door. */
const ADDED = ['application-node', 'audit']

/** The scripts of the services, of each that has some. */
async function scriptsOf(name: string): Promise<readonly Script[]> {
  const file = new URL(`../packages/${name}/src/scripts.ts`, import.meta.url)
  if (!existsSync(file)) return []
  const module = (await import(file.href)) as Readonly<Record<string, unknown>>
  return Object.values(module).filter((value): value is Script => isScript(value))
}
const isScript = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'annotated' in value

describe('scripts', () => {
  let scripts: readonly Script[]
  beforeAll(async () => {
    scripts = (await Promise.all([...services.map(({ name }) => name), ...ADDED].map(scriptsOf))).flat()
  })

  test('are all of a service, or of what keeps sites in step', async () => {
    const files = [...readTracked(/^packages\/.*\/src\/.*\.lua$/).keys()].filter(
      (path) => !path.includes('/lib/'),
    )
    const named = [...scripts, ...(await scriptsOf('cross-site'))]
      .map(({ name }) => name.replace('.', '/src/lua/'))
      .map((path) => `packages/${path}.lua`)
    expect(named.sort()).toEqual(files.sort())
  })

  test('that write say what they note, and note it', () => {
    for (const { name, change, changes, annotated } of scripts) {
      const noted = annotationsOf(annotated).map(({ kind, how }) => `${kind} ${how}`)
      const declared = Object.entries(typeof changes === 'object' ? changes : {})
      const all = declared.flatMap(([kind, hows]) => hows.map((how) => `${kind} ${how}`))
      expect([...new Set(noted)].sort(), name).toEqual(all.sort())
      if (change !== 'none') expect(changes, name).toBeTruthy()
    }
  })

  test('that end a record, or write it as a whole, note that', () => {
    const records = new Set(kinds.map(({ kind }) => kind))
    const silent = scripts.filter(
      ({ record, change, changes }) =>
        records.has(record) && (change === 'full' || change === 'removal') && typeof changes !== 'object',
    )
    expect(silent.map(({ name, changes }) => `${name}: ${changes}`).sort()).toEqual([
      'action-token.join-revocation: what sites know of each other is noted where it began',
      'action-token.join: what sites know of each other is noted where it began',
      'auth-session.join: what sites know of each other is noted where it began',
      'login-failure.join: what sites know of each other is noted where it began',
      'user-session.join-fence: what sites know of each other is noted where it began',
      'user-session.join: what sites know of each other is noted where it began',
      'web-session.join-fence: what sites know of each other is noted where it began',
      'web-session.join: what sites know of each other is noted where it began',
    ])
  })

  test('note together what the page says of each kind', () => {
    const noted = scripts.flatMap(({ annotated }) => annotationsOf(annotated))
    const found = [...new Set(noted.map(({ kind }) => kind))].sort().map((kind) => ({
      kind,
      hows: [...new Set(noted.filter((item) => item.kind === kind).map(({ how }) => how))].sort(),
    }))
    expect(found).toEqual(
      kinds.map(({ kind, hows }) => ({ kind, hows })).sort((a, b) => (a.kind < b.kind ? -1 : 1)),
    )
  })

  test('of a kind belong to the service that declares its keys', () => {
    const declared = new Set(services.flatMap(({ keys }) => Object.keys(keys ?? {})))
    const recorded = kinds.flatMap(({ keys }) => keys)
    expect(recorded.filter((key) => !declared.has(key))).toEqual([])
    expect(new Set(recorded).size).toBe(recorded.length)
  })
})

const recordKeys = new Set(kinds.flatMap(({ keys }) => keys))
const recording = services
  .filter(({ keys }) => Object.keys(keys ?? {}).some((key) => recordKeys.has(key)))
  .map(({ name }) => name)

describeWith(redis, 'verbs', () => {
  const raw = openRedis()
  const prefix = `house-changes-${randomUUID()}`
  let state: AuthState
  const keysOf = async (of: (kind: string) => boolean) => {
    const keys = await raw.keys(`${prefix}:{*}:*`)
    return keys.filter((key) => of(key.slice(key.indexOf('}:') + 2).split(':')[0] ?? ''))
  }

  beforeAll(async () => {
    state = await createAuthState({
      provider: 'redis',
      redis: { url: redisUrl(), prefix, partitions: 2, changes: { consumers: ['audit'] } },
      keyring: { current: 'a', keys: { a: 'x'.repeat(32) } },
      clock: new FakeClock(1_700_000_000_000),
      logger: new RecordingLogger(),
      realms: () => ({ bruteForce: { enabled: true } }),
      spi: { 'user-session': { sweepIntervalMs: 0 }, 'login-failure': { address: {} } },
    })
  })
  afterAll(async () => {
    await state?.close()
    const keys = await raw.keys(`${prefix}:*`)
    if (keys.length > 0) await raw.del(...keys)
    raw.disconnect()
  })

  /** What records are, by their keys. */
  async function records(): Promise<ReadonlyMap<string, string>> {
    const keys = await keysOf((kind) => recordKeys.has(kind))
    const dumps = await Promise.all(
      keys.map(async (key) => {
        // Of a hash the order may change when Redis makes room for its fields.
        if ((await raw.type(key)) === 'hash')
          return JSON.stringify(Object.entries(await raw.hgetall(key)).sort())
        return (await raw.dumpBuffer(key))?.toString('hex') ?? ''
      }),
    )
    return new Map(keys.map((key, index) => [key, dumps[index] as string]))
  }

  test('of every service with records are tried', () => {
    expect(recording.filter((name) => VERBS[name] === undefined)).toEqual([])
  })

  describe.each(recording)('of %s', (name) => {
    test.each(Object.entries(VERBS[name] ?? {}))('%s notes every record that it changes', async (_, ask) => {
      const stored = await store(state)
      const outboxes = await keysOf((kind) => kind === 'xn')
      if (outboxes.length > 0) await raw.del(...outboxes)
      const before = await records()
      await ask(state, stored)
      const after = await records()
      const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
        (key) => before.get(key) !== after.get(key),
      )
      const streams = await keysOf((kind) => kind === 'xn')
      const noted = await Promise.all(
        streams.map(async (stream) => {
          const head = stream.slice(0, -'xn'.length)
          return (await raw.xrange(stream, '-', '+')).map(([, [, text = '']]) => head + text.slice(1))
        }),
      )
      // A note of a refused family names it behind the key that holds all of a realm.
      const isNoted = (key: string) => noted.flat().some((item) => item === key || item.startsWith(`${key}:`))
      expect(changed.filter((key) => !isNoted(key))).toEqual([])
    })
  })
})
