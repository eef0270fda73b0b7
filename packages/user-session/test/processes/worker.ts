// One process of processes.test.ts: does random things to sessions that other processes work on as well.

import { redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { sessionOf } from '../../src/conformance/fixture.js'
import { type RotationOutcome, userSessionSpi } from '../../src/index.js'
import { redisUserSessions } from '../../src/redis.js'

export interface Task {
  readonly url: string
  readonly prefix: string
  readonly seed: number
  readonly rounds: number
  /** Sessions that every process changes. */
  readonly shared: readonly string[]
  /** Sessions of which every process presents the same refresh token. */
  readonly raced: readonly string[]
}

export interface Report {
  readonly created: readonly string[]
  /** What this process ended. */
  readonly ended: readonly string[]
  readonly rotated: readonly RotationOutcome['outcome'][]
}

const task = JSON.parse(process.argv[2] ?? '') as Task
const registry = createProviderRegistry({
  factories: [redisUserSessions(), redisConnection()],
  config: {
    redis: { url: task.url, prefix: task.prefix, connectTimeoutMs: 60_000, commandTimeoutMs: 60_000 },
    spi: { 'user-session': { provider: 'redis', redis: { sweepIntervalMs: 0 } } },
  },
})
await registry.start()
const sessions = registry.get(userSessionSpi)

let state = task.seed + 1
const random = (below: number): number => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
  return (state >>> 8) % below
}

const known = [...task.shared]
const created: string[] = []
const ended: string[] = []
sessions.on('removed', ({ sessionId }) => ended.push(sessionId))

const rotated = await Promise.all(
  task.raced.map(async (id) => {
    const presented = {
      clientId: 'app',
      family: 'f',
      presented: 'T1',
      next: `T2 of ${task.seed}`,
      maxReuse: 0,
    }
    return (await sessions.rotateRefreshToken('realm', id, { ...presented, issuedAt: Date.now() })).outcome
  }),
)

const steps: (() => Promise<unknown>)[] = [
  async () => {
    const outcome = await sessions.create('realm', {
      userId: `user ${random(5)}`,
      loginUsername: 'x',
      client: { clientId: `c${random(3)}` },
    })
    if (outcome.outcome === 'refused') return
    known.push(outcome.session.id)
    created.push(outcome.session.id)
  },
  () => sessions.refresh('realm', anyone()),
  () => sessions.refresh('realm', anyone(), { clientId: 'app' }),
  () => sessions.touch('realm', anyone()),
  () => sessions.update('realm', anyone(), { notes: { [`n${random(5)}`]: String(random(9)) } }),
  () => sessions.putClientSession('realm', anyone(), { clientId: `c${random(3)}` }).then(sessionOf),
  () => sessions.updateClientSession('realm', anyone(), { clientId: 'app', action: 'x' }),
  () => sessions.removeClientSession('realm', anyone(), `c${random(3)}`),
  () => (random(3) === 0 ? sessions.remove('realm', anyone()) : Promise.resolve()),
  () => (random(12) === 0 ? sessions.removeByUser('realm', `user ${random(5)}`) : Promise.resolve()),
  () => (random(20) === 0 ? sessions.recompute('realm') : Promise.resolve()),
]

for (let round = 0; round < task.rounds; round++) {
  await Promise.all(Array.from({ length: 4 }, () => steps[random(steps.length)]?.()))
}
process.stdout.write(JSON.stringify({ created, ended, rotated } satisfies Report))
await registry.close()

function anyone(): string {
  return known[random(known.length)] as string
}
