// What every sink that can be read keeps: one list of cases for all of them.
import { FakeClock } from 'authstate/testing'
import { describe, expect, test } from 'vitest'
import { cluster, clusterNodes, describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { type AuditProvider, fileAudit, memoryAudit } from '../src/index.js'
import { redisAudit } from '../src/redis.js'
import { actor, type Config, ending, folder, freshPrefix, linesOf, opened } from './support.js'

const clock = () => new FakeClock()

function cases(configOf: () => Promise<Config>) {
  const open = async (more: object = {}) => {
    const config = await configOf()
    return opened({ ...config, audit: { ...config.audit, ...more } })
  }
  const acted = async (audit: AuditProvider, count: number) => {
    for (let n = 0; n < count; n++)
      await audit.act(
        ending,
        async () => n,
        (done) => ({ count: done }),
      )
  }

  test('an action is two lines of one id: begun, and what became of it', async () => {
    const { audit, state } = await open()
    const records = [{ kind: 'user', id: 'ada' }] as const
    await audit.act(
      { ...ending, records, details: { all: true } },
      async () => 3,
      (count) => ({ count }),
    )
    const [begun, done, ...rest] = await linesOf(audit)
    expect(rest).toEqual([])
    expect(begun).toMatchObject({ v: 1, event: 'sessions.end', realm: 'acme', actor, outcome: 'begun' })
    expect(begun?.records).toEqual([{ kind: 'user', name: audit.nameOf('acme', records[0]) }])
    expect(done).toMatchObject({ id: begun?.id, outcome: 'done', count: 3, details: { all: true } })
    expect(done?.writtenAt).toBeGreaterThanOrEqual(begun?.at ?? Number.NaN)
    expect(state.stats()['audit']).toMatchObject({ written: 2, waiting: 0, lost: 0, failures: 0 })
  })

  test('nothing to do, a failure and a refusal are told apart', async () => {
    const { audit } = await open()
    await audit.act(
      ending,
      async () => 0,
      (count) => ({ count }),
    )
    const failing = audit.act(ending, async () => {
      throw new TypeError('of a secret-id-0123456789')
    })
    await expect(failing).rejects.toThrow('secret-id')
    await audit.refuse(ending, 'forbidden')
    const lines = await linesOf(audit)
    expect(lines.map(({ outcome, reason = '-' }) => `${outcome} ${reason}`)).toEqual([
      'begun -',
      'nothing -',
      'begun -',
      'failed misuse',
      'refused forbidden',
    ])
    expect(JSON.stringify(lines)).not.toContain('secret-id')
  })

  test('pages lead through all lines, from either end', async () => {
    const { audit } = await open()
    await acted(audit, 12)
    const all = await linesOf(audit)
    expect(all).toHaveLength(24)
    for (const first of ['newest', 'oldest'] as const) {
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = await audit.read({ first, limit: 5, ...(cursor !== undefined && { cursor }) })
        seen.push(...page.items.map(({ id, outcome }) => `${id} ${outcome}`))
        cursor = page.cursor
      } while (cursor !== undefined)
      const expected = all.map(({ id, outcome }) => `${id} ${outcome}`)
      expect(seen).toEqual(first === 'oldest' ? expected : expected.reverse())
    }
  })

  test('a filter takes realm, event, actions and a record', async () => {
    const { audit } = await open()
    const records = [{ kind: 'user', id: 'ada' }] as const
    await audit.act({ ...ending, records }, async () => {})
    await audit.act({ ...ending, realm: 'other', records, event: 'failures.clear' }, async () => {})
    const count = async (query: object) => (await audit.read(query)).items.length
    expect(await count({ realm: 'acme' })).toBe(2)
    expect(await count({ events: ['failures'] })).toBe(2)
    expect(await count({ events: ['failure'] })).toBe(0)
    expect(await count({ only: 'actions' })).toBe(4)
    expect(await count({ only: 'trail' })).toBe(0)
    expect(await count({ realm: 'acme', record: records[0] })).toBe(2)
    expect(await count({ realm: 'acme', record: { kind: 'user', id: 'bob' } })).toBe(0)
    expect(await count({ since: Date.now() + 10 * 365 * 86_400_000 })).toBe(0)
  })

  test('who follows gets what is written from then on', async () => {
    const { audit } = await open()
    await acted(audit, 2)
    const stop = new AbortController()
    const got: string[] = []
    let isFollowing = () => {}
    const following = new Promise<void>((resolve) => {
      isFollowing = resolve
    })
    const done = (async () => {
      const lines = audit.follow({ events: ['tokens'] }, stop.signal)[Symbol.asyncIterator]()
      const first = lines.next()
      isFollowing()
      const { value } = await first
      got.push(value?.event ?? '')
      stop.abort()
      expect((await lines.next()).done).toBe(true)
    })()
    await following
    // The first look may come after some of these: each of them is one that it waits for.
    while (got.length === 0) {
      await new Promise((resolve) => setImmediate(resolve))
      await acted(audit, 1)
      await audit.refuse({ ...ending, event: 'tokens.remove' }, 'csrf')
    }
    await done
    expect(got).toEqual(['tokens.remove'])
  })

  test('what cannot be is refused, by name', async () => {
    const { audit } = await open()
    const work = async () => {}
    await expect(audit.act({ ...ending, event: 'Sessions end' }, work)).rejects.toThrow(/action\.event/)
    await expect(audit.act({ ...ending, actor: { name: '', via: 'api' } }, work)).rejects.toThrow(
      /actor\.name/,
    )
    await expect(audit.act({ ...ending, reealm: 'x' } as never, work)).rejects.toThrow(/Did you mean 'realm'/)
    await expect(audit.read({ limit: 1_001 })).rejects.toThrow(/query\.limit/)
    await expect(audit.read({ frist: 'oldest' } as never)).rejects.toThrow(/Did you mean 'first'/)
    await expect(audit.read({ cursor: 'a b' })).rejects.toThrow(/query\.cursor/)
    await expect(audit.read({ record: { kind: 'user', id: 'ada' } })).rejects.toThrow(/query\.realm/)
    expect(() => audit.nameOf('acme', { kind: 'usr' as never, id: 'ada' })).toThrow(/record\.kind/)
    expect(() => audit.follow({ only: 'all' as never })).toThrow(/filter\.only/)
    expect(await linesOf(audit)).toEqual([])
  })
}

describe('in memory', () => {
  cases(async () => ({ providers: [memoryAudit()], audit: {}, clock: clock() }))

  test('only the last lines are kept', async () => {
    const { audit } = await opened({ providers: [memoryAudit()], audit: { maxLines: 10 } })
    for (let n = 0; n < 40; n++) await audit.refuse(ending, 'forbidden')
    expect(await linesOf(audit)).toHaveLength(10)
  })
})

describe('in files', () => {
  cases(async () => ({
    providers: [fileAudit()],
    audit: { directory: await folder(), sync: false },
    clock: clock(),
  }))
})

describeWith(redis, 'in a stream of Redis', () => {
  cases(async () => ({
    provider: 'redis',
    redis: { url: redisUrl(), prefix: freshPrefix() },
    providers: [redisAudit()],
    audit: {},
  }))

  test('the stream is bound, and ends some time after its last line', async () => {
    const { audit, state } = await opened({
      provider: 'redis',
      redis: { url: redisUrl(), prefix: freshPrefix() },
      providers: [redisAudit()],
      audit: { maxLines: 200, keepMs: 60_000 },
    })
    for (let n = 0; n < 500; n++) await audit.refuse(ending, 'forbidden')
    const kept = await linesOf(audit)
    // In whole nodes of a stream, of a hundred entries.
    expect(kept.length).toBeGreaterThanOrEqual(200)
    expect(kept.length).toBeLessThanOrEqual(300)
    expect(state.stats()['audit']).toMatchObject({ written: 500 })
  })
})

// One Redis in every run; the Cluster where every store is asked for.
if (process.env['AUTHSTATE_TEST_EVERY_STORE'] !== undefined)
  describeWith(cluster, 'in a stream of a Cluster', () => {
    cases(async () => ({
      provider: 'redis',
      redis: { nodes: clusterNodes(), prefix: freshPrefix() },
      providers: [redisAudit()],
      audit: {},
    }))
  })
