// The command as an author runs it: a process of its own, its output, its files, its exit status.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { bundle } from '../../../tools/testing/bundle.js'
import { startChild } from '../../../tools/testing/child.js'
import { runCli } from '../src/cli/run-cli.js'
import { wellFormed } from './fixtures/xml.js'

const out = mkdtempSync(join(tmpdir(), 'authstate-command-'))
afterAll(() => rmSync(out, { recursive: true, force: true }))

const [cli = '', module = '', blocking = ''] = bundle(
  ...['../src/cli.ts', 'fixtures/under-test.ts', 'fixtures/blocking.ts'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  ),
)

/** Runs the command in a folder; `env` is added to that of this process. Who is ended by a signal has no status. */
async function run(args: readonly string[], { cwd = out, env = {} as Record<string, string> } = {}) {
  const { NODE_OPTIONS: _, ...inherited } = process.env
  const child = startChild(cli, args, { cwd, env: { ...inherited, ...env } })
  const { code: status, stdout, stderr } = await child.ended
  return { status, stdout, stderr }
}

test('a table, reports of failures, both files, and status 1', { timeout: 90_000 }, async () => {
  const args = [module, '--junit', 'junit.xml', '--json', 'report.json', '--seed', '5', '--timeout', '300']
  const { status, stdout, stderr } = await run(args)
  expect(status).toBe(1)
  const said = stderr.trimEnd().split('\n')
  expect(said.slice(0, 2)).toEqual([
    'tally on good 1/5: add: answers the sum',
    expect.stringMatching(/^tally on good 2\/5: /),
  ])
  expect(said.every((line) => /^tally on \w+ \d\/5: /.test(line))).toBe(true)
  expect(stdout).toContain(`tally on good

level        passed  failed  left out
basic             2       0         0
expiry            1       0         0
concurrency       1       0         0
cluster           0       0         1

Left out
  add: every node sees it  cluster: it lives in one process
`)
  expect(stdout).toContain('FAILED late does not keep a guarantee of tally')
  expect(stdout).toContain('guarantee  get: gone at the end of its life')
  expect(stdout).toContain('the case did not end within 300 ms')
  expect(stdout).toMatch(/^15 cases: 8 passed, 6 failed, 1 left out, in [\d.]+ s$/m)

  const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'))
  expect(report).toMatchObject({
    format: 1,
    version: '0.1.0',
    seed: 5,
    totals: { passed: 8, failed: 6, leftOut: 1 },
    targets: [{ target: 'good' }, { target: 'late', totals: { failed: 1 } }, { target: 'stuck' }],
  })
  const late = report.targets[1].cases.find((item: { outcome: string }) => item.outcome === 'failed')
  expect(late).toMatchObject({ guarantee: 'get: gone at the end of its life', level: 'expiry' })
  expect(late.failure.steps).toHaveLength(5)

  const junit = wellFormed(readFileSync(join(out, 'junit.xml'), 'utf8'))
  expect(junit.filter(({ name }) => name === 'testcase')).toHaveLength(15)
  expect(junit.filter(({ name }) => name === 'failure')).toHaveLength(6)
  expect(junit.filter(({ name }) => name === 'skipped')).toHaveLength(1)
})

test('a provider that blocks the process is ended, and its case named', { timeout: 60_000 }, async () => {
  const { status, stderr } = await run([blocking, '--timeout', '300'])
  expect(status).toBe(null)
  expect(stderr.replaceAll(/^tally on .*\n/gm, '')).toBe(
    'the process was blocked for 5300 ms and is ended. It ran: tally on blocking: add: answers the sum\n',
  )
})

test('status 0 when all pass; levels and cases are chosen', { timeout: 60_000 }, async () => {
  const { status, stdout } = await run([module, '--level', 'basic,expiry', '--case', 'get:'], {
    env: { ONLY_GOOD: '1' },
  })
  expect(status).toBe(0)
  expect(stdout).toMatch(/^1 case: 1 passed, 0 failed/m)
})

test('--list shows level, case and source, and runs nothing', { timeout: 60_000 }, async () => {
  const { status, stdout } = await run([module, '--list', '--level=cluster'])
  expect(status).toBe(0)
  expect(stdout).toBe(
    ['good', 'late', 'stuck']
      .map((name) => {
        const reason = name === 'good' ? '  left out, cluster: it lives in one process' : ''
        return `tally on ${name}\n\nlevel    case                     source\ncluster  add: every node sees it  contract${reason}\n\n`
      })
      .join(''),
  )
})

test('the suite of a named SPI comes from the project of the module', { timeout: 90_000 }, async () => {
  const project = join(out, 'project')
  const installed = join(project, 'node_modules', '@authstate', 'greeting')
  mkdirSync(installed, { recursive: true })
  writeFileSync(
    join(installed, 'package.json'),
    '{"name":"@authstate/greeting","type":"module","exports":{"./conformance":{"import":"./suite.js"}}}',
  )
  const suite = `export const greetingSuite = { spi: { name: 'greeting' }, properties: {}, cases: [{
    level: 'basic', name: 'greet: says hello', source: 'here',
    run: async ({ provider }) => { if ((await provider.greet()) !== 'hello') throw new Error('rude') },
  }] }`
  writeFileSync(join(installed, 'suite.js'), suite)
  const spi = `spi: { name: 'greeting' }, id: 'mine', create: () => ({ greet: async () => 'hello' })`
  writeFileSync(
    join(project, 'mine.mjs'),
    `export default { spi: 'greeting', name: 'mine', factories: [{ ${spi} }] }`,
  )
  writeFileSync(
    join(project, 'mine.cjs'),
    `exports.targets = [{ spi: 'greeting', name: 'mine', factories: [{ ${spi} }] }]`,
  )
  for (const file of ['mine.mjs', './mine.cjs']) {
    const { status, stdout } = await run([file], { cwd: project })
    expect(stdout).toMatch(/^1 case: 1 passed/m)
    expect(status).toBe(0)
  }
  expect((await run(['--list', '--spi', 'greeting'], { cwd: project })).stdout).toContain('greet: says hello')
  const wrong = await run(['--list', '--spi', 'greating'], { cwd: project })
  expect(wrong.status).toBe(2)
  expect(wrong.stderr).toContain("Did you mean 'greeting'?")
})

test('wrong arguments end with status 2', { timeout: 60_000 }, async () => {
  const { status, stdout, stderr } = await run([module, '--levle', 'basic'])
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toContain("no option '--levle'. Known: 'spi', 'level'")
})

test.each([
  ['no module', [], 'which module?'],
  ['no such module', ['none.js'], "'none.js' cannot be loaded"],
  ['a slip in the SPI', [module, '--spi', 'taly'], "Did you mean 'tally'?"],
  ['no such case', [module, '--case', 'no such text'], 'no case is of that level'],
  ['no place for a report', [module, '--junit', join('no', 'x.xml')], 'cannot be written'],
])('%s: a clear message and status 2', async (_, argv, message) => {
  let complaint = ''
  const status = await runCli(argv, {
    cwd: out,
    env: {},
    version: '0.0.0',
    print: () => expect.unreachable(),
    complain: (text) => {
      complaint += text
    },
  })
  expect(complaint).toContain(message)
  expect(status).toBe(2)
})

test('a bad seed in the environment is told, too', async () => {
  const env = { AUTHSTATE_TEST_SEED: 'lucky' }
  let complaint = ''
  const host = {
    cwd: out,
    env,
    version: '0.0.0',
    print: () => {},
    complain: (text: string) => (complaint += text),
  }
  expect(await runCli([module], host)).toBe(2)
  expect(complaint).toContain('"AUTHSTATE_TEST_SEED" must be a whole number')
})
