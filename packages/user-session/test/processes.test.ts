import { fileURLToPath } from 'node:url'
import { checkKeySpace, FakeClock, openInspector } from '@authstate/conformance'
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { startChild } from '../../../tools/testing/child.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { createdSession } from '../src/conformance/fixture.js'
import { userSessionKeySpace } from '../src/conformance.js'
import type { Page, PageRequest, UserSession } from '../src/index.js'
import type { Report, Task } from './processes/worker.js'
import { openNode } from './support.js'

const PROCESSES = 4
/** Each process makes as many interleaved steps; together they are thousands. */
const ROUNDS = 250
const worker = fileURLToPath(new URL('./processes/worker.ts', import.meta.url))

async function work(task: Task): Promise<Report> {
  return JSON.parse(await startChild(worker, [JSON.stringify(task)]).finished()) as Report
}

async function everyPage(list: (page: PageRequest) => Promise<Page<UserSession>>): Promise<UserSession[]> {
  const items: UserSession[] = []
  let page = await list({ limit: 100 })
  for (items.push(...page.items); page.cursor !== undefined; items.push(...page.items)) {
    page = await list({ limit: 100, cursor: page.cursor })
  }
  return items
}

describeWith(redis, 'several processes on one Redis', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())

  test('nothing of what ended is alive, listed or counted, and nothing alive is missing', {
    timeout: 120_000,
  }, async () => {
    const prefix = `processes-${process.pid}`
    const clock = new FakeClock(Date.now())
    await using node = await openNode({ client, prefix, clock })
    const shared = await Promise.all(
      Array.from({ length: 20 }, async (_, n) =>
        node
          .create('realm', { userId: `user ${n % 5}`, loginUsername: 'x', client: { clientId: 'app' } })
          .then(createdSession),
      ),
    )
    const raced = await Promise.all(
      Array.from({ length: 20 }, () =>
        node
          .create('realm', { userId: 'racer', loginUsername: 'x', client: { clientId: 'app' } })
          .then(createdSession),
      ),
    )
    const reports = await Promise.all(
      Array.from({ length: PROCESSES }, (_, seed) =>
        work({
          url: redisUrl(),
          prefix,
          seed,
          rounds: ROUNDS,
          shared: shared.map(({ id }) => id),
          raced: raced.map(({ id }) => id),
        }),
      ),
    )
    clock.set(Date.now())

    const ended = new Set(reports.flatMap((report) => report.ended))
    expect(ended.size).toBeGreaterThan(50)
    for (const id of ended) expect(await node.get('realm', id)).toBe(undefined)

    const living = await everyPage((page) => node.list('realm', page))
    for (const { id } of living) expect(ended.has(id)).toBe(false)
    const made = [...shared, ...raced].map(({ id }) => id).concat(reports.flatMap(({ created }) => created))
    const found = await Promise.all(made.map((id) => node.get('realm', id)))
    const alive = found.filter((item) => item !== undefined)
    expect(living.map(({ id }) => id).sort()).toEqual(alive.map(({ id }) => id).sort())
    expect(await node.count('realm')).toBe(alive.length)
    const clients = new Map<string, number>()
    for (const session of alive)
      for (const id of session.clients.keys()) clients.set(id, (clients.get(id) ?? 0) + 1)
    expect(new Map([...(await node.clientStats('realm'))].sort())).toEqual(new Map([...clients].sort()))
    for (let n = 0; n < 5; n++) {
      const mine = alive.filter(({ userId }) => userId === `user ${n}`).map(({ id }) => id)
      const listed = await everyPage((page) => node.listByUser('realm', `user ${n}`, page))
      expect(listed.map(({ id }) => id).sort()).toEqual(mine.sort())
    }

    for (const [index] of raced.entries()) {
      const outcomes = reports.map(({ rotated }) => rotated[index])
      expect(outcomes.filter((outcome) => outcome === 'rotated')).toHaveLength(1)
    }

    const inspector = await openInspector(client)
    await checkKeySpace(inspector, prefix, userSessionKeySpace, clock.now())
    clock.advance(400 * 86_400_000)
    await node.sweep()
    const left = (await inspector.keys(prefix)).filter((key) => /:[uo][srubci]:|:ux/.test(key))
    await inspector.clear(prefix)
    expect(left).toEqual([])
  })
})
