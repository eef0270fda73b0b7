import { clusterSuite } from '../../packages/cluster/src/conformance.js'
import { memoryCluster } from '../../packages/cluster/src/index.js'
import { inMemory, pause } from './plant.js'

export const clusterBugs = inMemory(clusterSuite, memoryCluster, (plant) => {
  plant(
    'lost race',
    'runOnce lets everybody execute',
    'runOnce: of N concurrent callers on several nodes exactly one executes',
    (real) => {
      let count = 0
      return {
        runOnce: (key, options, task) => real.runOnce(`${key} ${count++}`, options, task),
      }
    },
    { hangs: true },
  )
  plant(
    'lost race',
    'withLock lets two in',
    'withLock: never two holders at once, and everybody gets it',
    (real) => {
      let count = 0
      return {
        withLock: (namespace, options, work) => real.withLock(`${namespace} ${count++ % 2}`, options, work),
      }
    },
  )
  plant(
    'leaks',
    'a task that throws keeps its lease',
    'runOnce: what the task throws is thrown, and the next call executes',
    (real) => {
      const broken = new Set<string>()
      return {
        runOnce: async (key, options, task) => {
          if (broken.has(key)) return { executed: false }
          try {
            return await real.runOnce(key, options, task)
          } catch (error) {
            broken.add(key)
            throw error
          }
        },
      }
    },
  )
  plant(
    'swallowed error',
    'what a task throws is not told',
    'runOnce: what the task throws is thrown, and the next call executes',
    (real) => ({
      runOnce: (key, options, task) =>
        real.runOnce(key, options, task).catch(() => ({ executed: false }) as const),
    }),
  )
  plant('fences', 'a fence is used twice', 'runOnce: later holders have larger fences', (real) => ({
    runOnce: (key, options, task) =>
      real.runOnce(key, options, (lease) =>
        task({ fence: 1, signal: lease.signal, held: () => lease.held() }),
      ),
  }))
  plant(
    'order',
    'events overtake each other',
    'publish: the events of each sender arrive in order, each once, on every node',
    (real) => {
      let count = 0
      return {
        publish: async (...args) => {
          if (count++ % 2 === 0) await pause()
          await real.publish(...args)
        },
      }
    },
  )
  plant(
    'told twice',
    'an event is sent again to be sure',
    'publish: the events of each sender arrive in order, each once, on every node',
    (real) => ({
      publish: async (...args) => {
        await real.publish(...args)
        await real.publish(...args)
      },
    }),
    { hangs: true },
  )
  plant('wrong scope', 'others includes the sender', 'publish: who gets it, by scope', (real) => ({
    publish: (topic, event, { scope, ...options } = {}) =>
      real.publish(topic, event, { ...options, scope: scope === 'others' ? 'all' : scope }),
  }))
  plant(
    'shared objects',
    'listeners share one event',
    'publish: reaches every listener of the topic, each with a copy',
    (real) => {
      const first = new Map<string, unknown>()
      return {
        subscribe: (topic, listener, options) =>
          real.subscribe(
            topic,
            (event, info) => {
              if (!first.has(info.id)) first.set(info.id, event)
              return listener(first.get(info.id) as never, info)
            },
            options,
          ),
      }
    },
  )
  plant(
    'one for all',
    'a listener that throws stops the others',
    'subscribe: a listener that throws, rejects or never ends holds up no other',
    (real) => {
      const listeners: ((event: never, info: never) => void | Promise<void>)[] = []
      return {
        subscribe: (topic, listener, options) => {
          listeners.push(listener)
          if (listeners.length > 1) return () => {}
          return real.subscribe(
            topic,
            async (event, info) => {
              for (const item of listeners) await item(event as never, info as never)
            },
            options,
          )
        },
      }
    },
    { hangs: true },
  )
})
