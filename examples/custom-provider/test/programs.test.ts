// The example as a program, and the command on it: each a process of its own.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { sourceFlags } from '../../../tools/lib/source.mjs'
import { startChild } from '../../../tools/testing/child.js'

const example = fileURLToPath(new URL('..', import.meta.url))
const kit = dirname(createRequire(import.meta.url).resolve('@authstate/conformance/package.json'))
const command = join(kit, 'src', 'cli.ts')

async function run(program: string, args: readonly string[] = [], flags: readonly string[] = []) {
  const { NODE_OPTIONS: _, ...env } = process.env
  const {
    code: status,
    stdout,
    stderr,
  } = await startChild(program, args, { cwd: example, env, flags, findsHoisted: true }).ended
  return { status, stdout, stderr }
}

test('the program', { timeout: 60_000 }, async () => {
  expect(await run(join(example, 'src/main.ts'))).toEqual({
    status: 0,
    stdout: 'clicks: used, valid\nsecond factor on the phone: no\nsecond factor elsewhere: yes\n',
    stderr: '',
  })
})

// From source, as an author may run it: the command finds the suites of the SPIs that the module names beside it.
// Of an SPI of its own and of one of the library; the other files run every suite over the same stores.
test('the command passes providers', { timeout: 400_000 }, async () => {
  const args = ['src/under-test.ts', '--spi', 'trusted-device,action-token']
  const { status, stdout, stderr } = await run(command, args, sourceFlags)
  expect(status, stdout).toBe(0)
  // What runs is said there, a line for each case, and nothing else.
  expect(stderr).toMatch(/^(?:[\w-]+ on [\w-]+ \d+\/\d+: .+\n)+$/)
  expect(stdout).toContain('action-token on sqlite')
  expect(stdout).toContain('trusted-device on memory')
  expect(stdout).toContain('verbs on one token: one command each  the target counts no commands')
  expect(stdout).toMatch(/ 0 failed, /)
})
