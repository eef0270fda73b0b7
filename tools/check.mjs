// npm run check: lint, types, the API reference, build, and the packages as they would be published. From a fresh clone.
import { join } from 'node:path'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram, seconds } from './lib/run.mjs'

const tool = (name) => join(root, 'node_modules', '.bin', name)

const STEPS = [
  ['lint', tool('biome'), ['ci', '--colors=off', '--error-on-warnings', '.']],
  ['generated', process.execPath, [join(root, 'tools', 'sync.mjs'), '--check']],
  ['types', tool('tsc'), ['-p', 'tsconfig.json', '--noEmit']],
  ['reference', tool('typedoc'), ['--logLevel', 'Warn']],
  ['build', tool('turbo'), ['run', 'build', '--output-logs=errors-only']],
  ['packages', process.execPath, [join(root, 'tools', 'check-packages.mjs')]],
]

requireNode()
await installDependencies()
const failed = []
for (const [name, command, args] of STEPS) {
  console.log(`== ${name}`)
  const begun = performance.now()
  const { status } = await runProgram(command, args)
  console.log(`-- ${name} ${status === 0 ? 'ok' : 'FAILED'} in ${seconds(begun)}`)
  if (status !== 0) failed.push(name)
  if (name === 'build' && status !== 0) break // nothing to pack
}
console.log(failed.length === 0 ? 'check: all good' : `check: failed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
