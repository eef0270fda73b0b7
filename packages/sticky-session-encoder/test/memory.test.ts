import { memoryTarget, runSuite } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import { describe, expect, test } from 'vitest'
import { stickySessionEncoderSuite } from '../src/conformance.js'
import { memoryStickySessions, stickySessionEncoderSpi } from '../src/index.js'

runSuite(stickySessionEncoderSuite, memoryTarget(stickySessionEncoderSpi, [memoryStickySessions()]), {
  describe,
  test,
})

async function encoder(options: Partial<Parameters<typeof createProviderRegistry>[0]>) {
  const registry = createProviderRegistry({ factories: [memoryStickySessions()], ...options })
  await registry.start()
  return registry.get(stickySessionEncoderSpi)
}

const properties = (own: object) => ({ config: { spi: { 'sticky-session-encoder': { ...own } } } })

describe('routes of the memory provider', () => {
  test("are the configured one, else the node's, else none", async () => {
    const node = { name: 'host-1.example', route: 'n1' }
    expect((await encoder({ node, ...properties({ route: 'static' }) })).route('x')).toBe('static')
    expect((await encoder({ node })).route('x')).toBe('n1')
    const single = await encoder({ node: { name: 'host-1.example' } })
    expect([single.route('x'), single.encode('x')]).toEqual([undefined, 'x'])
  })

  test('that cannot stand in a cookie stop the start', async () => {
    await expect(encoder({ node: { name: 'n', route: 'a;b' } })).rejects.toThrow(/node\.route/)
    await expect(encoder(properties({ route: 'a b' }))).rejects.toThrow(/route/)
    const off = { node: { name: 'n', route: 'a b' }, ...properties({ shouldAttachRoute: false }) }
    await expect(encoder(off)).resolves.toBeDefined()
  })

  test('SameSite=None without Secure stops the start', async () => {
    await expect(encoder(properties({ secure: false }))).rejects.toThrow(/sameSite/)
    await expect(encoder(properties({ secure: false, sameSite: 'lax' }))).resolves.toBeDefined()
  })
})

describe('keys', () => {
  const secret = (letter: string) => letter.repeat(64)
  const keyring = (current: string, ...ids: string[]) => ({
    current,
    keys: Object.fromEntries(ids.map((id) => [id, secret(id)])),
  })

  test('rotate: old values verify until their key is taken away', async () => {
    const [old, both, recent] = await Promise.all([
      encoder({ keyring: keyring('a', 'a') }),
      encoder({ keyring: keyring('b', 'a', 'b') }),
      encoder({ keyring: keyring('b', 'b') }),
    ])
    const [byOld, byBoth] = [old.sign('x'), both.sign('x')]
    expect(both.verify(byOld)?.id).toBe('x')
    expect(both.verify(byBoth)?.id).toBe('x')
    expect(recent.verify(byBoth)?.id).toBe('x')
    expect(recent.verify(byOld)).toBeUndefined()
    expect(old.verify(byBoth)).toBeUndefined()
  })

  test('are of the process where none are configured', async () => {
    const [item, other] = await Promise.all([encoder({}), encoder({})])
    expect(item.verify(item.sign('x'))?.id).toBe('x')
    expect(other.verify(item.sign('x'))).toBeUndefined()
  })
})
