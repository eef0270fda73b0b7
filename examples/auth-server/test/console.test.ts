import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { bundle } from '../../../tools/testing/bundle.js'
import { startChild } from '../../../tools/testing/child.js'

const [program = ''] = bundle(fileURLToPath(new URL('../src/console.ts', import.meta.url)))

test('the console of operators stands beside the server, with a crowd to look at', {
  timeout: 120_000,
}, async () => {
  const { AUTHSTATE_DEMO_REDIS_URL: _, ...env } = process.env
  const { code, stdout, stderr } = await startChild(program, [], {
    env: { ...env, AUTHSTATE_DEMO_ONCE: '1' },
  }).ended
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^The console of operators: http:\/\/127\.0\.0\.1:\d+\/enter\/[\w-]{32}\n/)
  expect(stdout).toMatch(/\ndemo: 10 screens seen, a stranger sees none\n$/)
  expect(code).toBe(0)
})
