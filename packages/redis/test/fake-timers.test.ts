import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { start } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { startChild } from '../../../tools/testing/child.js'

const script = fileURLToPath(new URL('./fixtures/fake-timers.ts', import.meta.url))

// In a process of its own: a runner that loses its `nextTick` cannot report any more.
describeWith(serverBinary, 'once a test runner has put timers of its own in place', () => {
  test.each([true, false, 2])(
    'commands are sent, answered and ended, batchWrites %s',
    async (batchWrites) => {
      const server = await start('single')
      onTestFinished(() => server.stop())
      const options = { url: `redis://127.0.0.1:${server.basePort}`, commandTimeoutMs: 500, batchWrites }
      const child = startChild(script, [JSON.stringify(options)])
      await child.said('go on')
      server.nodes[0]?.pause()
      child.tell('paused')
      expect((await child.finished()).split('\n')).toEqual(['2', '3,4,5', 'go on', 'unknown', ''])
    },
  )
})
