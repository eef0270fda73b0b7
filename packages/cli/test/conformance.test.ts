// The command over the kit. What the kit does has its own tests.
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { bundle } from '../../../tools/testing/bundle.js'
import { loadKit } from '../src/actions/conformance.js'
import { command } from './support.js'

const underTest = new URL('../../conformance/test/fixtures/under-test.ts', import.meta.url)
const [module = ''] = bundle(fileURLToPath(underTest))

const conformance = (...args: string[]) => command(['conformance', ...args])

test('a provider that keeps every guarantee ends with 0, one that does not with 1', async () => {
  const failed = await conformance('tally', '--module', module, '--timeout', '300', '--case', 'add: answers')
  expect(failed.code).toBe(1)
  expect(failed.out).toMatch(/^tally on good\n/)
  expect(failed.out).toMatch(/^3 cases: 2 passed, 1 failed, 0 left out/m)
})

test('--json is one object on standard output, and nothing else', async () => {
  const { code, out } = await conformance(
    'tally',
    '--module',
    module,
    '--level',
    'expiry',
    '--timeout',
    '300',
    '--json',
  )
  expect(code).toBe(1)
  expect(JSON.parse(out)).toMatchObject({
    format: 1,
    version: '1.2.3',
    targets: [{ target: 'good' }, {}, {}],
  })
})

test('--list shows the cases of a suite, and runs none', async () => {
  const { code, out } = await conformance('tally', '--module', module, '--list')
  expect([code, out]).toEqual([0, expect.stringMatching(/^basic +add: answers the sum +contract/m)])
})

test.each<[string, string[], number, RegExp]>([
  ['no module', ['tally'], 2, /--module/],
  ['a module that is not there', ['tally', '--module', './mine.mjs'], 3, /the file does not exist/],
  ['an SPI that the module has no provider of', ['taly', '--module', module], 3, /Did you mean 'tally'/],
  [
    'a level that there is not',
    ['tally', '--module', module, '--level', 'basics'],
    3,
    /Did you mean 'basic'/,
  ],
  ['a time-out that is none', ['tally', '--module', module, '--timeout', 'soon'], 2, /--timeout/],
  ['a flag that there is not', ['tally', '--modul', module], 3, /Did you mean --module/],
])('%s ends with its code and names what is meant', async (_, args, code, message) => {
  const said = await conformance(...args)
  expect([said.code, said.err]).toEqual([code, expect.stringMatching(message)])
})

test('without the kit it says how to install it', async () => {
  const absent = '@authstate/no-such-kit'
  await expect(loadKit(() => import(absent))).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringContaining('npm install --save-dev @authstate/conformance'),
  })
})
