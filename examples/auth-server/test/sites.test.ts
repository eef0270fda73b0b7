import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { bundle } from '../../../tools/testing/bundle.js'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { startChild } from '../../../tools/testing/child.js'

const [program = ''] = bundle(fileURLToPath(new URL('../src/sites.ts', import.meta.url)))

describeWith(redis, 'demo of sites', () => {
  test('two sites are cut apart, come together, and hold the same', { timeout: 120_000 }, async () => {
    const { AUTHSTATE_DEMO_OTHER_REDIS_URL: _, ...env } = process.env
    const child = startChild(program, [], { env: { ...env, AUTHSTATE_DEMO_REDIS_URL: redisUrl() } })
    const { code, stdout, stderr } = await child.ended
    expect(stderr).toBe('')
    expect(stdout).toMatch(/\ndemo: 9 steps passed\n$/)
    expect(stdout.match(/^ ?\d+\. .*$/gm)).toHaveLength(9)
    expect(code).toBe(0)
  })
})
