// The same three lines in three runners, each as its own process: what passes, fails and is left out is seen by all.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { sourceFlags } from '../../../tools/lib/source.mjs'
import { bundle } from '../../../tools/testing/bundle.js'
import { startChild } from '../../../tools/testing/child.js'

const folder = fileURLToPath(new URL('fixtures/', import.meta.url))
const { resolve } = createRequire(import.meta.url)
const vitest = fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url))

const RUNNERS: Record<string, { flags: readonly string[]; args: string[]; passed: RegExp; leftOut: RegExp }> =
  {
    vitest: {
      flags: [],
      args: [vitest, 'run', '--config', 'vitest.config.ts', '--root', '.', '--reporter=verbose'],
      passed: /Tests.* (\d+) passed/,
      leftOut: /↓ .*left out, 1 case: cluster: it lives in one process/,
    },
    'node:test': {
      flags: ['--test', '--test-reporter=tap'],
      args: bundle(join(folder, 'with-node-test.ts')),
      passed: /^# pass (\d+)/m,
      leftOut: /left out, 1 case: cluster: it lives in one process # SKIP/,
    },
    mocha: {
      // Mocha is a package of this folder, which the file must share with the runner.
      flags: sourceFlags,
      args: [resolve('mocha/bin/mocha.js'), 'with-mocha.ts'],
      passed: /(\d+) passing/,
      leftOut: /- left out, 1 case: cluster: it lives in one process/,
    },
  }

async function runIn(runner: string, broken?: string) {
  const { flags, args, passed, leftOut } = RUNNERS[runner] ?? expect.unreachable()
  const { VITEST: _, NODE_OPTIONS: __, NODE_TEST_CONTEXT: ___, FORCE_COLOR: ____, ...env } = process.env
  const [program = '', ...rest] = args
  const child = startChild(program, rest, {
    cwd: folder,
    flags,
    env: { ...env, NO_COLOR: '1', ...(broken !== undefined && { BROKEN: broken }) },
  })
  const { code: status, stdout, stderr } = await child.ended
  const output = stdout + stderr
  return { status, output, passed: Number(passed.exec(output)?.[1]), showsLeftOut: leftOut.test(output) }
}

describe.each(Object.keys(RUNNERS))('%s', (runner) => {
  test('runs a good provider', { timeout: 60_000 }, async () => {
    const { status, passed, showsLeftOut, output } = await runIn(runner)
    expect({ status, passed, showsLeftOut }, output).toEqual({ status: 0, passed: 4, showsLeftOut: true })
  })

  test('reports a bug, and fails', { timeout: 60_000 }, async () => {
    const { status, passed, output } = await runIn(runner, 'late-expiry')
    expect({ status, passed }, output).toEqual({ status: 1, passed: 3 })
    expect(output).toContain('guarantee  get: gone at the end of its life')
    expect(output).toContain('the clock goes on by 1 ms')
  })
})
