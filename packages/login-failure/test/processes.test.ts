import { fileURLToPath } from 'node:url'
import { openInspector } from '@authstate/conformance'
import type { RedisClient } from '@authstate/redis'
import { expect, test } from 'vitest'
import { cluster, clusterNodes, describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { startChild } from '../../../tools/testing/child.js'
import { openCluster, openRedis } from '../../../tools/testing/redis-targets.js'

const PROCESSES = 4
const worker = fileURLToPath(new URL('./worker.ts', import.meta.url))

interface Report {
  readonly outcomes: readonly (number | string)[]
  readonly verified: number
  readonly numFailures: number
}

/** Starts the processes, lets all of them go at the same moment, and collects what each did. */
async function run(job: 'fail' | 'guard', prefix: string, each: number, target: string): Promise<Report[]> {
  const children = Array.from({ length: PROCESSES }, () =>
    startChild(worker, [job, prefix, String(each), target]),
  )
  for (const child of children) expect(await child.next()).toBe('ready')
  for (const child of children) child.tell('go')
  return Promise.all(
    children.map(async (child) => {
      const report = await child.next()
      await child.finished()
      return JSON.parse(report) as Report
    }),
  )
}

function define(open: () => RedisClient, target: () => string): void {
  async function withPrefix(name: string, body: (prefix: string) => Promise<void>): Promise<void> {
    const prefix = `processes-${name}-${process.pid}`
    const client = open()
    try {
      await body(prefix)
    } finally {
      const inspector = await openInspector(client)
      await inspector.clear(prefix)
      inspector.close()
      client.disconnect()
    }
  }

  test('1 000 failures at once from four processes count 1 000', { timeout: 120_000 }, () =>
    withPrefix('fail', async (prefix) => {
      const reports = await run('fail', prefix, 250, target())
      const counts = reports.flatMap(({ outcomes }) => outcomes).map(Number)
      expect(counts.sort((a, b) => a - b)).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 1))
      expect(Math.max(...reports.map(({ numFailures }) => numFailures))).toBe(1_000)
    }),
  )

  test(
    'guard: 100 wrong passwords at once from four processes are verified as often as the factor',
    { timeout: 120_000 },
    () =>
      withPrefix('guard', async (prefix) => {
        const reports = await run('guard', prefix, 25, target())
        expect(reports.reduce((sum, { verified }) => sum + verified, 0)).toBe(7)
        const outcomes = reports.flatMap((report) => report.outcomes)
        expect(outcomes.filter((outcome) => outcome === 'failure')).toHaveLength(7)
        expect(outcomes.filter((outcome) => outcome === 'locked')).toHaveLength(93)
        expect(Math.max(...reports.map(({ numFailures }) => numFailures))).toBe(7)
      }),
  )
}

describeWith(redis, 'several processes on one Redis', () => define(openRedis, redisUrl))

describeWith(cluster, 'several processes on a Cluster', () =>
  define(openCluster, () =>
    clusterNodes()
      .map(({ host, port }) => `${host}:${port}`)
      .join(','),
  ),
)
