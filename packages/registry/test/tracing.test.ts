import { AsyncLocalStorage } from 'node:async_hooks'
import { tracingChannel } from 'node:diagnostics_channel'
import { type AnyProviderFactory, defineSpi, type Provider, StoreUnavailableError } from '@authstate/spi'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CALL_CHANNEL, type StartedCall } from '../src/index.js'
import { started } from './support.js'

const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
const channels = tracingChannel<unknown, StartedCall>(CALL_CHANNEL)
const store = new AsyncLocalStorage<string>()

class Worker implements Provider {
  async close(): Promise<void> {}
  async work(): Promise<string> {
    return store.getStore() ?? 'nothing around'
  }
  peek(): string {
    return store.getStore() ?? 'nothing around'
  }
  async fail(): Promise<never> {
    throw new StoreUnavailableError('s3cret', { applied: 'no' })
  }
  refuse(): never {
    throw new TypeError('s3cret')
  }
}
const workerSpi = defineSpi<Worker>('worker')
const workers: AnyProviderFactory = { spi: workerSpi, id: 'memory', create: () => new Worker() }

async function worker(): Promise<Worker> {
  return (await started({ factories: [workers] })).get(workerSpi)
}

/** The events in the order in which they came, each with what its message held then. */
function listen(onStart: (call: StartedCall) => void = () => {}): [string, StartedCall][] {
  const heard: [string, StartedCall][] = []
  const subscribers = Object.fromEntries(
    EVENTS.map((event) => [
      event,
      (call: StartedCall) => {
        heard.push([event, { ...call }])
        if (event === 'start') onStart(call)
      },
    ]),
  )
  channels.subscribe(subscribers as never)
  onTestFinished(() => void channels.unsubscribe(subscribers as never))
  return heard
}

const names = (heard: [string, StartedCall][]): string[] => heard.map(([event]) => event)

describe('the tracing channel', () => {
  test('tells of a call that waits: its start, its return, its end', async () => {
    const heard = listen()
    await (await worker()).work()
    expect(names(heard)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect(heard[0]?.[1]).toEqual({
      spi: 'worker',
      provider: 'memory',
      verb: 'work',
      node: expect.any(Object),
    })
    expect(heard[1]?.[1].outcome).toBeUndefined()
    expect(heard[3]?.[1]).toMatchObject({ outcome: 'ok', durationMs: expect.any(Number) })
  })

  test('tells of a call that answers at once, and says so', async () => {
    const heard = listen()
    ;(await worker()).peek()
    expect(names(heard)).toEqual(['start', 'end'])
    expect(heard[1]?.[1]).toMatchObject({ outcome: 'ok', sync: true, durationMs: expect.any(Number) })
  })

  test('tells that a call failed, and not with what', async () => {
    const heard = listen()
    const broken = await worker()
    await expect(broken.fail()).rejects.toThrow('s3cret')
    expect(names(heard)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    expect(heard.at(-1)?.[1].outcome).toBe('ERR_STORE_UNAVAILABLE')
    heard.length = 0
    expect(() => broken.refuse()).toThrow('s3cret')
    expect(names(heard)).toEqual(['start', 'error', 'end'])
    expect(heard.at(-1)?.[1].outcome).toBe('TypeError')
    expect(JSON.stringify(heard)).not.toContain('s3cret')
  })

  test('all events of a call have one message', async () => {
    const messages = new Set<StartedCall>()
    const subscribers = Object.fromEntries(
      EVENTS.map((event) => [event, (call: StartedCall) => messages.add(call)]),
    )
    channels.subscribe(subscribers as never)
    onTestFinished(() => void channels.unsubscribe(subscribers as never))
    await (await worker()).work()
    expect(messages.size).toBe(1)
  })

  test('a store that is bound to the start is there inside of the call', async () => {
    channels.start.bindStore(store as never, ((call: StartedCall) => `bound to ${call.verb}`) as never)
    onTestFinished(() => void channels.start.unbindStore(store as never))
    const target = await worker()
    expect(await target.work()).toBe('bound to work')
    expect(target.peek()).toBe('bound to peek')
    expect(store.getStore()).toBeUndefined()
  })
})

describe('what a subscriber of the start puts around a call', () => {
  test('is around it, the last to come outermost', async () => {
    const order: string[] = []
    const put = (name: string) => (call: StartedCall) => {
      const inner = call.around
      call.around = (run) => {
        order.push(name)
        return store.run(name, () => (inner === undefined ? run() : inner(run)))
      }
    }
    listen(put('first'))
    listen(put('second'))
    expect(await (await worker()).work()).toBe('first')
    expect(order).toEqual(['second', 'first'])
  })

  test('and fails before the call begins is left out', async () => {
    listen((call) => {
      call.around = () => {
        throw new Error('broken')
      }
    })
    expect(await (await worker()).work()).toBe('nothing around')
  })

  test('lets through what the call throws', async () => {
    listen((call) => {
      call.around = (run) => store.run('around', run)
    })
    const broken = await worker()
    expect(() => broken.refuse()).toThrow('s3cret')
    await expect(broken.fail()).rejects.toThrow('s3cret')
  })
})
