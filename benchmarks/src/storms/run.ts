import { type ChildProcess, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import autocannon from 'autocannon'
import { Redis } from 'ioredis'
import { bundle } from '../build.js'
import type { Fact, Report } from '../finding.js'
import type { Surroundings } from '../measure.js'
import { PASSWORD, type Question, type Reply, USERS } from './world.js'

/** Few for logins: each keeps a core busy with its password for some 30 ms. */
const CONNECTIONS = { logins: 8, refreshes: 32 }
const SECONDS = 6
const VERIFIER = 'v'.repeat(43)
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')
const CLIENT = { client_id: 'calendar', redirect_uri: 'https://calendar.example/callback' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

/** Logins and refreshes of the example server, on memory and on Redis. */
export async function measure({ url }: Surroundings): Promise<Report> {
  const program = await bundle('storm-server', [
    `import { serveStorm } from './storms/server.js'`,
    'serveStorm()',
  ])
  const facts: Fact[] = []
  for (const [store, address] of [
    ['memory', undefined],
    ['Redis', url],
  ] as const) {
    const server = new Server(fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] }))
    const redis = new Redis(url)
    try {
      const origin = await server.start(address)
      const tokens: string[] = []
      facts.push(await storm('logins', store, 4, server, redis, () => login(origin, tokens)))
      if (tokens.length === 0) throw new Error('no login succeeded')
      facts.push(await storm('refreshes', store, 1, server, redis, () => refresh(origin, tokens)))
    } finally {
      redis.disconnect()
      server.stop()
    }
  }
  return { findings: [], facts }
}

/** @param requests How many there are to one login or refresh. */
async function storm(
  what: keyof typeof CONNECTIONS,
  store: string,
  requests: number,
  server: Server,
  redis: Redis,
  run: () => Promise<{ result: autocannon.Result; done: number }>,
): Promise<Fact> {
  const [cpuBefore, redisBefore] = [await server.cpuUs(), await redisCpuUs(redis)]
  const { result, done } = await run()
  const serverMs = ((await server.cpuUs()) - cpuBefore) / 1_000 / done
  const redisMs = ((await redisCpuUs(redis)) - redisBefore) / 1_000 / done
  return {
    group: 'storms on the example server',
    name: `${what}, state in ${store}`,
    values: {
      connections: CONNECTIONS[what],
      'per second': Math.round(done / result.duration),
      'per second and core of the server': Math.round(1_000 / serverMs),
      'server CPU, ms': Number(serverMs.toPrecision(3)),
      'Redis CPU, ms': store === 'memory' ? '' : Number(redisMs.toPrecision(2)),
      'requests to one': requests,
      'p50 of a request, ms': result.latency.p50,
      'p99 of a request, ms': result.latency.p99,
      'connections that failed': result.errors,
    },
  }
}

/** The way of a browser through one login, and the token request of its client. */
async function login(origin: string, tokens: string[]) {
  interface Visit {
    cookie?: string
    path?: string
    fields?: Record<string, string>
    code?: string
  }
  let [next, done] = [0, 0]
  const query = new URLSearchParams({
    ...CLIENT,
    response_type: 'code',
    scope: 'openid',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
  })
  const result = await autocannon({
    url: origin,
    connections: CONNECTIONS.logins,
    duration: SECONDS,
    requests: [
      {
        method: 'GET',
        path: `/authorize?${query}`,
        onResponse: (_status, _body, context, headers) => {
          const visit = context as Visit
          visit.cookie = cookieOf(headers)
          visit.path = textOf(headers, 'location')
        },
      },
      {
        method: 'GET',
        setupRequest: (request, context) => {
          const { path = '/login', cookie = '' } = context as Visit
          return { ...request, path, headers: { cookie } }
        },
        onResponse: (_status, body, context) => {
          const hidden = [...body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)]
          ;(context as Visit).fields = Object.fromEntries(
            hidden.map(([, name = '', value = '']) => [name, value]),
          )
        },
      },
      {
        method: 'POST',
        path: '/login',
        setupRequest: (request, context) => {
          const { fields, cookie = '' } = context as Visit
          const user = { username: `user-${next++ % USERS}`, password: PASSWORD }
          const body = new URLSearchParams({ ...fields, ...user }).toString()
          return { ...request, headers: { ...FORM, cookie }, body }
        },
        onResponse: (_status, _body, context, headers) => {
          const location = textOf(headers, 'location')
          const code = URL.canParse(location) ? new URL(location).searchParams.get('code') : null
          if (code !== null) (context as Visit).code = code
        },
      },
      {
        method: 'POST',
        path: '/token',
        headers: FORM,
        setupRequest: (request, context) => {
          const { code = '' } = context as Visit
          const grant = { grant_type: 'authorization_code', code, code_verifier: VERIFIER }
          return { ...request, body: new URLSearchParams({ ...CLIENT, ...grant }).toString() }
        },
        onResponse: (status, body) => {
          if (status !== 200) return
          done += 1
          tokens.push((JSON.parse(body) as { refresh_token: string }).refresh_token)
        },
      },
    ],
  })
  return { result, done }
}

/** Each token is used once, for the next one of its session. */
async function refresh(origin: string, tokens: string[]) {
  let done = 0
  const result = await autocannon({
    url: origin,
    connections: Math.min(CONNECTIONS.refreshes, tokens.length),
    duration: SECONDS,
    requests: [
      {
        method: 'POST',
        path: '/token',
        headers: FORM,
        setupRequest: (request) => {
          const grant = { grant_type: 'refresh_token', refresh_token: tokens.shift() ?? 'none' }
          return {
            ...request,
            body: new URLSearchParams({ client_id: CLIENT.client_id, ...grant }).toString(),
          }
        },
        onResponse: (status, body) => {
          if (status !== 200) return
          done += 1
          tokens.push((JSON.parse(body) as { refresh_token: string }).refresh_token)
        },
      },
    ],
  })
  return { result, done }
}

type Headers = object | undefined

function textOf(headers: Headers, name: string): string {
  const found = Object.entries(headers ?? {}).find(([key]) => key.toLowerCase() === name)?.[1]
  return String(Array.isArray(found) ? found[0] : (found ?? ''))
}

const cookieOf = (headers: Headers): string => textOf(headers, 'set-cookie').split(';')[0] ?? ''

async function redisCpuUs(redis: Redis): Promise<number> {
  const info = await redis.info('cpu')
  const read = (name: string) => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1]) * 1e6
  return read('used_cpu_user') + read('used_cpu_sys')
}

class Server {
  readonly #child: ChildProcess

  constructor(child: ChildProcess) {
    this.#child = child
  }

  async start(url: string | undefined): Promise<string> {
    return ((await this.#ask({ url })) as { origin: string }).origin
  }

  async cpuUs(): Promise<number> {
    return ((await this.#ask('cpu')) as { cpuUs: number }).cpuUs
  }

  stop(): void {
    this.#child.disconnect()
  }

  async #ask(question: Question): Promise<Reply> {
    const ended = once(this.#child, 'exit').then(() => ({ failed: 'the server ended' }))
    const answer = once(this.#child, 'message').then(([reply]) => reply as Reply)
    this.#child.send(question)
    const reply = await Promise.race([answer, ended])
    if ('failed' in reply) throw new Error(reply.failed)
    return reply
  }
}
