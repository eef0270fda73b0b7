// Nodes whose connections to Redis take longer one way than the other, so that their clocks are off in opposite directions.
import { randomUUID } from 'node:crypto'
import { RecordingLogger } from '@authstate/conformance'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { start, type Topology } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { type ProxyDelays, TcpProxy } from '../../../tools/testing/tcp-proxy.js'
import { type AuthState, createAuthState } from '../src/index.js'

/** How long a login is under way before the sign-out, in ms. */
const SPANS = [0, 0.2, 1, 3, 8, 15]

const direct: ProxyDelays = {}
const both: ProxyDelays = { up: 10, down: 10 }
const up: ProxyDelays = { up: 20 }
const down: ProxyDelays = { down: 20 }

/** Spins until the process's clock has moved on: a timer would take longer. */
function spin(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

describeWith(serverBinary, 'a login on one node and a sign-out on another', () => {
  let server: Topology
  beforeAll(async () => {
    server = await start('single')
  })
  afterAll(() => server.stop())

  /** A node behind a proxy, and how to hold its logins up: they have begun, and wait for the settings of their realm. */
  async function startNode(delays: ProxyDelays) {
    const proxy = await TcpProxy.start(server.basePort, delays)
    onTestFinished(() => proxy.stop())
    let held: Promise<void> = Promise.resolve()
    const state: AuthState = await createAuthState({
      provider: 'redis',
      redis: { url: `redis://127.0.0.1:${proxy.port}`, commandTimeoutMs: 60_000 },
      realms: async () => {
        await held
        return {}
      },
      logger: new RecordingLogger(),
    })
    onTestFinished(() => state.close())
    const create = (userId: string) =>
      state.userSessions.create('realm', { userId, loginUsername: 'x' }).then(({ outcome }) => outcome)
    /** Begins a login. @returns how to let it go on */
    const begin = (userId: string) => {
      let release = () => {}
      held = new Promise((resolve) => {
        release = resolve
      })
      const outcome = create(userId)
      return () => {
        held = Promise.resolve()
        release()
        return outcome
      }
    }
    return { state, create, begin }
  }

  test.each<[string, ProxyDelays, ProxyDelays]>([
    ['both direct', direct, direct],
    ['10 ms each way on both', both, both],
    ['20 ms up for the sign-out, down for the login', up, down],
    ['20 ms down for the sign-out, up for the login', down, up],
    ['20 ms up for both', up, up],
    ['20 ms down for both', down, down],
  ])('%s: what began before it is refused, what begins later is created', async (_, out, into) => {
    const ending = await startNode(out)
    const other = await startNode(into)
    for (let round = 0; round < 2; round++) {
      for (const span of SPANS) {
        const userId = randomUUID()
        const goOn = other.begin(userId)
        spin(span)
        expect(await ending.state.userSessions.removeByUser('realm', userId)).toBe(0)
        expect([span, await goOn()]).toEqual([span, 'refused'])
        // The node that signed the user out knows what comes behind it.
        expect([span, await ending.create(userId)]).toEqual([span, 'created'])
        const { clock } = other.state
        const inDoubt = 2 * ((clock.uncertaintyMs ?? 0) + (ending.state.clock.uncertaintyMs ?? 0))
        spin(inDoubt)
        expect([span, await other.create(userId)]).toEqual([span, 'created'])
      }
    }
  })
})
