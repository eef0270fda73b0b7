// npm run docs: the API reference of every package, as pages in reference/. A warning fails it. From a fresh clone.
import { join } from 'node:path'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram } from './lib/run.mjs'

requireNode()
await installDependencies()
const { status } = await runProgram(join(root, 'node_modules', '.bin', 'typedoc'), [])
if (status === 0) console.log(`docs: open ${join(root, 'reference', 'index.html')}`)
process.exitCode = status
