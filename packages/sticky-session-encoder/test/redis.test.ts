import { runSuite, type Target } from '@authstate/conformance'
import { describe, expect, test } from 'vitest'
import { stickySessionEncoderSuite } from '../src/conformance.js'
import type { StickySessionEncoderProvider } from '../src/index.js'
import { encoderOver, KEYRING, nodeNamed, View } from './view.js'

const IDS = Array.from({ length: 4000 }, (_, n) => `session-${n}`)

const target: Target<StickySessionEncoderProvider> = {
  name: 'redis',
  open: async () => ({
    provider: (properties) =>
      encoderOver(new View(nodeNamed('a'), nodeNamed('b')), { properties, keyring: KEYRING }),
    close: async () => {},
  }),
}
runSuite(stickySessionEncoderSuite, target, { describe, test })

const routesOf = (provider: StickySessionEncoderProvider) => IDS.map((id) => provider.route(id))

describe('routes of the redis provider', () => {
  test('are those of living nodes, and every node answers alike [109]', async () => {
    const view = new View(nodeNamed('a'), nodeNamed('b'), nodeNamed('c'))
    const reversed = new View(nodeNamed('c'), nodeNamed('b'), nodeNamed('a'))
    const routes = routesOf(await encoderOver(view, { node: { name: 'a' } }))
    expect(new Set(routes)).toEqual(new Set(['a', 'b', 'c']))
    expect(routesOf(await encoderOver(reversed, { node: { name: 'b' } }))).toEqual(routes)
  })

  test('are what the balancer calls a node, where that is not its name', async () => {
    const view = new View(nodeNamed('host-1', { route: 'n1' }), nodeNamed('host-2'))
    const provider = await encoderOver(view)
    expect(new Set(routesOf(provider))).toEqual(new Set(['n1', 'host-2']))
    view.become(nodeNamed('host-1-restarted', { route: 'n1' }), nodeNamed('host-2'))
    expect(routesOf(provider)).toEqual(routesOf(await encoderOver(view)))
  })

  test('of a node that leaves are the only ones that move [111]', async () => {
    const view = new View(nodeNamed('a'), nodeNamed('b'), nodeNamed('c'))
    const provider = await encoderOver(view)
    const before = routesOf(provider)
    view.become(nodeNamed('a'), nodeNamed('c'))
    const after = routesOf(provider)
    const moved = before.filter((route, index) => route !== after[index])
    expect(new Set(moved)).toEqual(new Set(['b']))
    expect(moved).toHaveLength(before.filter((route) => route === 'b').length)
    expect(Math.abs(moved.length / IDS.length - 1 / 3)).toBeLessThan(0.03)
    view.become(nodeNamed('a'), nodeNamed('b'), nodeNamed('c'))
    expect(routesOf(provider)).toEqual(before)
  })

  test('stay within the site', async () => {
    const view = new View(nodeNamed('a', { site: 'x' }), nodeNamed('b', { site: 'y' }))
    expect(new Set(routesOf(await encoderOver(view, { node: { name: 'a', site: 'x' } })))).toEqual(
      new Set(['a']),
    )
    expect((await encoderOver(view, { node: { name: 'c', site: 'z' } })).route('x')).toBeUndefined()
  })

  test('that cannot stand in a cookie stop the start', async () => {
    await expect(encoderOver(new View(), { node: { name: 'a b' } })).rejects.toThrow(
      /node\.name.*"node\.route"/,
    )
    await expect(encoderOver(new View(), { node: { name: 'a b', route: 'a' } })).resolves.toBeDefined()
  })

  test('are left out while no node is known', async () => {
    const provider = await encoderOver(new View())
    expect(provider.route('x')).toBeUndefined()
    expect(provider.encode('x')).toBe('x')
  })
})

test('without a keyring the redis provider encodes and does not sign', async () => {
  const provider = await encoderOver(new View(nodeNamed('a')))
  expect(provider.encode('x')).toBe('x.a')
  for (const call of [() => provider.sign('x'), () => provider.verify('x'), () => provider.cookie('x')]) {
    expect(call).toThrow(/needs a "keyring"/)
  }
})

test('a misspelt property stops the start and is told what was meant', async () => {
  await expect(encoderOver(new View(), { properties: { cookieNam: 'x' } })).rejects.toThrow(/cookieName/)
})
