// A console with a crowd behind it, for a browser: what a quiet day looks like, and what somebody who wants to harm would choose.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { memoryAudit } from '@authstate/audit'
import { createConsole, type Operator } from '@authstate/console'
import { toNode } from '@authstate/console/node'
import { createOperations } from '@authstate/operations'
import { type AuthState, createAuthState } from 'authstate'
import { FakeClock } from 'authstate/testing'
import { breakable } from '../test/breakable.js'

export const HOSTILE: readonly string[] = [
  '<script>document.title="harmed"</script>',
  '"><img src=x onerror=document.title="harmed">',
  '\u202emoc.elpmaxe\u202c',
  '👩‍💻 \u0645\u0631\u062d\u0628\u0627',
  'w'.repeat(512),
]

const CLIENTS = ['portal', 'mail', 'calendar', 'files']
const NAMES = ['ada', 'grace', 'edsger', 'barbara', 'alan', 'radia', 'donald', 'frances', 'linus', 'margaret']

const keyring = { current: 'a', keys: { a: 'a secret of this stage, 32 bytes or more' } }
const MINUTE = 60_000

/** What the doctor would say of a Redis that evicts. */
const EXAMINATION = {
  target: 'redis://10.0.0.5:6379/0',
  mode: 'standalone',
  server: 'redis 7.0.15',
  prefix: 'authstate',
  partitions: 16,
  at: 1_700_000_000_000,
  findings: [
    {
      id: 'latency',
      verdict: 'ok',
      spi: [],
      measured: {},
      message: 'PING: p50 0.09 ms, p99 0.31 ms.',
      docs: '',
    },
    {
      id: 'eviction.policy',
      verdict: 'fail',
      spi: ['action-token', 'user-session'],
      measured: {},
      message:
        'volatile-lru may evict live records: a used token could be used again, a lock-out could be gone.',
      fix: 'maxmemory-policy noeviction',
      docs: '',
    },
    {
      id: 'persistence',
      verdict: 'warn',
      spi: [],
      measured: {},
      message: 'Snapshots only, the last one 14 min ago: a restart loses up to 15 min of logouts.',
      fix: 'appendonly yes, appendfsync everysec',
      docs: '',
    },
    {
      id: 'output-buffers',
      verdict: 'unknown',
      spi: [],
      measured: {},
      message: 'CONFIG is not allowed for the user "app".',
      fix: 'ask the administrator for client-output-buffer-limit pubsub',
      docs: '',
    },
  ],
  summary: { ok: 1, warn: 1, fail: 1, unknown: 1, skip: 0 },
} as const

const CHIEF: Operator = {
  id: 'chief',
  name: 'Chief Operator',
  can: { read: true, endSessions: true, clearFailures: true, clearCache: true, manageSites: true },
}

/** A stage that stands. */
export interface Stage {
  readonly origin: string
  readonly state: AuthState
  readonly clock: FakeClock
  /** Takes the store away, or gives it back. */
  setAway(isAway: boolean): void
  close(): Promise<void>
}

/** @param names Who is there besides the usual crowd. */
export async function openStage(names: readonly string[] = []): Promise<Stage> {
  const clock = new FakeClock()
  const state = await createAuthState({
    clock,
    keyring,
    node: { name: 'node-1', site: 'west' },
    providers: [memoryAudit()],
    realms: () => ({ bruteForce: { enabled: true, failureFactor: 5, waitIncrementMs: 15 * MINUTE } }),
  })
  await state.realmCache.region('users').get('ada', async () => ({ name: 'Ada' }))
  let isAway = false
  const console = createConsole({
    state: breakable(state, () => isAway),
    keyring,
    realms: ['acme', 'shop'],
    basePath: '/ops',
    readOnly: false,
    authorize: () => CHIEF,
    doctor: async () => EXAMINATION,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  })
  const server = createServer(toNode(console)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await fill(state, clock, names, async () => void (await fetch(`${origin}/ops/api/v1/overview`)))
  return {
    origin,
    state,
    clock,
    setAway: (next) => {
      isAway = next
    },
    async close() {
      await console.close()
      server.closeAllConnections()
      server.close()
      await state.close()
    },
  }
}

/** Six hours of a day: people come and go, and some of them cannot get in. */
async function fill(state: AuthState, clock: FakeClock, names: readonly string[], look: () => Promise<void>) {
  const acme = state.realm('acme')
  const from = clock.now()
  for (let step = 0; step < 170; step++) {
    const comers = Math.round(1 + 2 * Math.sin(step / 25) ** 2)
    for (let n = 0; n < comers; n++) {
      const userId = NAMES[(step * 3 + n) % NAMES.length] as string
      const created = await acme.userSessions.create({
        userId,
        loginUsername: `${userId}@example.org`,
        ipAddress: `203.0.113.${(step * 7 + n) % 250}`,
        client: { clientId: CLIENTS[(step + n) % CLIENTS.length] as string },
      })
      if (step % 40 === 0 && created.outcome === 'created')
        await acme.userSessions.createOffline(created.session.id)
    }
    if (step % 30 === 29)
      for (let n = 0; n < 5; n++) {
        await acme.loginFailures.recordFailure(NAMES[step % NAMES.length] as string, { ip: '198.51.100.23' })
        clock.advance(1_500)
      }
    await look()
    clock.set(from + (step + 1) * 2 * MINUTE)
  }
  for (const userId of names) {
    await acme.userSessions.create({
      userId,
      loginUsername: userId,
      client: { clientId: userId.slice(0, 400) },
    })
    await acme.webSessions.save(`web-${Buffer.from(userId).toString('hex').slice(0, 60)}`, {
      data: {},
      userId,
      lifespanMs: 60 * MINUTE,
    })
    for (let n = 0; n < 5; n++) {
      await acme.loginFailures.recordFailure(userId)
      clock.advance(1_500)
    }
  }
  const operations = createOperations({ state, keyring })
  const night = operations.as({ name: 'night', via: 'command' })
  await night.sessions.end('acme', { userId: 'nobody-of-that-name' })
  for (const name of names) await operations.as({ name, via: 'api' }).failures.clear('shop', { userId: name })
  await acme.actionTokens.put('reset-password', 'a-key-of-a-token', {
    lifespanMs: 60 * MINUTE,
    subject: 'ada',
  })
  await look()
}
