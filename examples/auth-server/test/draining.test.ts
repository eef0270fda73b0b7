// A node that is told to end, as an orchestrator does it: a process of its own, SIGTERM, and requests under way.
import { Agent, type IncomingMessage, request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { bundle } from '../../../tools/testing/bundle.js'
import { startProcess } from '../src/demo/node-process.js'
import { createWorld } from '../src/demo/world.js'

const main = fileURLToPath(new URL('../src/demo/node-main.ts', import.meta.url))

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of answer) text += chunk
  return text
}

test('SIGTERM: not ready at once, what was asked is answered, and the process ends with 0', async () => {
  const [program = ''] = bundle(main)
  const world = await createWorld(undefined)
  const node = await startProcess(world, 'n1', { noticeMs: 500, drainMs: 1_000, program })
  onTestFinished(async () => void (await node.end('SIGKILL')))
  // One connection, as a load balancer keeps it: it is answered to the end.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const ask = (path: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      request(`${node.origin}${path}`, { agent }, resolve).once('error', reject).end()
    })
  const ready = await ask('/readyz')
  expect([ready.statusCode, await textOf(ready)]).toEqual([200, '{"ready":true,"missing":[]}'])
  const alive = await ask('/livez')
  expect([alive.statusCode, await textOf(alive)]).toEqual([200, '{"alive":true}'])

  // A request of which the half is there.
  const begun = request(`${node.origin}/token`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/x-www-form-urlencoded', expect: '100-continue' },
  })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    begun.once('response', resolve).once('error', reject)
  })
  await new Promise((resolve) => begun.once('continue', resolve).flushHeaders())
  begun.write('grant_type=')

  const ended = node.end('SIGTERM')
  let last = ''
  await expect
    .poll(async () => {
      const answer = await ask('/readyz')
      last = await textOf(answer)
      return answer.statusCode
    })
    .toBe(503)
  expect(last).toBe('{"ready":false,"missing":["draining"]}')
  begun.end('nothing')
  expect((await answered).statusCode).toBe(401)
  expect(await ended).toBe(0)
})
