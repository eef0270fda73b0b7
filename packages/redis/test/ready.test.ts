// How long a start waits for a server that takes the connection and says nothing: in time that the test moves.
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { internals } from '../src/client.js'
import { ConnectDeadline, type Time } from '../src/connect-deadline.js'
import { endClient, makeClient } from '../src/make-client.js'
import { parseOptions } from '../src/options.js'
import { becomeReady } from '../src/ready.js'
import { failureOf, listen } from './support.js'

class MovedTime implements Time {
  now = 0
  readonly #due = new Map<object, { at: number; run: () => void }>()

  readonly monotonicMs = () => this.now
  readonly setTimeout = ((run: () => void, ms = 0) => {
    const timer = {}
    this.#due.set(timer, { at: this.now + ms, run })
    return timer
  }) as unknown as Time['setTimeout']
  readonly clearTimeout = ((timer: object) => void this.#due.delete(timer)) as Time['clearTimeout']

  get armed(): number {
    return this.#due.size
  }

  moveTo(now: number): void {
    this.now = now
    for (const [timer, { at, run }] of this.#due) {
      if (at > now) continue
      this.#due.delete(timer)
      run()
    }
  }
}

/** A server that answers INFO, and whatever else it is asked, with a text; returns its port and what it was asked. */
async function answering(text: string) {
  const asked: string[] = []
  const server = createServer((socket) => {
    socket.on('error', () => {})
    onTestFinished(() => void socket.destroy())
    socket.on('data', (data) => {
      for (const [, name = ''] of String(data).matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        asked.push(name.toLowerCase())
        socket.write(`$${text.length}\r\n${text}\r\n`)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { port: (server.address() as { port: number }).port, asked }
}

async function connecting(port: number, spentMs = 0) {
  const config = parseOptions({ url: `redis://127.0.0.1:${port}`, connectTimeoutMs: 5_000 })
  const time = new MovedTime()
  const deadline = new ConnectDeadline(config.connectTimeoutMs, time)
  const client = await makeClient(config)
  onTestFinished(() => endClient(client))
  client.on('error', () => {})
  time.moveTo(spentMs)
  let failure: unknown
  const failed = failureOf(becomeReady(client, config, deadline)).then((error) => {
    failure = error
    return error
  })
  await expect.poll(() => client.status).toBe('connect')
  const settled = () => new Promise<unknown>((resolve) => setImmediate(() => resolve(failure)))
  return { client, time, failed, settled }
}

test('one deadline is over the connection and its first answer: a server that says nothing is told when it ends', async () => {
  const silent = await listen()
  const { time, failed, settled } = await connecting(silent.port)
  time.moveTo(4_999)
  expect(await settled()).toBeUndefined()
  time.moveTo(5_000)
  // No other timer has to pass: what is not known by now is not asked.
  expect(await failed).toMatchObject({
    code: 'ERR_STORE_UNAVAILABLE',
    applied: 'no',
    message: expect.stringMatching(/no answer within 5000 ms on a connection that was taken/),
  })
  expect(time.armed).toBe(0)
  expect(silent.connections()).toBe(1)
})

test('what credentials took of it is gone', async () => {
  const silent = await listen()
  const { time, failed, settled } = await connecting(silent.port, 3_000)
  time.moveTo(4_999)
  expect(await settled()).toBeUndefined()
  time.moveTo(5_000)
  expect(await failed).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
})

test('a server that loads its data is asked for it before the deadline, and told at its end', async () => {
  const loading = await answering('loading:1\r\nloading_eta_seconds:3600\r\n')
  const { time, failed, settled } = await connecting(loading.port)
  const before = loading.asked.length
  time.moveTo(4_500)
  await expect.poll(() => loading.asked.length).toBeGreaterThan(before)
  expect(await settled()).toBeUndefined()
  await expect.poll(() => time.armed).toBe(1)
  time.moveTo(5_000)
  expect(String(await failed)).toMatch(/LOADING/)
})

test('a client whose server says nothing is ended at once', async () => {
  const silent = await listen()
  const { client, time, failed } = await connecting(silent.port)
  time.moveTo(5_000)
  await failed
  const { stream } = internals(client)
  endClient(client)
  expect(stream?.destroyed).toBe(true)
})
