// Endings of sessions in Redis that become messages, whatever node dies when.
import { randomUUID } from 'node:crypto'
import { RecordingLogger } from '@authstate/conformance'
import { type RedisConnection, redisConnection, redisConnectionSpi } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { type UserSessionProvider, userSessionSpi } from '../../user-session/src/index.js'
import { redisUserSessions } from '../../user-session/src/redis.js'
import { freshApplication, type Received, suiteApplication } from '../src/conformance/fixture.js'
import { type ApplicationNodeProvider, applicationNodeSpi } from '../src/index.js'
import { announceEndings, redisApplicationNodes } from '../src/redis.js'

/** As the page about application nodes has it. */
const CONSUMER = {
  name: 'application-node',
  kinds: ['user-session'],
  notes: 'endings',
  details: true,
} as const

const FAST = { pollMs: 1, leaseMs: 50 }

interface Node {
  readonly connection: RedisConnection
  readonly sessions: UserSessionProvider
  readonly nodes: ApplicationNodeProvider
}

async function node(prefix: string, properties: Readonly<Record<string, unknown>> = {}): Promise<Node> {
  const registry = createProviderRegistry({
    factories: [
      redisConnection(),
      redisUserSessions(),
      redisApplicationNodes(suiteApplication.options),
      suiteApplication.http(),
    ],
    config: {
      redis: { url: redisUrl(), prefix, partitions: 2, changes: { consumers: [CONSUMER] } },
      spi: { 'application-node': { provider: 'redis', redis: { pollMs: 10, ...properties } } },
    },
    logger: new RecordingLogger(),
  })
  await registry.start()
  onTestFinished(() => registry.close())
  return {
    connection: registry.get(redisConnectionSpi),
    sessions: registry.get(userSessionSpi),
    nodes: registry.get(applicationNodeSpi),
  }
}

/** A session at the clients, which has begun to be noted. */
async function signedIn({ sessions }: Node, ...clients: readonly string[]): Promise<string> {
  const [first = '', ...rest] = clients
  const outcome = await sessions.create('r', {
    userId: 'alice',
    loginUsername: 'alice',
    client: { clientId: first, applicationSessionId: `app-${first}` },
  })
  if (outcome.outcome !== 'created') throw new Error(outcome.outcome)
  for (const clientId of rest) await sessions.putClientSession('r', outcome.session.id, { clientId })
  return outcome.session.id
}

const begun = (connection: RedisConnection, nodes: Pick<ApplicationNodeProvider, 'announce'>) =>
  new Promise<ReturnType<typeof announceEndings>>((resolve) => {
    let gaps = 0
    const reading = announceEndings(connection, nodes, {
      reader: FAST,
      onGap: () => {
        gaps += 1
        if (gaps === 2) setImmediate(() => resolve(reading))
      },
    })
  })

/** Resolves when so many requests came. */
function requests(count: number): Promise<readonly Received[]> {
  const application = suiteApplication
  const before = application.receiver
  return new Promise((resolve) => {
    application.receiver = async (received) => {
      const answer = await before(received)
      if (application.received.length >= count) setImmediate(() => resolve(application.received))
      return answer
    }
  })
}

describeWith(redis, 'endings of sessions', () => {
  test('nodes 20: every client of a session is told, and a client that leaves alone is told alone', async () => {
    freshApplication()
    const a = await node(`test-${randomUUID()}`)
    await begun(a.connection, a.nodes)
    const three = requests(3)
    const first = await signedIn(a, 'shop', 'mail')
    const second = await signedIn(a, 'mail')
    await a.sessions.remove('r', first)
    await a.sessions.removeClientSession('r', second, 'mail')
    const told = (await three).map(({ claims, signed }) => [
      signed.clientId,
      claims['sid'] ?? claims['keycloakSessionIds'],
    ])
    expect(told).toHaveLength(3)
    expect(told).toEqual(
      expect.arrayContaining([
        ['mail', first],
        ['mail', second],
        ['shop', [first]],
      ]),
    )
  })

  test('nodes 17: a node that dies before, and one that dies after it announced, lose none and send none twice', async () => {
    freshApplication()
    const prefix = `test-${randomUUID()}`
    const [a, b] = [await node(prefix, { dispatch: false }), await node(prefix, { dispatch: false })]
    let failing = 2
    let announced = 0
    // Dies once before it announced, and once after, before the notes were done with.
    const dying = await begun(a.connection, {
      announce: async (...call) => {
        failing -= 1
        if (failing === 1) throw new Error('dies before')
        await a.nodes.announce(...call)
        announced += 1
        throw new Error('dies after')
      },
    })
    await a.sessions.remove('r', await signedIn(a, 'mail'))
    await expect.poll(() => announced).toBeGreaterThan(0)
    await dying.close()
    let again = 0
    announceEndings(
      b.connection,
      {
        announce: async (...call) => {
          const outcome = await b.nodes.announce(...call)
          again += 1
          return outcome
        },
      },
      { reader: FAST },
    )
    await expect.poll(() => again).toBe(1)
    expect(await b.nodes.deliverDue()).toBe(1)
    expect(await a.nodes.deliverDue()).toBe(0)
    expect(suiteApplication.hosts).toEqual(['mail.example.com'])
  })

  test('a full queue keeps the notes, and what it refused is announced later', async () => {
    freshApplication()
    const a = await node(`test-${randomUUID()}`, { dispatch: false, maxQueued: 1 })
    await begun(a.connection, a.nodes)
    const ids = [await signedIn(a, 'mail'), await signedIn(a, 'mail'), await signedIn(a, 'mail')]
    for (const id of ids) await a.sessions.remove('r', id)
    await expect
      .poll(
        async () => {
          await a.nodes.deliverDue()
          return suiteApplication.received.map(({ claims }) => claims['sid']).sort()
        },
        { timeout: 20_000 },
      )
      .toEqual([...ids].sort())
  })
})
