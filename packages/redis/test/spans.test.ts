import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cluster, clusterNodes, describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { Child } from '../../../tools/testing/child.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { CANARY } from './canaries.js'
import { freshPrefix } from './support.js'

interface ExportedSpan {
  readonly name: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly events: readonly unknown[]
  readonly status: { readonly message?: string }
  readonly hasParent: boolean
}

const OURS = ['evalsha', 'eval', 'hgetall', 'hvals', 'hmget', 'get', 'zcount']
const isOurs = ({ name }: ExportedSpan) => OURS.includes(name)
const textOf = (span: ExportedSpan) => span.attributes['db.query.text']

describeWith(redis, 'spans of OpenTelemetry', () => {
  const prefix = freshPrefix()
  let results: Readonly<Record<string, readonly ExportedSpan[]>>
  let shown: readonly (readonly unknown[])[]
  let debugOutput: string

  beforeAll(async () => {
    const script = fileURLToPath(new URL('./fixtures/spans.ts', import.meta.url))
    const nodes = cluster.available
      ? clusterNodes()
          .map(({ host, port }) => `${host}:${port}`)
          .join(',')
      : ''
    const env = { ...process.env, DEBUG: 'ioredis:*' }
    const child = new Child(script, [redisUrl(), nodes, prefix], { env })
    ;({ results, shown } = JSON.parse(await child.finished()))
    debugOutput = child.stderr
  }, 60_000)
  afterAll(async () => {
    const client = openRedis()
    for (const key of await client.keys(`*${prefix}*`)) await client.del(key)
    client.disconnect()
  })

  function expectNothingReadable(name: string): void {
    const spans = (results[name] ?? []).filter(isOurs)
    expect([...new Set(spans.map((span) => span.name))].sort()).toEqual([...OURS].sort())
    for (const span of spans) expect(span.hasParent).toBe(true)
    expect(spans.map(textOf)).toContainEqual(expect.stringMatching(/^evalsha [0-9a-f]{40} \?$/))
    expect(
      spans.filter(({ events, status }) => events.length > 0 && status.message !== undefined).length,
    ).toBeGreaterThan(2)
    expect(JSON.stringify(spans)).not.toContain(CANARY)
    expect(JSON.stringify(spans)).not.toContain(prefix)
  }

  const late = ', instrumented late'
  const standalone = ['made', 'ioredis 6', 'keyPrefix', 'auto-pipelining'].flatMap((name) => [
    name,
    name + late,
  ])
  test.each([...standalone, 'ioredis 5'])(
    '%s: there, under their parent, and nothing in them',
    expectNothingReadable,
  )

  describeWith(cluster, 'on a Cluster', () => {
    test.each(['made Cluster', 'Cluster'].flatMap((name) => [name, name + late]))(
      '%s: there, under their parent, and nothing in them',
      expectNothingReadable,
    )
  })

  test('nor in what ioredis itself writes to debug with', () => {
    expect(debugOutput).toMatch(/write command\[.*evalsha\(.*'\?'/)
    expect(debugOutput).toContain('shop:visible')
    expect(debugOutput).not.toContain(CANARY)
  })

  describe('of an application', () => {
    test('that writes the text of spans itself: nothing of ours in it', () => {
      expect(shown.length).toBeGreaterThan(OURS.length)
      expect(JSON.stringify(results['text of its own']?.map(textOf))).toContain('evalsha [')
      expect(JSON.stringify([results['text of its own'], shown])).not.toContain(CANARY)
    })

    test('show its own commands as before', () => {
      const texts = results['their own commands']?.map(textOf)
      expect(texts).toEqual(expect.arrayContaining(['get shop:visible', 'get shop:piped', 'get shop:multi']))
    })
  })
})
