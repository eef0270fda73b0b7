import { type ClusterNode, type ClusterProvider, type ClusterView, clusterSpi } from '@authstate/cluster'
import { runSuite, type Target } from '@authstate/conformance'
import { createProviderRegistry, type NodeIdentity, type ProviderFactory } from '@authstate/spi'
import { describe, expect, test } from 'vitest'
import { stickySessionEncoderSuite } from '../src/conformance.js'
import { type StickySessionEncoderProvider, stickySessionEncoderSpi } from '../src/index.js'
import { redisStickySessions } from '../src/redis.js'

const KEYRING = { current: 'k', keys: { k: 'k'.repeat(64) } }
const IDS = Array.from({ length: 4000 }, (_, n) => `session-${n}`)

const nodeNamed = (name: string, more: Partial<NodeIdentity> = {}): ClusterNode => ({
  name,
  incarnation: 'i',
  joinedAt: 0,
  ...more,
})

/** A view that a test moves. */
class View {
  #view: ClusterView

  constructor(...nodes: ClusterNode[]) {
    this.#view = { nodes, version: 1 }
  }

  become(...nodes: ClusterNode[]): void {
    this.#view = { nodes, version: this.#view.version + 1 }
  }

  /** The encoder asks a cluster for nothing but its view. */
  factory(): ProviderFactory<ClusterProvider> {
    const provider: Pick<ClusterProvider, 'view'> = { view: () => this.#view }
    return { spi: clusterSpi, id: 'still', create: () => provider as ClusterProvider }
  }
}

async function encoder(
  view: View,
  {
    properties = {},
    ...options
  }: { properties?: object; node?: NodeIdentity; keyring?: typeof KEYRING } = {},
): Promise<StickySessionEncoderProvider> {
  const registry = createProviderRegistry({
    factories: [redisStickySessions(), view.factory()],
    config: { spi: { 'sticky-session-encoder': { ...properties } } },
    ...options,
  })
  await registry.start()
  return registry.get(stickySessionEncoderSpi)
}

const target: Target<StickySessionEncoderProvider> = {
  name: 'redis',
  open: async () => ({
    provider: (properties) =>
      encoder(new View(nodeNamed('a'), nodeNamed('b')), { properties, keyring: KEYRING }),
    close: async () => {},
  }),
}
runSuite(stickySessionEncoderSuite, target, { describe, test })

const routesOf = (provider: StickySessionEncoderProvider) => IDS.map((id) => provider.route(id))

describe('routes of the redis provider', () => {
  test('are those of living nodes, and every node answers alike [109]', async () => {
    const view = new View(nodeNamed('a'), nodeNamed('b'), nodeNamed('c'))
    const reversed = new View(nodeNamed('c'), nodeNamed('b'), nodeNamed('a'))
    const routes = routesOf(await encoder(view, { node: { name: 'a' } }))
    expect(new Set(routes)).toEqual(new Set(['a', 'b', 'c']))
    expect(routesOf(await encoder(reversed, { node: { name: 'b' } }))).toEqual(routes)
  })

  test('are what the balancer calls a node, where that is not its name', async () => {
    const view = new View(nodeNamed('host-1', { route: 'n1' }), nodeNamed('host-2'))
    const provider = await encoder(view)
    expect(new Set(routesOf(provider))).toEqual(new Set(['n1', 'host-2']))
    view.become(nodeNamed('host-1-restarted', { route: 'n1' }), nodeNamed('host-2'))
    expect(routesOf(provider)).toEqual(routesOf(await encoder(view)))
  })

  test('of a node that leaves are the only ones that move [111]', async () => {
    const view = new View(nodeNamed('a'), nodeNamed('b'), nodeNamed('c'))
    const provider = await encoder(view)
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
    expect(new Set(routesOf(await encoder(view, { node: { name: 'a', site: 'x' } })))).toEqual(new Set(['a']))
    expect((await encoder(view, { node: { name: 'c', site: 'z' } })).route('x')).toBeUndefined()
  })

  test('are left out while no node is known', async () => {
    const provider = await encoder(new View())
    expect(provider.route('x')).toBeUndefined()
    expect(provider.encode('x')).toBe('x')
  })
})

test('without a keyring the redis provider encodes and does not sign', async () => {
  const provider = await encoder(new View(nodeNamed('a')))
  expect(provider.encode('x')).toBe('x.a')
  for (const call of [() => provider.sign('x'), () => provider.verify('x'), () => provider.cookie('x')]) {
    expect(call).toThrow(/needs a "keyring"/)
  }
})

test('a misspelt property stops the start and is told what was meant', async () => {
  await expect(encoder(new View(), { properties: { cookieNam: 'x' } })).rejects.toThrow(/cookieName/)
})
