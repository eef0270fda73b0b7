// npm run check: lint, types, prose, the API reference, build, and the packages as they would be published. From a fresh clone.
import { join } from 'node:path'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram, seconds } from './lib/run.mjs'

const tool = (name) => join(root, 'node_modules', '.bin', name)

/** Each needs one processor, so two run at a time; the longest begin first. */
const SIDE_BY_SIDE = [
  ['types', tool('tsc'), ['-p', 'tsconfig.json', '--noEmit']],
  ['reference', tool('typedoc'), ['--logLevel', 'Warn']],
  ['lint', tool('biome'), ['ci', '--colors=off', '--error-on-warnings', '.']],
  ['declarations', process.execPath, [join(root, 'tools', 'declarations.mjs')]],
  ['prose', process.execPath, [join(root, 'tools', 'prose.mjs')]],
  ['generated', process.execPath, [join(root, 'tools', 'sync.mjs'), '--check']],
]

/** Each needs all processors, and the one before. */
const IN_TURN = [
  ['api', process.execPath, [join(root, 'tools', 'api.mjs')]],
  ['build', tool('turbo'), ['run', 'build', '--concurrency=2', '--output-logs=errors-only']],
  ['packages', process.execPath, [join(root, 'tools', 'check-packages.mjs')]],
]

requireNode()
await installDependencies()
const failed = []

async function run([name, command, args], quiet) {
  const begun = performance.now()
  if (!quiet) console.log(`== ${name}`)
  const { status, output } = await runProgram(command, args, { quiet })
  if (quiet) console.log(`== ${name}\n${output.trimEnd()}`)
  console.log(`-- ${name} ${status === 0 ? 'ok' : 'FAILED'} in ${seconds(begun)}`)
  if (status !== 0) failed.push(name)
  return status === 0
}

const left = [...SIDE_BY_SIDE]
const work = async () => {
  for (let step = left.shift(); step !== undefined; step = left.shift()) await run(step, true)
}
await Promise.all([work(), work()])
for (const step of IN_TURN) if (!(await run(step, false))) break
console.log(failed.length === 0 ? 'check: all good' : `check: failed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
