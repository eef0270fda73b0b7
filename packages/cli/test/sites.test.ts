// Sites by the command: what is asked for is noted in the Redis of a site, and the nodes there do it.
import { randomUUID } from 'node:crypto'
import { crossSite } from '@authstate/cross-site'
import { createAuthState } from 'authstate'
import { redisConnectionSpi } from 'authstate/redis'
import { expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { command, folderWith, type Given } from './support.js'

/** A node of a site that does what it is asked for. */
async function node(site: string, prefix: string, other: string, otherPrefix: string) {
  const plan = crossSite({
    site,
    sites: { [other]: { redis: { url: redisUrl(), prefix: otherPrefix } } },
    heartbeatMs: 20,
  })
  const redisSection = { url: redisUrl(), prefix, partitions: 2, changes: { consumers: [plan.consumer] } }
  const state = await createAuthState({ provider: 'redis', redis: redisSection })
  const sites = await plan.start(state.get(redisConnectionSpi), { reading: { pollMs: 4 } })
  const close = async () => {
    await sites.close()
    await state.close()
  }
  onTestFinished(close)
  return { state, sites, redisSection, close }
}

async function deployed() {
  const [prefixA, prefixB] = [`cli-${randomUUID()}`, `cli-${randomUUID()}`]
  const raw = openRedis()
  onTestFinished(async () => {
    for (const prefix of [prefixA, prefixB]) await raw.unlink(...(await raw.keys(`${prefix}:*`)), 'nothing')
    raw.disconnect()
  })
  const a = await node('a', prefixA, 'b', prefixB)
  const b = await node('b', prefixB, 'a', prefixA)
  const config = { provider: 'redis', redis: a.redisSection }
  const cwd = await folderWith({ 'authstate.config.json': JSON.stringify(config) })
  const run = (line: string, given: Given = {}) => command(line.split(' '), { cwd, ...given })
  const signIn = async (userId: string) => {
    const made = await a.state.realm('acme').userSessions.create({ userId, loginUsername: userId })
    if (made.outcome !== 'created') throw new Error(made.outcome)
    return made.session.id
  }
  return { a, b, run, raw, prefixB, signIn }
}

describeWith(redis, 'two sites', () => {
  test('are listed, taken offline and brought back, told again and compared', async () => {
    const { a, b, run, raw, prefixB, signIn } = await deployed()
    const [id] = [await signIn('ada'), await signIn('bob')]
    await a.sites.caughtUp()
    const listed = await run('site list')
    expect([listed.code, listed.out]).toEqual([0, expect.stringMatching(/^this is a\nSITE +STATE .*\nb +/)])
    expect(JSON.parse((await run('site list --json')).out)).toMatchObject({ site: 'a', links: [{ to: 'b' }] })

    expect((await run('site offline b')).code).toBe(6)
    expect((await run('site offline b --dry-run')).out).toBe('would tell b nothing more\n')
    expect((await run('site offline c --yes')).code).toBe(3)
    expect((await run('site offline b --yes')).code).toBe(0)
    expect(JSON.parse((await run('site list --json')).out).links[0]).toMatchObject({
      state: 'offline',
      reason: 'manual',
    })
    expect((await run('site online b --push sideways')).code).toBe(2)
    expect((await run('site online b')).code).toBe(0)

    const same = await run('site verify b')
    expect([same.code, same.out]).toEqual([0, expect.stringContaining('both hold the same')])
    await raw.unlink(...(await raw.keys(`${prefixB}:{*${id}`)))
    const differs = await run('site verify b --json')
    expect([differs.code, JSON.parse(differs.out)]).toMatchObject([1, { isEqual: false }])
    expect((await run('site verify b')).out).toMatch(/^SERVICE .*\nuser-session .*\nthey differ\n$/)
    expect((await run('site verify b --repair')).code).toBe(6)
    const repaired = await run('site verify b --repair --yes')
    expect([repaired.code, repaired.out]).toEqual([0, expect.stringContaining('they hold the same now')])
    expect(await b.state.realm('acme').userSessions.count()).toBe(2)

    const pushed = await run('site push b --wait')
    expect([pushed.code, pushed.out]).toEqual([
      0,
      expect.stringMatching(/a tells b, full: done\n2 of 2 partitions/),
    ])
    expect(JSON.parse((await run('site push b --since 1h --dry-run --json')).out).mode).toBe('delta')
    expect((await run('site push b --mode delta')).code).toBe(2)
    expect((await run('site push b --mode mirror')).code).toBe(6)
    expect((await run('site push b --mode mirror --yes --wait')).code).toBe(0)
    expect((await run('site push b --pull --wait --json')).code).toBe(0)
    const pushes = JSON.parse((await run('site pushes --json')).out).items
    expect(pushes.map(({ mode }: { mode: string }) => mode)).toContain('mirror')
    expect((await run('site pushes')).out).toMatch(/^ID +FROM +TO +WHAT/)
    expect((await run('site pushes --active')).err).toBe('there is none\n')
    expect((await run('site pushes --cancel nobody')).code).toBe(5)
    expect((await run(`site pushes --cancel ${pushes[0].id}`)).out).toContain('done')
    expect((await run('site pushes --cancel x --pause y')).code).toBe(2)
  })

  test('are none where nobody keeps them in step', async () => {
    const config = { provider: 'redis', redis: { url: redisUrl(), prefix: `cli-${randomUUID()}` } }
    const cwd = await folderWith({ 'authstate.config.json': JSON.stringify(config) })
    const { code, err } = await command(['site', 'list'], { cwd })
    expect([code, err]).toEqual([3, expect.stringContaining('this Redis belongs to no site')])
  })
})
