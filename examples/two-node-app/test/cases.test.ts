// The example as a reader starts it: what needs no Redis of its own. All of it is `npm run example -- two-node-app`.
import { expect, test } from 'vitest'
import { sourceFlags } from '../../../tools/lib/source.mjs'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { startChild } from '../../../tools/testing/child.js'

const MAIN = new URL('../src/main.ts', import.meta.url).pathname

describeWith(redis, 'two processes behind a balancer', () => {
  test('a sign-in, a logout from elsewhere, a refresh storm and a logout meanwhile', async () => {
    const child = startChild(MAIN, ['--store', 'cookie', '--only', '39,40,46,48'], {
      flags: sourceFlags,
      env: { ...process.env, REDIS_URL: redisUrl() },
    })
    expect(await child.finished()).toMatch(/ {2}4\/4\n$/)
  })
})
