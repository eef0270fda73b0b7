import { randomUUID } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { openInspector, RecordingLogger } from '@authstate/conformance'
import type { Provider } from '@authstate/spi'
import {
  type AuthState,
  type AuthStateConfig,
  CALL_CHANNEL,
  createAuthState,
  type ProviderCall,
} from 'authstate'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { defaultHostname } from '../../hostname/src/default.js'
import { undiciHttpClient } from '../../http-client/src/undici.js'
import { instrument as instrumentOtel } from '../src/otel.js'
import { instrument as instrumentPino } from '../src/pino.js'
import { instrument as instrumentProm } from '../src/prom.js'
import { ADDRESS, type Answers, CANARY, everyVerb, keyring, realms } from './every-verb.js'
import { everythingIn, linesOfPino, newRegistry, openTelemetry } from './observers.js'

const members = [
  'userSessions',
  'authSessions',
  'actionTokens',
  'webSessions',
  'loginFailures',
  'realmCache',
  'stickySessions',
  'cluster',
] as const

/** Members of our classes that are not of a contract. */
const INSIDE = ['applyHere', 'clearHere', 'tell', 'tellChannel', 'loadRevoked', 'declare']

/** Every verb of a state, as `spi verb`. */
function verbsOf(state: AuthState): string[] {
  return members.flatMap((member) => {
    const spi = member.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replace(/s$/, '')
    const provider = state[member] as unknown as Provider & Record<string, unknown>
    return Object.keys(provider)
      .filter(
        (name) => typeof provider[name] === 'function' && !['close', 'checkHealth', ...INSIDE].includes(name),
      )
      .map((name) => `${spi === 'sticky-session' ? 'sticky-session-encoder' : spi} ${name}`)
  })
}

/** Ids and tokens that were made during the calls: they are as secret as those that were given. */
function madeIn(replies: readonly unknown[]): string[] {
  const text = everythingIn(replies)
  const ids = [...text.matchAll(/\b(?:id|rootId|tabId|sessionId): '([\w-]{6,})'/g)].map(([, id = '']) => id)
  const tokens = [...text.matchAll(/'(eyJ[\w-]+\.[\w-]+\.[\w-]+)'/g)].map(([, token = '']) => token)
  return [...new Set([...ids, ...tokens])].filter((made) => !/^(online|offline)$/.test(made))
}

/** A state that everybody watches, while every verb is called. */
async function watched(config: AuthStateConfig, meanwhile: (state: AuthState) => Promise<Answers>) {
  const otel = openTelemetry()
  onTestFinished(() => otel.end())
  const registry = newRegistry()
  const { logger, lines } = linesOfPino()
  const own = new RecordingLogger()
  const calls: ProviderCall[] = []
  const hear = (call: unknown) => void calls.push(call as ProviderCall)
  subscribe(CALL_CHANNEL, hear)
  onTestFinished(() => void unsubscribe(CALL_CHANNEL, hear))
  const state = await createAuthState({ ...config, realms, keyring, logger: own })
  onTestFinished(() => state.close())
  const stops = [
    instrumentOtel(state, otel.providers),
    instrumentProm(state, { registry, tokenKinds: ['code'] }),
    instrumentPino(state, { logger }),
  ]
  const { replies, errors } = await otel.tracer.startActiveSpan('request', async (span) => {
    const answers = await meanwhile(state)
    span.end()
    return answers
  })
  const metrics = await otel.metrics()
  const scraped = await registry.metrics()
  for (const stop of stops) stop()
  const spans = otel
    .spans()
    .map(({ name, attributes, events, status, links }) => ({ name, attributes, events, status, links }))
  return { state, replies, errors, spans, metrics, scraped, lines, calls, own: own.entries }
}

type Watched = Awaited<ReturnType<typeof watched>>

function expectNoCanary({ replies, errors, spans, metrics, scraped, lines, calls, own }: Watched): void {
  // What an application throws into a verb of ours comes out of it as it is, and is the application's.
  const ours = errors.filter((error) => !/directory|no row|^Error: c4nary/.test(String(error)))
  const seen = { spans, metrics, scraped, lines, calls, own, ours }
  const secrets = [CANARY, ADDRESS, ...madeIn(replies)]
  for (const [where, what] of Object.entries(seen)) {
    const text = everythingIn(what)
    for (const secret of secrets) expect(text.includes(secret), `${secret} in ${where}`).toBe(false)
  }
}

function everyVerbOf(config: AuthStateConfig): void {
  test('every verb, well and misused: no canary in a span, a metric, a line, a call or an error', async () => {
    const all = await watched(config, everyVerb)
    expect(everythingIn(all.replies)).toContain(CANARY)
    const called = new Set(all.calls.map(({ spi, verb }) => `${spi} ${verb}`))
    const missing = verbsOf(all.state).filter((verb) => !called.has(verb))
    expect(missing, 'a verb that test/every-verb.ts of this package has to call').toEqual([])
    expect(all.errors.length).toBeGreaterThan(8)
    expect(madeIn(all.replies).length).toBeGreaterThan(4)
    expect(all.spans.length).toBeGreaterThan(100)
    expect(all.lines.length).toBeGreaterThan(3)
    expect(all.scraped).toContain('authstate_locks_total{kind="temporary",scope="user"}')
    expectNoCanary(all)
  })
}

describe('in memory', () => {
  everyVerbOf({})

  test('the services that an application adds: no canary either', async () => {
    const providers = [undiciHttpClient(), defaultHostname()]
    const spi = { hostname: { frontendUrl: 'https://login.example.com' } } as const
    const all = await watched({ providers, spi: spi as never }, async (state) => {
      const [http, host] = ['http-client', 'hostname'].map((name) =>
        state.find({ name }),
      ) as unknown as Record<string, (...args: unknown[]) => unknown>[]
      const request = {
        scheme: 'https',
        host: `${CANARY}.example`,
        headers: { host: `${CANARY}.example`, 'x-forwarded-for': ADDRESS },
        remoteAddress: ADDRESS,
      }
      const url = `http://127.0.0.1:9/${CANARY}?mail=${CANARY}@mail.example`
      const calls = [
        () => http?.['request']?.(url, { purpose: 'backchannel-logout', method: 'POST', body: CANARY }),
        () => http?.['certificateThumbprint']?.(url),
        () => http?.['stats']?.(),
        () => host?.['url']?.('frontend', request, { realmId: `${CANARY}-realm` }),
        () => host?.['issuer']?.(`${CANARY}-realm`, request),
        () => host?.['clientAddress']?.(request),
        () => host?.['resolveRelative']?.(`/${CANARY}`),
        () => host?.['stats']?.(),
      ]
      const outcomes = await Promise.allSettled(calls.map(async (call) => call()))
      return {
        replies: outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])),
        errors: outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : [])),
      }
    })
    const called = all.calls
      .filter(({ spi }) => ['http-client', 'hostname'].includes(spi))
      .map(({ verb }) => verb)
    expect(called.sort()).toEqual(
      [
        'request',
        'certificateThumbprint',
        'url',
        'issuer',
        'clientAddress',
        'resolveRelative',
        'stats',
        'stats',
      ].sort(),
    )
    expectNoCanary(all)
  })

  test('a canary that got out would be found', async () => {
    const all = await watched({}, async () => ({ replies: [{ id: 'a-new-session' }], errors: [] }))
    expectNoCanary(all)
    for (const leak of [CANARY, ADDRESS, 'a-new-session']) {
      expect(() => expectNoCanary({ ...all, lines: [leak] })).toThrow('in lines')
      expect(() => expectNoCanary({ ...all, errors: [new Error('x', { cause: new Error(leak) })] })).toThrow(
        'in ours',
      )
    }
  })
})

describeWith(redis, 'in Redis, with the instrumentation of ioredis on', () => {
  const prefix = `telemetry-${randomUUID()}`
  const url = redis.available ? redisUrl() : ''
  afterAll(async () => {
    const client = openRedis()
    await (await openInspector(client)).clear(prefix)
    client.disconnect()
  })

  everyVerbOf({ provider: 'redis', redis: { url, prefix } })

  test('the instrumentation is on: a command of the application has its span', async () => {
    const client = openRedis()
    onTestFinished(() => client.disconnect())
    const all = await watched({ provider: 'redis', redis: { client, prefix } }, async () => {
      await client.get(`shop:${CANARY}`)
      return { replies: [], errors: [] }
    })
    expect(everythingIn(all.spans)).toContain(`get shop:${CANARY}`)
    expect(() => expectNoCanary(all)).toThrow('in spans')
  })

  test('every verb while Redis refuses and is away: no canary either', async () => {
    const client = openRedis()
    onTestFinished(() => client.disconnect())
    const all = await watched(
      {
        provider: 'redis',
        redis: { client, prefix: `${prefix}-away` },
        spi: { cluster: { redis: { publishTimeoutMs: 50 } } },
      },
      async (state) => {
        client.disconnect()
        return everyVerb(state)
      },
    )
    expect(
      all.errors.filter((error) => (error as { code?: string }).code === 'ERR_STORE_UNAVAILABLE').length,
    ).toBeGreaterThan(50)
    expect(all.scraped).toMatch(
      /authstate_call_duration_seconds_count\{.*outcome="ERR_STORE_UNAVAILABLE"\} [1-9]/,
    )
    expectNoCanary(all)
  })
})
