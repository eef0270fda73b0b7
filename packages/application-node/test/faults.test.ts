// What dies between two steps of a delivery, and who goes on.
import { FakeClock, RecordingLogger } from '@authstate/conformance'
import { httpClientSpi } from '@authstate/http-client'
import { createProviderRegistry } from '@authstate/registry'
import { describedSchema, StoreUnavailableError } from '@authstate/spi'
import { expect, onTestFinished, test } from 'vitest'
import { freshApplication, only, sessionEnded, suiteApplication } from '../src/conformance/fixture.js'
import { ApplicationNodes, applicationNodeConfig, type NodeStore } from '../src/for-stores.js'
import { type ApplicationNodeProvider, applicationNodeSpi } from '../src/index.js'
import { MemoryStore } from '../src/memory-store.js'

async function nodeOn(store: NodeStore, clock: FakeClock): Promise<ApplicationNodeProvider> {
  const registry = createProviderRegistry({
    factories: [
      suiteApplication.http(),
      {
        spi: applicationNodeSpi,
        id: 'shared',
        dependsOn: [httpClientSpi],
        config: describedSchema(applicationNodeConfig),
        create: (context, config) => new ApplicationNodes(context, config, suiteApplication.options, store),
      },
    ],
    config: { spi: { 'application-node': { provider: 'shared', shared: { dispatch: false } } } },
    clock,
    logger: new RecordingLogger(),
  })
  await registry.start()
  onTestFinished(() => registry.close())
  return registry.get(applicationNodeSpi)
}

/** A store of which some steps fail on one node: the node dies there. */
function dying(store: MemoryStore, steps: Partial<NodeStore>): NodeStore {
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(steps, name) ?? Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

const lost = async () => {
  throw new StoreUnavailableError('settle', { applied: 'unknown' })
}

test('nodes 17: a node that dies between sending and storing that has another send again, with another jti, after the lease', async () => {
  const application = freshApplication()
  const clock = new FakeClock()
  const store = new MemoryStore()
  const a = await nodeOn(dying(store, { settle: lost }), clock)
  const b = await nodeOn(dying(store, { close: async () => {} }), clock)
  const { deliveryId } = await a.announce('r', sessionEnded(clock.now(), ['mail']))
  await a.deliverDue()
  expect(application.received).toHaveLength(1)
  clock.advance(14_999)
  expect(await b.deliverDue()).toBe(0)
  clock.advance(1)
  expect(await b.deliverDue()).toBe(1)
  const [first, second] = application.received.map(({ claims }) => claims)
  expect(second?.['sid']).toBe(first?.['sid'])
  expect(second?.['jti']).not.toBe(first?.['jti'])
  const delivery = await b.delivery('r', deliveryId)
  expect(delivery && only(delivery)).toMatchObject({ state: 'delivered', attempts: 2 })
})

test('nodes 17: a node that dies before it sent has another send, and that is all the receiver sees', async () => {
  const application = freshApplication()
  const clock = new FakeClock()
  const store = new MemoryStore()
  const a = await nodeOn(
    dying(store, {
      claim: async (claim) => {
        await store.claim(claim)
        throw new StoreUnavailableError('claim', { applied: 'unknown' })
      },
    }),
    clock,
  )
  const b = await nodeOn(dying(store, { close: async () => {} }), clock)
  const { deliveryId } = await a.announce('r', sessionEnded(clock.now(), ['mail', 'shop']))
  await expect(a.deliverDue()).rejects.toThrow(StoreUnavailableError)
  expect(await b.deliverDue()).toBe(0)
  clock.advance(15_000)
  expect(await b.deliverDue()).toBe(2)
  expect(application.received).toHaveLength(2)
  expect((await b.delivery('r', deliveryId))?.settled).toBe(true)
})

test('a message that another node took over is not settled by the one that was slow', async () => {
  const application = freshApplication()
  const clock = new FakeClock()
  const store = new MemoryStore()
  const a = await nodeOn(store, clock)
  const b = await nodeOn(dying(store, { close: async () => {} }), clock)
  let answer: (() => void) | undefined
  application.receiver = () =>
    new Promise((resolve) => {
      answer ??= () => resolve({ status: 400 })
      if (application.received.length === 2) resolve({ status: 200 })
    })
  const told: string[] = []
  a.on('*', ({ type }) => told.push(type))
  const { deliveryId } = await a.announce('r', sessionEnded(clock.now(), ['mail']))
  const slow = a.deliverDue()
  await expect.poll(() => answer).toBeDefined()
  clock.advance(15_000)
  expect(await b.deliverDue()).toBe(1)
  answer?.()
  await slow
  const delivery = await b.delivery('r', deliveryId)
  expect(delivery && only(delivery)).toMatchObject({ state: 'delivered', attempts: 2 })
  expect(told).toEqual([])
})
