import { randomUUID } from 'node:crypto'
import { openInspector } from '@authstate/conformance'
import { type Context, context, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { createAuthState } from 'authstate'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { instrument, type OtelOptions } from '../src/otel.js'
import { realms } from './every-verb.js'
import { openTelemetry } from './observers.js'

async function watched(config: Parameters<typeof createAuthState>[0], options: OtelOptions = {}) {
  const otel = openTelemetry()
  onTestFinished(() => otel.end())
  const state = await createAuthState({ ...config, realms })
  onTestFinished(() => state.close())
  const stop = instrument(state, { ...otel.providers, ...options })
  otel.forget()
  /** Does something inside of a span of the application. @returns the spans, by name of each its parent's */
  const request = (work: () => Promise<unknown>): Promise<Map<string, string>> =>
    otel.tracer.startActiveSpan('request', async (span) => {
      await work()
      span.end()
      return parentsOf(otel.spans().filter((one) => one.spanContext().traceId === span.spanContext().traceId))
    })
  return { state, otel, request, stop }
}

function parentsOf(spans: readonly ReadableSpan[]): Map<string, string> {
  const names = new Map(spans.map((span) => [span.spanContext().spanId, span.name]))
  return new Map(
    spans.map(({ name, parentSpanContext }) => [name, names.get(parentSpanContext?.spanId ?? '') ?? '']),
  )
}

const named = (spans: readonly ReadableSpan[], name: string): ReadableSpan | undefined =>
  spans.find((span) => span.name === name)

describe('spans of verbs', () => {
  test('are below the one of the application, and above those that it makes inside of a verb', async () => {
    const { state, otel, request } = await watched({})
    const parents = await request(() =>
      state.loginFailures.guard('acme', 'ada', {}, async () => {
        otel.tracer.startSpan('directory').end()
        return true
      }),
    )
    expect(Object.fromEntries(parents)).toEqual({
      request: '',
      'authstate login-failure guard': 'request',
      directory: 'authstate login-failure guard',
    })
    const span = named(otel.spans(), 'authstate login-failure guard')
    expect(span).toMatchObject({
      kind: SpanKind.INTERNAL,
      status: { code: SpanStatusCode.UNSET },
      events: [],
    })
    expect(span?.attributes).toEqual({
      spi: 'login-failure',
      provider: 'memory',
      verb: 'guard',
      outcome: 'ok',
      answer: 'success',
    })
  })

  test('say what was wrong, and nothing is wrong with what is absent, locked or used', async () => {
    const { state, otel, request } = await watched({})
    await request(async () => {
      await state.userSessions.get('acme', 'x'.repeat(24))
      await state.userSessions.get('acme', 7 as never).catch(() => {})
    })
    const [absent, misused] = otel.spans().filter(({ name }) => name === 'authstate user-session get')
    expect(absent).toMatchObject({ status: { code: SpanStatusCode.UNSET }, attributes: { answer: 'absent' } })
    expect(misused).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { outcome: 'TypeError', 'error.type': 'TypeError' },
      events: [],
    })
    expect(misused?.status.message).toBeUndefined()
  })

  test('there is none of a verb that answers at once, out of memory', async () => {
    const { state, request } = await watched({})
    const parents = await request(async () => {
      state.cluster.view()
      state.cluster.view()
      state.stickySessions.encode('x')
    })
    expect([...parents.keys()]).toEqual(['request'])
  })

  test('of another state of the process are none of this one', async () => {
    const { otel, request } = await watched({})
    const other = await createAuthState()
    onTestFinished(() => other.close())
    await request(() => other.userSessions.get('acme', 'x'.repeat(24)))
    expect(otel.spans().map(({ name }) => name)).toEqual(['request'])
  })

  test('are made once, however often a state is instrumented, and until the last one stops', async () => {
    const { state, otel, request, stop } = await watched({})
    const again = instrument(state, otel.providers)
    const get = () => request(() => state.userSessions.get('acme', 'x'.repeat(24)))
    await get()
    expect(otel.spans()).toHaveLength(2)
    stop()
    stop()
    await get()
    expect(otel.spans()).toHaveLength(4)
    again()
    await get()
    expect(otel.spans()).toHaveLength(5)
  })
})

describeWith(redis, 'spans of commands', () => {
  const prefix = `telemetry-${randomUUID()}`
  const config = { provider: 'redis', redis: { url: redis.available ? redisUrl() : '', prefix } } as const
  const login = { userId: 'ada', loginUsername: 'ada' }

  afterAll(async () => {
    const client = openRedis()
    await (await openInspector(client)).clear(prefix)
    client.disconnect()
  })

  test('are below those of their verbs, and those of ioredis are not there as well', async () => {
    const { state, otel, request } = await watched(config)
    // From now on Redis has the script.
    await state.userSessions.create('acme', login)
    otel.forget()
    const client = openRedis()
    onTestFinished(() => client.disconnect())
    await client.ping()
    otel.forget()
    const parents = await request(async () => {
      await client.get('shop:visible')
      await state.userSessions.create('acme', login)
      await state.userSessions.get('acme', `${'x'.repeat(22)}00`)
    })
    expect(Object.fromEntries(parents)).toEqual({
      request: '',
      // Of the application's own command there is one.
      get: 'request',
      'authstate user-session create': 'request',
      'EVALSHA user-session.create': 'authstate user-session create',
      'authstate user-session get': 'request',
      HVALS: 'authstate user-session get',
    })
    const { hostname, port } = new URL(redisUrl())
    const server = { 'server.address': hostname, 'server.port': Number(port || 6379) }
    const script = named(otel.spans(), 'EVALSHA user-session.create')
    expect(script).toMatchObject({ kind: SpanKind.CLIENT, status: { code: SpanStatusCode.UNSET } })
    expect(script?.attributes).toEqual({
      'db.system.name': 'redis',
      'db.operation.name': 'EVALSHA',
      'db.stored_procedure.name': 'user-session.create',
      ...server,
    })
    expect(named(otel.spans(), 'HVALS')?.attributes).toEqual({
      'db.system.name': 'redis',
      'db.operation.name': 'HVALS',
      ...server,
    })
  })

  test('and of a state in memory no command is told', async () => {
    const { otel, request } = await watched({})
    const other = await createAuthState(config)
    onTestFinished(() => other.close())
    await request(() => other.userSessions.get('acme', `${'x'.repeat(22)}00`))
    expect(otel.spans().filter(({ attributes }) => 'db.stored_procedure.name' in attributes)).toEqual([])
    expect((await otel.metrics()).map(({ name }) => name)).not.toContain('db.client.operation.duration')
  })

  test('are measured as well, by the same names', async () => {
    const { state, otel } = await watched(config)
    await state.userSessions.create('acme', login)
    const duration = (await otel.metrics()).find(({ name }) => name === 'db.client.operation.duration')
    expect(duration?.unit).toBe('s')
    const { hostname, port } = new URL(redisUrl())
    const points = duration?.points.filter(
      ({ attributes }) => attributes['db.stored_procedure.name'] === 'user-session.create',
    )
    expect(points).toEqual([
      {
        attributes: {
          'db.system.name': 'redis',
          'db.operation.name': expect.stringMatching(/^EVAL(SHA)?$/),
          'db.stored_procedure.name': 'user-session.create',
          'server.address': hostname,
          'server.port': Number(port || 6379),
        },
        value: 1,
      },
    ])
  })

  test('can be left out: then there is one of each verb, and none of ioredis', async () => {
    const { state, request } = await watched(config, { commandSpans: false })
    const parents = await request(() => state.userSessions.create('acme', login))
    expect([...parents.keys()].sort()).toEqual(['authstate user-session create', 'request'])
  })

  test('of a command that Redis refuses: the code, and no message', async () => {
    const { state, otel, request } = await watched(config)
    await state.actionTokens.put('acme', 'code', 'k', { lifespanMs: 5_000 })
    const client = openRedis()
    onTestFinished(() => client.disconnect())
    const inspector = await openInspector(client)
    const [key = ''] = (await inspector.keys(prefix)).filter((one) => one.includes(':ao:'))
    await client.multi().del(key).lpush(key, 'x').pexpire(key, 5_000).exec()
    otel.forget()
    await request(() => state.actionTokens.get('acme', 'code', 'k').catch(() => {}))
    const refused = otel.spans().find(({ kind }) => kind === SpanKind.CLIENT)
    expect(refused).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'db.response.status_code': 'WRONGTYPE', 'error.type': 'WRONGTYPE' },
      events: [],
    })
    expect(refused?.status.message).toBeUndefined()
    expect(named(otel.spans(), 'authstate action-token get')).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { outcome: 'ERR_STORE_CORRUPT' },
    })
  })

  test('of what a verb has set going and does not wait for there is none', async () => {
    const { state, otel } = await watched(config)
    let inside: Context | undefined
    await state.cluster.runOnce('task', {}, () => {
      inside = context.active()
    })
    otel.forget()
    await context.with(inside as Context, () => state.find({ name: 'redis' } as never)?.checkHealth?.())
    expect(otel.spans()).toEqual([])
  })
})
