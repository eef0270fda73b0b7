import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { bundle } from '../../../tools/testing/bundle.js'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { startChild } from '../../../tools/testing/child.js'

const source = (path: string) => fileURLToPath(new URL(`../src/${path}`, import.meta.url))
const [demo = ''] = bundle(source('demo.ts'), source('demo/node-main.ts'))

async function run(redisUrl: string | undefined): Promise<{ status: number | null; output: string }> {
  const { AUTHSTATE_DEMO_REDIS_URL: _, ...env } = process.env
  const child = startChild(demo, [], {
    env: { ...env, ...(redisUrl !== undefined && { AUTHSTATE_DEMO_REDIS_URL: redisUrl }) },
  })
  const { code, stdout, stderr } = await child.ended
  return { status: code, output: stdout + stderr }
}

const stepsOf = (output: string): string[] => output.match(/^ ?\d+\. .*$/gm) ?? []

test('on memory', { timeout: 120_000 }, async () => {
  const { status, output } = await run(undefined)
  expect(output).toMatch(/\ndemo: 11 steps passed\n$/)
  expect(stepsOf(output)).toHaveLength(11)
  expect(output).toContain('one store in this process')
  expect(status).toBe(0)
})

describeWith(redis, 'demo', () => {
  test('on Redis, with a node that is killed', { timeout: 120_000 }, async () => {
    const { status, output } = await run(redisUrl())
    expect(output).toMatch(/\ndemo: 14 steps passed\n$/)
    expect(stepsOf(output)).toHaveLength(14)
    expect(output).toContain('SIGKILL')
    expect(status).toBe(0)
  })
})

test('where there is no Redis it says so and ends with 1', { timeout: 120_000 }, async () => {
  const { status, output } = await run('redis://127.0.0.1:1')
  expect(output).toMatch(/\ndemo: .*127\.0\.0\.1:1.*\n$/)
  expect(status).toBe(1)
})
