import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { Page } from '@authstate/spi'
import type { WebSession, WebSessionProvider } from '../contract.js'
import { allIds, LIFE_MS, read, saved, session } from './fixture.js'

/** Finding what is there. */
export function listing(add: SuiteBuilder<WebSessionProvider>): void {
  add.basic('list: a session comes as get gives it', 'contract', async ({ provider }) => {
    await saved(provider, 's', {
      userId: 'u',
      labels: { l: 'v' },
      alias: 'x',
      generation: 'g',
      data: { a: [] },
    })
    const held = await read(provider, 's')
    assert.deepEqual(await provider.list('r'), { items: [held] })
    assert.deepEqual(await provider.listByUser('r', 'u'), { items: [held] })
    assert.deepEqual(await provider.listByLabel('r', 'l', 'v'), { items: [held] })
    assert.deepEqual(await provider.find('r', 'x'), held)
    assert.deepEqual(await provider.list('r2'), { items: [] })
    assert.deepEqual(await provider.listByUser('r2', 'u'), { items: [] })
    assert.deepEqual(await provider.listByUser('r', 'v'), { items: [] })
    assert.deepEqual(await provider.listByLabel('r', 'v', 'l'), { items: [] })
    assert.equal(await provider.find('r2', 'x'), undefined)
  })

  add.basic(
    'list: of many that end at the same instant none is missed and none comes twice',
    'contract',
    async ({ provider }) => {
      const all = Array.from({ length: 120 }, (_, n) => `s${n}`).sort()
      await together(all.length, (n) =>
        provider.save('r', all[n] as string, session({ userId: 'u', labels: { l: 'v' } })),
      )
      for (const limit of [1, 7, 100]) {
        assert.deepEqual(await allIds((page) => provider.list('r', page), limit), all)
      }
      assert.deepEqual(await allIds((page) => provider.listByUser('r', 'u', page), 9), all)
      assert.deepEqual(await allIds((page) => provider.listByLabel('r', 'l', 'v', page), 9), all)
      assert.equal(await provider.count('r'), all.length)
      assert.equal((await provider.list('r')).items.length, 20)
    },
  )

  add.concurrency(
    'list: 1 000 over pages while others come and go, none is missed and none comes twice',
    'peers 2',
    async ({ provider, anotherNode, clock, random }) => {
      const other = await anotherNode()
      const steady = Array.from({ length: 1_000 }, (_, n) => `s${n}`).sort()
      for (let at = 0; at < steady.length; at += 100) {
        await together(100, (n) =>
          provider.save('r', steady[at + n] as string, {
            ...session(),
            lifespanMs: LIFE_MS + Math.floor(random() * 500),
          }),
        )
      }
      const guests = Array.from({ length: 100 }, (_, n) => `guest${n}`)
      await together(50, (n) => provider.save('r', guests[n] as string, session()))
      const seen: string[] = []
      for (let cursor: string | undefined, round = 0; round === 0 || cursor !== undefined; round++) {
        const page: Page<WebSession> = await provider.list('r', {
          limit: 37,
          ...(cursor !== undefined && { cursor }),
        })
        seen.push(...page.items.map(({ id }) => id))
        cursor = page.cursor
        await Promise.all([
          other.remove('r', guests[2 * round] ?? 'none'),
          other.remove('r', guests[2 * round + 1] ?? 'none'),
          other.save('r', guests[50 + round] ?? 'none', session({ generation: String(clock.now()) })),
        ])
      }
      assert.deepEqual(seen.filter((id) => !id.startsWith('guest') && id !== 'none').sort(), steady)
      assert.equal(new Set(seen).size, seen.length)
    },
  )

  add.basic(
    'list: a cursor says nothing of the sessions, and another text is none',
    'issue: bad input',
    async ({ provider }) => {
      await saved(provider, 'secret-id-1')
      await saved(provider, 'secret-id-2')
      const { cursor = '' } = await provider.list('r', { limit: 1 })
      assert.doesNotMatch(Buffer.from(cursor, 'base64url').toString('latin1'), /secret/)
      for (const wrong of ['x', 'secret-id-1', `${cursor}A`]) {
        await assert.rejects(provider.list('r', { cursor: wrong }), {
          name: 'TypeError',
          message: /page\.cursor/,
        })
      }
      for (const limit of [0, 101, 1.5]) {
        await assert.rejects(provider.listByUser('r', 'u', { limit }), {
          name: 'RangeError',
          message: /page\.limit/,
        })
      }
    },
  )

  add.basic('labels: a session stands under those that it has now', 'contract', async ({ provider }) => {
    const bearing = async (name: string, value: string) =>
      (await provider.listByLabel('r', name, value)).items.map(({ id }) => id)
    await saved(provider, 's', { labels: { sid: '1', client: 'a' } })
    await saved(provider, 't', { labels: { sid: '1' } })
    assert.deepEqual((await bearing('sid', '1')).sort(), ['s', 't'])
    assert.deepEqual(await bearing('client', 'a'), ['s'])
    await saved(provider, 's', { labels: { sid: '2' } })
    assert.deepEqual(await bearing('sid', '1'), ['t'])
    assert.deepEqual(await bearing('sid', '2'), ['s'])
    assert.deepEqual(await bearing('client', 'a'), [])
    await provider.update('r', 's', { set: { a: 1 }, userId: 'u' })
    assert.deepEqual(await bearing('sid', '2'), ['s'])
    await saved(provider, 's')
    assert.deepEqual(await bearing('sid', '2'), [])
    assert.deepEqual((await read(provider, 's')).labels, {})
  })

  add.basic('labels: names and values of any kind keep to themselves', 'contract', async ({ provider }) => {
    const pairs = [
      ['a:b', 'c'],
      ['a', 'b:c'],
      ['a{', '}b'],
      ['a', '{b'],
      ['%', '%25'],
      ['constructor', 'toString'],
      ['x'.repeat(512), '🔑'],
    ] as const
    for (const [n, [name, value]] of pairs.entries())
      await saved(provider, `s${n}`, { labels: { [name]: value } })
    for (const [n, [name, value]] of pairs.entries()) {
      const { items } = await provider.listByLabel('r', name, value)
      assert.deepEqual(
        items.map(({ id }) => id),
        [`s${n}`],
      )
      assert.deepEqual(items[0]?.labels, { [name]: value })
    }
    for (const [name, value] of pairs) assert.equal(await provider.removeByLabel('r', name, value), 1)
    assert.equal(await provider.count('r'), 0)
  })
}
