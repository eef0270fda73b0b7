import { tracingChannel } from 'node:diagnostics_channel'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { SentCommand } from '../src/client.js'
import { storeFailure } from '../src/failure.js'
import { defineScript, type RedisClient } from '../src/index.js'
import { wasNeverSent, watchOutgoing } from '../src/outgoing.js'
import { failureOf } from './support.js'

class Command implements SentCommand {
  args: unknown[]
  promise: Promise<unknown>
  reject: (error: unknown) => void = () => {}
  isTraced?: boolean
  readonly name: string
  constructor(name: string, ...args: unknown[]) {
    this.name = name
    this.args = args
    this.promise = new Promise((_, reject) => {
      this.reject = reject
    })
    this.promise.catch(() => {})
  }
  toWritable(): unknown {
    if (this.args.includes('broken')) throw new Error('cannot be written')
    return [...this.args]
  }
}

/** A client that does with a command what it is told to. */
function clientThat(
  send: (command: Command) => void,
): RedisClient & { sendCommand(command: Command): unknown } {
  class Client {
    readonly options = { keyPrefix: 'app:' }
    sendCommand(command: Command): unknown {
      send(command)
      return command.promise
    }
  }
  return new Client() as never
}

const { sha1, lua } = defineScript({
  name: 'test.outgoing',
  lua: 'return 7',
  record: 'test',
  change: 'none',
  keys: [],
  args: [],
  decode: Number,
})

describe('a command on its way', () => {
  test.each<[string, Command, unknown[]]>([
    ['a script by its hash', new Command('evalsha', sha1, '1', 'app:p:k', 'v'), [sha1, '?']],
    ['a script by its source', new Command('eval', lua, '1', 'app:p:k', 'v'), ['?']],
    ['a read of a key of ours', new Command('hmget', 'app:p:k', 'a'), ['?']],
    ['a command with a key of ours further behind', new Command('xread', 'STREAMS', 'app:p:k', '0'), ['?']],
  ])('%s: only the socket gets to see it', async (_, command, shown) => {
    const { args } = command
    const seen: unknown[] = []
    const client = clientThat((item) => seen.push(item.args, item.toWritable(), item.args))
    onTestFinished(watchOutgoing(client, 'p:'))
    void client.sendCommand(command)
    expect(seen).toEqual([shown, args, shown])
  })

  test.each<[string, Command]>([
    ['a script of somebody else', new Command('evalsha', 'a'.repeat(40), '1', 'app:p:k')],
    ['a key under another prefix', new Command('hgetall', 'app:q:k')],
    ['a key that has our prefix inside', new Command('hgetall', 'app:a:p:k')],
    ['a key without the prefix of the client', new Command('hgetall', 'p:k')],
    ['nothing', new Command('ping')],
    ['bytes', new Command('set', Buffer.from('app:p:k'), 1)],
  ])('%s is left as it is', async (_, command) => {
    const before = { ...command }
    const client = clientThat((item) => expect({ ...item }).toEqual(before))
    onTestFinished(watchOutgoing(client, 'p:'))
    expect(client.sendCommand(command)).toBe(command.promise)
    expect(command.reject).toBe(before.reject)
  })

  test('that cannot be written stays hidden', () => {
    const command = new Command('hmget', 'app:p:k', 'broken')
    const client = clientThat((item) => item.toWritable())
    onTestFinished(watchOutgoing(client, 'p:'))
    expect(() => client.sendCommand(command)).toThrow('cannot be written')
    expect(command.args).toEqual(['?'])
  })

  test('that waits for a connection is told to nobody who comes meanwhile', () => {
    const command = new Command('hmget', 'app:p:k')
    const client = clientThat(() => {})
    onTestFinished(watchOutgoing(client, 'p:'))
    void client.sendCommand(command)
    expect(command.isTraced).toBe(true)
  })

  test('is told to who listens, without its reply', async () => {
    const command = new Command('hmget', 'app:p:k')
    const reply = Promise.resolve('s3cret')
    command.promise = reply
    const client = clientThat(() => {})
    onTestFinished(watchOutgoing(client, 'p:'))
    const listener = { start() {} }
    tracingChannel('ioredis:command').subscribe(listener as never)
    onTestFinished(() => void tracingChannel('ioredis:command').unsubscribe(listener as never))
    expect(client.sendCommand(command)).toBe(reply)
    expect(command.isTraced).toBeUndefined()
    expect(await command.promise).toBe('?')
  })

  test('is sent by what was put on the prototype last', () => {
    const client = clientThat(() => {})
    onTestFinished(watchOutgoing(client, 'p:'))
    const seen: unknown[] = []
    Object.getPrototypeOf(client).sendCommand = (command: Command) => seen.push(command.args)
    void client.sendCommand(new Command('hmget', 'app:p:k'))
    expect(seen).toEqual([['?']])
  })
})

describe('a command that a client refuses', () => {
  const fail = async (send: (command: Command) => void) => {
    const client = clientThat(send)
    onTestFinished(watchOutgoing(client, 'p:'))
    return failureOf(client.sendCommand(new Command('hmget', 'app:p:k')) as Promise<unknown>)
  }

  test('at once was never sent, whatever the client says', async () => {
    const error = await fail((command) => command.reject(new Error('Connection is closed.')))
    expect(wasNeverSent(error)).toBe(true)
    expect(storeFailure('spi.verb', error, true)).toMatchObject({ applied: 'no' })
  })

  test('later may have been sent', async () => {
    const error = await fail((command) =>
      setImmediate(() => command.reject(new Error('Connection is closed.'))),
    )
    expect(wasNeverSent(error)).toBe(false)
    expect(storeFailure('spi.verb', error)).toMatchObject({ applied: 'unknown' })
  })

  test.each([undefined, null, 'text', {}])('%s proves nothing', (error) =>
    expect(wasNeverSent(error)).toBe(false),
  )
})
