// npm run example -- NAME [-- options]: an application of examples/, in memory or on the Redis that REDIS_URL names.
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram, toolEnv } from './lib/run.mjs'

const folder = join(root, 'examples')
const mainOf = (name) => join(folder, name, 'src', 'main.ts')
const isVite = (name) => existsSync(join(folder, name, 'vite.config.ts'))
const names = readdirSync(folder).filter((name) => existsSync(mainOf(name)) || isVite(name))

/** What Node runs: the program of the example, or the server of Vite on it. */
function programOf(name) {
  if (!isVite(name)) return [mainOf(name)]
  const manifest = createRequire(join(folder, name, 'package.json')).resolve('vite/package.json')
  return [join(dirname(manifest), 'bin', 'vite.js'), 'dev']
}

requireNode()
const [name = '', ...options] = process.argv.slice(2)
if (names.includes(name)) {
  await installDependencies()
  const { sourceFlags } = await import('./lib/source.mjs')
  const args = [...sourceFlags, ...programOf(name), ...options]
  const { status } = await runProgram(process.execPath, args, { cwd: join(folder, name), env: toolEnv() })
  process.exitCode = status
} else {
  console.error(`npm run example -- NAME, of ${names.join(', ')}`)
  process.exitCode = 1
}
