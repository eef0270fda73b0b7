// npm run test:all: npm test, then what it can do on other versions of Node, on Valkey, in a browser, as it would be published, and the docs site. From a fresh clone.
// It ends with the first that fails, so that what failed is what the log ends with.
import { join } from 'node:path'
import { requireNode } from './lib/install.mjs'
import { root, runProgram, seconds } from './lib/run.mjs'
import { NOT_TO_BE_HAD } from './servers/valkey.mjs'

const STEPS = [
  ['npm test', 'test.mjs'],
  ['npm run test:node', 'node-versions.mjs'],
  ['npm run test:valkey', 'valkey.mjs'],
  ['npm run test:browser', 'test-browser.mjs'],
  ['npm run test:tarballs', 'test-tarballs.mjs'],
  ['npm run docs', 'docs.mjs'],
]

requireNode()
const rows = []
for (const [name, script] of STEPS) {
  console.log(`== ${name}`)
  const begun = performance.now()
  const { status } = await runProgram(process.execPath, [join(root, 'tools', script)])
  const said = { 0: 'ok', [NOT_TO_BE_HAD]: 'could not run, for the reason above' }[status] ?? 'FAILED'
  rows.push(`${name.padEnd(20)} ${said}, ${seconds(begun)}`)
  if (said === 'FAILED') {
    process.exitCode = 1
    break
  }
}
console.log(['', ...rows].join('\n'))
