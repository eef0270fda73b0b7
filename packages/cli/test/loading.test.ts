import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { sourceFlags } from '../../../tools/lib/source.mjs'
import { startChild } from '../../../tools/testing/child.js'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const flags = [...sourceFlags, `--import=${new URL('fixtures/says-loaded.mjs', import.meta.url).href}`]

/** The modules that a run of the command loads, by what they belong to. */
async function loadedBy(...args: readonly string[]) {
  const { stdout, stderr } = await startChild(main, args, { flags }).ended
  const files = [...stderr.matchAll(/^loaded file:\/\/([^?\n]*)/gm)].map(([, file = '']) => file)
  const of = (pattern: RegExp) => files.flatMap((file) => pattern.exec(file)?.[1] ?? [])
  return {
    stdout,
    ours: new Set(of(/\/packages\/cli\/src\/(.+)\.ts$/)),
    others: new Set([
      ...of(/.*\/node_modules\/([^.@][^/]*|@[^/]+\/[^/]+)\//),
      ...of(/\/packages\/(?!cli\/)([^/]+)\//),
    ]),
  }
}

test('help loads the declarations of commands and commander: nothing that a command would run', async () => {
  const { stdout, ours, others } = await loadedBy('--help')
  expect(stdout).toMatch(/^Usage: authstate/)
  const declarations = [...ours].filter((name) => name.startsWith('commands/'))
  expect(declarations.length).toBeGreaterThan(5)
  expect([...ours].filter((name) => !name.startsWith('commands/')).sort()).toEqual([
    'exit-codes',
    'main',
    'run',
    'terminal',
  ])
  expect([...others]).toEqual(['commander'])
})
