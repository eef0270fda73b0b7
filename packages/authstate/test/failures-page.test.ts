// What docs/failures.md says of each verb while there is no connection to Redis.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { start, type Topology, until } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { type AuthState, createAuthState, StoreUnavailableError } from '../src/index.js'
import { type Ask, REALM, type Stored, store, VERBS } from './full/verbs.js'

const page = readFileSync(new URL('../../../docs/failures.md', import.meta.url), 'utf8')

/** The verbs of an SPI that go on, as the page says; every other verb fails. */
function goingOn(spi: string): string[] {
  const row = page.split('\n').find((line) => line.startsWith(`| \`${spi}\` |`)) ?? ''
  const [, , cell = ''] = row.split('|')
  return [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
}

/** A lock is waited for, also while Redis is away. */
const withLock: Ask = ({ cluster }) => cluster.withLock('lock', { waitMs: 50 }, () => 1)

const CASES = Object.entries(VERBS).flatMap(([spi, verbs]) =>
  Object.entries(verbs).map(([verb, ask]) => ({ spi, verb, ask: verb === 'withLock' ? withLock : ask })),
)

describeWith(serverBinary, 'while there is no connection to Redis', () => {
  let server: Topology
  let state: AuthState
  let stored: Stored

  beforeAll(async () => {
    server = await start('single')
    state = await createAuthState({
      provider: 'redis',
      redis: { url: `redis://127.0.0.1:${server.basePort}` },
      keyring: { current: 'a', keys: { a: 'x'.repeat(32) } },
      realms: () => ({ bruteForce: { enabled: true } }),
      spi: {
        'user-session': { sweepIntervalMs: 0 },
        'login-failure': { address: {} },
        cluster: { publishTimeoutMs: 50 },
      },
    })
    stored = await store(state)
    await server.nodes[0]?.stop({ crash: true })
    await until('the client to notice', async () => !(await state.health()).ok)
  })
  afterAll(async () => {
    await state.close()
    await server.stop()
  })

  test('the page names verbs that there are', () => {
    const named = page.match(/^\| `([\w-]+)` \|/gm) ?? []
    expect(named.length).toBeGreaterThan(2)
    for (const spi of named.map((cell) => cell.slice(3, -3)))
      for (const verb of goingOn(spi)) expect(Object.keys(VERBS[spi] ?? {})).toContain(verb)
  })

  describe.each(CASES)('$spi', ({ spi, verb, ask }) => {
    test(`${spi} ${verb} answers what docs/failures.md says`, async () => {
      const answer = Promise.resolve()
        .then(() => ask(state, stored))
        .then(
          () => 'goes on',
          (error: unknown) => error,
        )
      if (goingOn(spi).includes(verb)) return expect(await answer).toBe('goes on')
      const error = await answer
      expect(error).toBeInstanceOf(StoreUnavailableError)
      expect(error).toMatchObject({ applied: 'no' })
    })
  })

  test('calls are answered again once Redis is back', async () => {
    const [node] = server.nodes
    if (node === undefined) throw new Error('there is no server')
    node.dead = false
    await node.start()
    await until('a connection', async () => (await state.health()).ok)
    expect(await state.userSessions.get(REALM, stored.session)).toBeUndefined()
    await store(state)
  })
})
