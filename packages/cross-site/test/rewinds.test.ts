// Redis of a site fell back: to a replica that lacked what other sites were told, to a backup, or to nothing. It gets that back from them.
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import type { SiteEvents } from '../src/index.js'
import { inStep, isState, openSite, openTwo, REALM, signIn, type TestSite, until } from './support.js'

describeWith(redis, 'a site whose Redis fell back', () => {
  const raw = openRedis()
  afterAll(() => raw.disconnect())

  /** Everything that a site holds now. */
  async function copyOf(prefix: string) {
    const keys = await raw.keys(`${prefix}:*`)
    const held = await Promise.all(
      keys.map(async (key) => ({ key, value: await raw.dumpBuffer(key), ttl: await raw.pttl(key) })),
    )
    return held.filter(({ value }) => value !== null)
  }

  /** From one step to the next a site holds that, as after a failover to a replica that had not heard of the rest. */
  async function fallBackTo(prefix: string, copy: Awaited<ReturnType<typeof copyOf>>) {
    const step = raw.multi()
    step.del(...(await raw.keys(`${prefix}:*`)))
    for (const { key, value, ttl } of copy) step.restore(key, Math.max(0, ttl), value)
    await step.exec()
  }

  const many = (site: TestSite, count: number) =>
    Promise.all(Array.from({ length: count }, (_, n) => signIn(site, `user-${n}`)))

  const rewoundOf = ({ sites }: TestSite) => {
    const heard: SiteEvents['rewound'][] = []
    sites.on('rewound', (event) => heard.push(event))
    return heard
  }

  /** Passes once a site has asked for what it lost, and has got it. */
  const isTold = ({ sites }: TestSite) =>
    until(async () => {
      const asked = (await sites.pushes()).filter(({ reason }) => reason === 'rewound')
      return asked.length > 0 && asked.every(({ status }) => status === 'done') && sites.isReady() && asked
    })

  test('scenario 37: gets back what it lost from the site that was told, and nothing else', async () => {
    const { a, b, prefixA } = await openTwo({ config: { clock: { warnMs: 1, limitMs: 1 } } })
    const sessions = await many(a, 60)
    await inStep(a, b)
    const copy = await copyOf(prefixA)
    const changed = sessions.slice(0, 50)
    for (const { id } of changed.slice(0, 40)) await a.users.update(REALM, id, { notes: { n: 'late' } })
    for (const { id } of changed.slice(40)) await a.users.remove(REALM, id)
    await inStep(a)
    const heard = rewoundOf(a)
    await fallBackTo(prefixA, copy)
    expect((await a.users.get(REALM, changed[0]?.id as string))?.notes).toEqual({})
    const asked = await isTold(a)
    expect(heard.flatMap(({ partitions }) => partitions).sort()).toEqual([0, 1])
    expect(asked[0]).toMatchObject({ from: 'b', to: 'a', spi: 'all', mode: 'delta', conflicts: 0 })
    await inStep(a, b)
    for (const { users } of [a, b]) {
      for (const { id } of changed.slice(0, 40))
        expect((await users.get(REALM, id))?.notes).toEqual({ n: 'late' })
      expect(await users.count(REALM)).toBe(50)
    }
    expect((await a.sites.verify('b')).isEqual).toBe(true)
    expect(a.sites.warnings()).toEqual([])
  })

  test('scenario 37: the same where its nodes ended with it, and another one begins; one that lost nothing asks for nothing', async () => {
    const { a, b, prefixA, prefixB } = await openTwo()
    const begin = () => openSite({ name: 'a', prefix: prefixA, others: { b: { prefix: prefixB } } })
    const { id } = await signIn(a)
    await inStep(a, b)
    await a.close()
    const second = await begin()
    const heard = rewoundOf(second)
    await isState(second, 'b', 'online')
    await second.users.update(REALM, id, { notes: { n: '1' } })
    await inStep(second)
    const copy = await copyOf(prefixA)
    await second.users.update(REALM, id, { notes: { n: '2' } })
    const late = await signIn(second)
    await inStep(second)
    await second.close()
    expect([heard, await second.sites.pushes().catch(() => [])]).toEqual([[], []])
    await fallBackTo(prefixA, copy)
    const third = await begin()
    await isTold(third)
    await inStep(third, b)
    expect((await third.users.get(REALM, id))?.notes).toEqual({ n: '2' })
    expect(await third.users.get(REALM, late.id)).toBeDefined()
    expect((await third.sites.verify('b')).isEqual).toBe(true)
  })

  test('scenario 38: a site that was emptied is not ready until it is told everything, unless the configuration says so', async () => {
    for (const serveWhileSyncing of [false, true]) {
      const { a, b, prefixA, prefixB } = await openTwo()
      const [gone, ...others] = await many(a, 10)
      await inStep(a, b)
      await a.users.remove(REALM, gone?.id as string)
      await inStep(a)
      await a.close()
      await raw.unlink(...(await raw.keys(`${prefixA}:*`)))
      const config = { health: { serveWhileSyncing }, maxRecordsPerSecond: 100 }
      const again = await openSite({ name: 'a', prefix: prefixA, others: { b: { prefix: prefixB } }, config })
      const isReadyAtFirst = again.sites.isReady()
      const warnings = again.connection.warnings().join()
      expect(isReadyAtFirst).toBe(serveWhileSyncing)
      expect(warnings).toContain('Redis of this site lost what it had sent to other sites')
      const [push] = await isTold(again)
      expect(push).toMatchObject({ from: 'b', mode: 'full', reason: 'rewound' })
      expect(again.connection.sites?.isReady()).toBe(true)
      for (const { id } of others) expect(await again.users.get(REALM, id)).toBeDefined()
      expect(await again.users.get(REALM, gone?.id as string)).toBeUndefined()
    }
  })
})
