// Providers that do harm beside their verbs: the command reports all the same.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { startChild } from '../../../tools/testing/child.js'

const folder = mkdtempSync(join(tmpdir(), 'authstate-wild-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url))

/** Runs the command on a provider whose `greet` has this body; the suite greets twice, in a case each. */
async function runGreeting(body: string, close = '') {
  const file = join(folder, 'greeting.mjs')
  writeFileSync(
    file,
    `const spi = { name: 'greeting' }
const greet = async ({ provider }) => { if ((await provider.greet()) !== 'hello') throw new Error('rude') }
const names = ['greet: once', 'greet: again']
const cases = names.map((name) => ({ level: 'basic', name, source: 'here', run: greet }))
const create = () => ({ async greet() { ${body} }, async close() { ${close} } })
const suite = { spi, properties: {}, cases }
export default { spi, name: 'wild', suite, factories: [{ spi, id: 'wild', create }] }`,
  )
  const { code: status, stdout, stderr } = await startChild(cli, [file, '--timeout', '200']).ended
  return { status, stdout, stderr }
}

test.each([
  ['a promise that was let go', "Promise.reject(new Error('oops')); return 'hello'"],
  ['an exception in a callback', "setImmediate(() => { throw new Error('oops') }); return 'hello'"],
])('%s fails the case it came up in, and the report is whole', { timeout: 60_000 }, async (_, body) => {
  const { status, stdout, stderr } = await runGreeting(body)
  // What runs is said there, a line each, and nothing else.
  const running = 'greeting on wild 1/2: greet: once\ngreeting on wild 2/2: greet: again\n'
  expect({ status, stderr }).toEqual({ status: 1, stderr: running })
  expect(stdout).toContain('error      Error: nobody waited for Error: oops\n')
  expect(stdout).toContain('2 cases: 0 passed, 2 failed')
})

test('a provider that ends the process does not end it well', { timeout: 60_000 }, async () => {
  const { status, stdout, stderr } = await runGreeting('process.exit(0)')
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toContain('ended from within before there was a report')
})

test('what the case found comes before what the end of the store found', { timeout: 60_000 }, async () => {
  const { stdout } = await runGreeting("return 'bah'", "throw new Error('cannot close')")
  expect(stdout).toContain('error      Error: rude')
  expect(stdout).not.toContain('cannot close')
  const closing = await runGreeting("return 'hello'", "throw new Error('cannot close')")
  expect(closing.stdout).toContain("failed to close: 'greeting' (Error: cannot close)")
})

test('a provider that neither answers nor closes is told of by its verb', { timeout: 60_000 }, async () => {
  const { status, stdout } = await runGreeting('return new Promise(() => {})', 'await new Promise(() => {})')
  expect(status).toBe(1)
  expect(stdout).toContain('the case did not end within 200 ms')
})
