import {
  ATTR_DB_OPERATION_NAME,
  ATTR_DB_RESPONSE_STATUS_CODE,
  ATTR_DB_STORED_PROCEDURE_NAME,
  ATTR_DB_SYSTEM_NAME,
  ATTR_ERROR_TYPE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  METRIC_DB_CLIENT_OPERATION_DURATION,
} from '@opentelemetry/semantic-conventions'
import { createAuthState, ProviderClosedError } from 'authstate'
import { Counter, Registry, register } from 'prom-client'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { METRICS, MOST_SERIES, type NamedMetric, OTHER, promLabelOf, promNameOf } from '../src/index.js'
import { instrument as instrumentOtel } from '../src/otel.js'
import { instrument as instrumentProm, type ObservedState } from '../src/prom.js'
import { realms } from './every-verb.js'
import { openTelemetry, samplesOf } from './observers.js'

const metrics = METRICS as readonly NamedMetric[]

async function newState(config: Parameters<typeof createAuthState>[0] = {}) {
  const state = await createAuthState({ realms, ...config })
  onTestFinished(() => state.close())
  return state
}

const CREATED = 'authstate_sessions_created_total {"spi":"user-session","kind":"online"}'
const login = { userId: 'ada', loginUsername: 'ada' }

describe('the table', () => {
  test('has the names that the conventions for databases have', () => {
    const { name, attributes } = metrics.find((metric) => metric.name.startsWith('db.')) as NamedMetric
    expect(name).toBe(METRIC_DB_CLIENT_OPERATION_DURATION)
    expect(Object.keys(attributes)).toEqual([
      ATTR_DB_SYSTEM_NAME,
      ATTR_DB_OPERATION_NAME,
      ATTR_DB_STORED_PROCEDURE_NAME,
      ATTR_DB_RESPONSE_STATUS_CODE,
      ATTR_ERROR_TYPE,
      ATTR_SERVER_ADDRESS,
      ATTR_SERVER_PORT,
    ])
  })

  test('has each name once, in Prometheus as well, and names that Prometheus takes', () => {
    const names = metrics.map(promNameOf)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(name).toMatch(/^[a-z][a-z_]*[a-z]$/)
    expect(promNameOf({ name: 'authstate.call.duration', kind: 'histogram', unit: 's' })).toBe(
      'authstate_call_duration_seconds',
    )
    expect(promNameOf({ name: 'authstate.locks', kind: 'counter', unit: '{lock}' })).toBe(
      'authstate_locks_total',
    )
  })

  test('keeps to its bound where every value of a list were there', () => {
    for (const { name, attributes } of metrics) {
      const listed = Object.values(attributes).map((values) =>
        typeof values === 'string' ? 1 : values.length,
      )
      expect([name, listed.reduce((product, count) => product * count, 1) <= MOST_SERIES]).toEqual([
        name,
        true,
      ])
    }
  })
})

describe('links to other sites', () => {
  test('have eleven series each, whatever their state', async () => {
    const registry = new Registry()
    const state = await newState()
    const link = { state: 'suspect', behind: 7, lagMs: 1_500, unguarded: 2, rttMs: 20, clockOffsetMs: -3 }
    const stats = () => ({ ...state.stats(), redis: { sites: { oslo: link, porto: link } } })
    const observed: ObservedState = {
      describe: () => state.describe(),
      find: (spi) => state.find(spi),
      stats,
    }
    instrumentProm(observed, { registry })
    const samples = [...(await samplesOf(registry))].filter(([name]) => name.startsWith('authstate_site_'))
    expect(samples).toHaveLength(2 * 11)
    const shown = new Map(samples)
    expect(shown.get('authstate_site_link {"site":"oslo","state":"suspect"}')).toBe(1)
    expect(shown.get('authstate_site_link {"site":"oslo","state":"online"}')).toBe(0)
    expect(shown.get('authstate_site_behind {"site":"porto"}')).toBe(7)
    expect(shown.get('authstate_site_unguarded_total {"site":"oslo"}')).toBe(2)
    expect(shown.get('authstate_site_lag_seconds {"site":"porto"}')).toBe(1.5)
    expect(shown.get('authstate_site_clock_offset_seconds {"site":"oslo"}')).toBe(-0.003)
  })
})

describe('both exporters', () => {
  test('have every metric of the table under its name, and the same values', async () => {
    const otel = openTelemetry()
    onTestFinished(() => otel.end())
    const registry = new Registry()
    const state = await newState()
    instrumentOtel(state, { ...otel.providers, tokenKinds: ['code'] })
    instrumentProm(state, { registry, tokenKinds: ['code'] })
    await lifeOf(state)
    const exported = new Map(
      (await otel.metrics()).flatMap(({ name, points }) =>
        points.map(({ attributes, value }) => [
          `${nameOfSamples(name)} ${JSON.stringify(labelsOf(attributes))}`,
          value,
        ]),
      ),
    )
    const samples = await samplesOf(registry)
    expect(Object.fromEntries(samples)).toEqual(Object.fromEntries(exported))
    expect(samples.get(CREATED)).toBe(2)
    expect(
      samples.get('authstate_sessions_ended_total {"spi":"user-session","kind":"online","reason":"user"}'),
    ).toBe(1)
    expect(samples.get('authstate_tokens_replayed_total {"kind":"code"}')).toBe(1)
    expect(samples.get(`authstate_tokens_replayed_total {"kind":"${OTHER}"}`)).toBe(1)
    expect(samples.get('authstate_locks_total {"kind":"temporary","scope":"user"}')).toBe(1)
    expect(samples.get('authstate_cache_requests_total {"region":"users","result":"hit"}')).toBe(1)
    expect(samples.get('authstate_cluster_nodes {}')).toBe(1)
    expect(samples.get('authstate_channel_live {}')).toBe(1)
    expect(
      samples.get('authstate_answers_total {"spi":"action-token","verb":"consume","answer":"used"}'),
    ).toBe(2)
    const names = new Set([...samples.keys()].map((key) => key.split(' ')[0]))
    const never = ['db.client.operation.duration', 'authstate.writes.refused']
    const wanted = metrics.filter(
      ({ name }) => !/^authstate\.(redis|site)\./.test(name) && !never.includes(name),
    )
    expect([...names].sort()).toEqual(wanted.map(({ name }) => nameOfSamples(name)).sort())
  })

  const nameOfSamples = (name: string): string => {
    const metric = metrics.find((one) => one.name === name) as NamedMetric
    return promNameOf(metric) + (metric.kind === 'histogram' ? '_count' : '')
  }
  const labelsOf = (attributes: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(attributes).map(([name, value]) => [promLabelOf(name), value]))

  /** Something of everything that is counted in memory. */
  async function lifeOf(state: Awaited<ReturnType<typeof newState>>): Promise<void> {
    await state.userSessions.create('acme', login)
    await state.userSessions.create('acme', { ...login, userId: 'bob' })
    await state.userSessions.removeByUser('acme', 'ada')
    for (const kind of ['code', 'of nobody']) {
      await state.actionTokens.put('acme', kind, 'k', { lifespanMs: 60_000 })
      await state.actionTokens.consume('acme', kind, 'k')
      await state.actionTokens.consume('acme', kind, 'k')
    }
    await state.loginFailures.recordFailure('acme', 'ada')
    const users = state.realmCache.region<string>('users')
    for (let n = 0; n < 2; n++) await users.get('ada', () => 'Ada')
  }
})

describe('a registry of Prometheus', () => {
  test('has the sums of two states, and each of them once', async () => {
    const registry = new Registry()
    const [one, two] = [await newState(), await newState()]
    for (const state of [one, two, two]) instrumentProm(state, { registry })
    await one.userSessions.create('acme', login)
    await two.userSessions.create('acme', login)
    await two.userSessions.create('acme', login)
    for (const state of [one, two]) await state.realmCache.region('users').get('a', () => 1)
    const samples = await samplesOf(registry)
    expect(samples.get(CREATED)).toBe(3)
    expect(samples.get('authstate_cache_requests_total {"region":"users","result":"miss"}')).toBe(2)
    expect(samples.get('authstate_cluster_nodes {}')).toBe(1)
    expect(
      samples.get(
        'authstate_call_duration_seconds_count {"spi":"user-session","verb":"create","provider":"memory","outcome":"ok"}',
      ),
    ).toBe(3)
  })

  test('keeps what was counted when a state goes and another one comes, whoever loaded this module again', async () => {
    const registry = new Registry()
    const old = await newState()
    const stop = instrumentProm(old, { registry })
    await old.userSessions.create('acme', login)
    await old.realmCache.region('users').get('a', () => 1)
    stop()
    await old.close()
    vi.resetModules()
    const again = (await import('../src/prom.js')) as { instrument: typeof instrumentProm }
    expect(again.instrument).not.toBe(instrumentProm)
    const state = await newState()
    again.instrument(state, { registry })
    await state.userSessions.create('acme', login)
    await state.realmCache.region('users').get('a', () => 1)
    const samples = await samplesOf(registry)
    expect(samples.get(CREATED)).toBe(2)
    expect(samples.get('authstate_cache_requests_total {"region":"users","result":"miss"}')).toBe(2)
  })

  test('of a state that was closed without a word is scraped all the same', async () => {
    const registry = new Registry()
    const state = await newState()
    instrumentProm(state, { registry })
    await state.realmCache.region('users').get('a', () => 1)
    await samplesOf(registry)
    await state.close()
    const samples = await samplesOf(registry)
    expect(samples.get('authstate_cache_requests_total {"region":"users","result":"miss"}')).toBe(1)
    expect(samples.has('authstate_cluster_nodes {}')).toBe(false)
  })

  test('that was cleared gets its metrics again', async () => {
    const registry = new Registry()
    const state = await newState()
    instrumentProm(state, { registry })
    registry.clear()
    instrumentProm(state, { registry })
    await state.userSessions.create('acme', login)
    expect((await samplesOf(registry)).get(CREATED)).toBe(1)
  })

  test('with a metric of that name that is somebody else’s is refused, and left as it is', async () => {
    const registry = new Registry()
    const theirs = new Counter({ name: 'authstate_locks_total', help: 'theirs', registers: [registry] })
    const state = await newState()
    expect(() => instrumentProm(state, { registry })).toThrow('"authstate_locks_total" that is not of')
    expect(registry.getMetricsAsArray()).toEqual([theirs])
  })

  test('that is the default one is used only where it is given', async () => {
    const state = await newState()
    instrumentProm(state, { registry: new Registry() })
    expect(register.getMetricsAsArray()).toEqual([])
  })

  test('of a state that has not everything has what there is, and of a closed one nothing', async () => {
    const registry = new Registry()
    const off = { enabled: false } as const
    const state = await newState({ spi: { 'login-failure': off, 'action-token': off, 'user-session': off } })
    instrumentProm(state, { registry })
    await state.webSessions.save('acme', 'id', { data: {}, lifespanMs: 60_000 })
    expect(
      (await samplesOf(registry)).get('authstate_sessions_created_total {"spi":"web-session","kind":"web"}'),
    ).toBe(1)
    await state.close()
    expect(() => instrumentProm(state, { registry: new Registry() })).toThrow(ProviderClosedError)
  })

  test('counts the kinds of tokens of every time that a state was instrumented', async () => {
    const registry = new Registry()
    const state = await newState()
    for (const kind of ['one', 'two']) instrumentProm(state, { registry, tokenKinds: [kind] })
    for (const kind of ['one', 'two', 'three']) {
      await state.actionTokens.put('acme', kind, 'k', { lifespanMs: 60_000 })
      for (let time = 0; time < 2; time++) await state.actionTokens.consume('acme', kind, 'k')
    }
    const samples = await samplesOf(registry)
    for (const kind of ['one', 'two', OTHER])
      expect(samples.get(`authstate_tokens_replayed_total {"kind":"${kind}"}`), kind).toBe(1)
  })

  test('misuse is told by name', async () => {
    const state = await newState()
    const registry = new Registry()
    expect(() => instrumentProm(state, {} as never)).toThrow('"options.registry')
    expect(() => instrumentProm(state, { registry, prefix: 'x' } as never)).toThrow(
      '"options" has no property',
    )
    expect(() => instrumentProm({} as never, { registry })).toThrow('"state.describe"')
    expect(() => instrumentProm(state, { registry, tokenKinds: 'code' as never })).toThrow(
      '"options.tokenKinds"',
    )
    expect(() => instrumentOtel(state, { commandSpans: 'no' as never })).toThrow('"options.commandSpans"')
  })
})

test('10 000 users in 500 realms with 200 kinds of tokens and 600 regions are 500 series at most, and nobody is lost', async () => {
  const registry = new Registry()
  const state = await newState()
  instrumentProm(state, { registry, tokenKinds: ['code'] })
  for (let n = 0; n < 10_000; n++) await state.loginFailures.get(`realm-${n % 500}`, `user-${n}`)
  for (let n = 0; n < 500; n++) {
    const user = { userId: `user-${n}`, loginUsername: `user-${n}` }
    await state.userSessions.create(`realm-${n}`, user)
    await state.loginFailures.recordFailure(`realm-${n}`, user.userId)
  }
  for (let n = 0; n < 200; n++) {
    await state.actionTokens.put('acme', `kind-${n}`, 'k', { lifespanMs: 60_000 })
    for (let time = 0; time < 2; time++) await state.actionTokens.consume('acme', `kind-${n}`, 'k')
  }
  for (let n = 0; n < 600; n++)
    await state.realmCache.region(`region-${n}`, { maxEntries: 1 }).get('k', () => n)
  const samples = await samplesOf(registry)
  for (const metric of metrics) {
    const name = promNameOf(metric)
    const series = [...samples.keys()].filter(
      (key) => key.startsWith(`${name} `) || key.startsWith(`${name}_count `),
    )
    expect([name, series.length <= MOST_SERIES]).toEqual([name, true])
  }
  const sum = (name: string) =>
    [...samples].filter(([key]) => key.startsWith(`${name} `)).reduce((total, [, value]) => total + value, 0)
  expect(samples.get(CREATED)).toBe(500)
  expect(
    samples.get(
      'authstate_call_duration_seconds_count {"spi":"login-failure","verb":"get","provider":"memory","outcome":"ok"}',
    ),
  ).toBe(10_000)
  expect(sum('authstate_locks_total')).toBe(500)
  expect(samples.get(`authstate_tokens_replayed_total {"kind":"${OTHER}"}`)).toBe(200)
  expect(sum('authstate_cache_entries')).toBe(600)
})
