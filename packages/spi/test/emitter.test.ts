import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Emitter } from '../src/index.js'

interface Events {
  readonly made: { readonly type: 'made'; readonly id: string }
  readonly gone: { readonly type: 'gone'; readonly id: string; readonly why: string }
}

let logged: [fields: object, message: string][]
let emitter: Emitter<Events>
const strays: unknown[] = []
const note = (error: unknown) => void strays.push(error)
const turn = () => new Promise((resolve) => setImmediate(resolve))

beforeEach(() => {
  logged = []
  const quiet = () => {}
  const error = (fields: object, message: string) => void logged.push([fields, message])
  const logger = { debug: quiet, info: quiet, warn: quiet, error }
  emitter = new Emitter<Events>({ owner: 'user-session', events: ['made', 'gone'], logger })
  process.on('unhandledRejection', note)
})
afterEach(() => {
  process.off('unhandledRejection', note)
  expect(strays.splice(0)).toEqual([])
})

test('an event has its type and reaches the listeners of its name, then those of all', () => {
  const heard: unknown[] = []
  emitter.on('*', (event) => heard.push(['*', event]))
  emitter.on('gone', ({ why }) => heard.push(['gone', why]))
  emitter.on('made', (event) => heard.push(['made', event]))
  emitter.emit('made', { id: '1' })
  emitter.emit('gone', { id: '1', why: 'removed' })
  expect(heard).toEqual([
    ['made', { type: 'made', id: '1' }],
    ['*', { type: 'made', id: '1' }],
    ['gone', 'removed'],
    ['*', { type: 'gone', id: '1', why: 'removed' }],
  ])
})

test('has: for one event, and for all', () => {
  expect(emitter.has('made')).toBe(false)
  const stop = emitter.on('made', () => {})
  expect([emitter.has('made'), emitter.has('gone')]).toEqual([true, false])
  stop()
  const stopAll = emitter.on('*', () => {})
  expect([emitter.has('made'), emitter.has('gone')]).toEqual([true, true])
  stopAll()
  expect(emitter.has('made')).toBe(false)
})

test('one function added twice is called twice, and each stops for itself, once', () => {
  let calls = 0
  const listener = () => {
    calls += 1
  }
  const stop = emitter.on('made', listener)
  emitter.on('made', listener)
  emitter.emit('made', { id: '1' })
  expect(calls).toBe(2)
  stop()
  stop()
  emitter.emit('made', { id: '1' })
  expect(calls).toBe(3)
  emitter.clear()
  emitter.emit('made', { id: '1' })
  expect(calls).toBe(3)
})

test.each([
  [
    'throws',
    () => {
      throw new RangeError('id-canary')
    },
  ],
  [
    'rejects',
    async () => {
      throw new RangeError('id-canary')
    },
  ],
  [
    'answers a thenable that rejects',
    // biome-ignore lint/suspicious/noThenProperty: a promise of a library
    () => ({ then: (_: unknown, no: (error: Error) => void) => no(new RangeError('id-canary')) }),
  ],
  [
    'answers a thenable that throws',
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: a promise that is broken
      then: () => {
        throw new RangeError('id-canary')
      },
    }),
  ],
])('a listener that %s harms nobody, goes on hearing, and is logged once', async (_, listener) => {
  let calls = 0
  emitter.on('made', () => {
    calls += 1
    return listener()
  })
  const heard: string[] = []
  emitter.on('made', ({ id }) => heard.push(id))
  for (const id of ['1', '2', '3']) emitter.emit('made', { id })
  await turn()
  expect([calls, heard]).toEqual([3, ['1', '2', '3']])
  expect(logged).toEqual([
    [
      { event: 'made', error: 'RangeError' },
      'user-session: a listener failed; later failures of it are not logged',
    ],
  ])
  expect(JSON.stringify(logged)).not.toContain('canary')
})

test('a promise of another realm that rejects harms nobody', async () => {
  emitter.on('made', () => runInNewContext('Promise.reject(new Error("foreign"))'))
  emitter.emit('made', { id: '1' })
  await turn()
  expect(logged).toHaveLength(1)
})

test('a listener that adds another is not followed by it in the same event, one that is stopped meanwhile is not called', () => {
  const heard: string[] = []
  const add = () => {
    heard.push('adds')
    emitter.on('made', add)
    stop()
  }
  emitter.on('made', add)
  const stop = emitter.on('made', () => heard.push('stopped'))
  emitter.emit('made', { id: '1' })
  expect(heard).toEqual(['adds'])
})

test('an event that is none, or a listener that is no function, is named', () => {
  expect(() => emitter.on('nope' as 'made', () => {})).toThrow(/"event" must be one of .*made.*gone.*\*/)
  expect(() => emitter.on('made', undefined as never)).toThrow('"listener"')
})
