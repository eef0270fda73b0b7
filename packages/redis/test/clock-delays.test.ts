// The clock of a deployment over connections that take longer one way than the other, through a real proxy.
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { start, type Topology } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { type Delay, TcpProxy } from '../../../tools/testing/tcp-proxy.js'
import type { DeploymentClock } from '../src/deployment-clock.js'
import { freshPrefix, open } from './support.js'

const upTo = (most: number) => () => Math.random() * most

describeWith(serverBinary, 'the clock of a deployment, over a connection that takes', () => {
  let server: Topology
  beforeAll(async () => {
    server = await start('single')
  })
  afterAll(() => server.stop())

  // What a row surely lasts: a timer may be early by a millisecond.
  test.each<[string, Delay, Delay, number]>([
    ['no time', 0, 0, 0],
    ['20 ms up', 20, 0, 19],
    ['20 ms down', 0, 20, 19],
    ['10 ms each way', 10, 10, 18],
    ['up to 20 ms up', upTo(20), 0, 0],
    ['up to 20 ms down', 0, upTo(20), 0],
    ['up to 20 ms each way', upTo(20), upTo(20), 0],
  ])('%s, is off by no more than it says', async (_, up, down, leastMs) => {
    const proxy = await TcpProxy.start(server.basePort, { up, down })
    onTestFinished(() => proxy.stop())
    const direct = new Redis(server.basePort)
    onTestFinished(() => direct.disconnect())
    const connection = await open({ url: `redis://127.0.0.1:${proxy.port}`, prefix: freshPrefix() })
    const clock = connection.clock as DeploymentClock
    for (let measurement = 0; measurement < 20; measurement++) {
      for (let reading = 0; reading < 10; reading++) {
        const earliest = clock.nowUs() - clock.uncertaintyMs * 1_000
        const [seconds, us] = await direct.time()
        const server = Number(seconds) * 1_000_000 + Number(us)
        const latest = clock.nowUs() + clock.uncertaintyMs * 1_000
        // The server was asked between the two readings; each is rounded to a microsecond.
        expect(server - earliest).toBeGreaterThanOrEqual(-1)
        expect(latest - server).toBeGreaterThanOrEqual(-1)
      }
      // Nothing that was measured can tell how the delay was divided.
      expect(2 * clock.uncertaintyMs).toBeGreaterThanOrEqual(leastMs)
      await clock.measure()
    }
  })
})
