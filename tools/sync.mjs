// npm run sync [-- --check]: writes what follows from the services of the front door, packages/authstate/src/services.ts: its
// dependencies and subpaths, and the tables in docs between markers. `--check` writes nothing and fails on a difference.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram } from './lib/run.mjs'

const FRONT_DOOR = join(root, 'packages', 'authstate')

/** A service that is new in the list can be loaded only once the front door depends on its package. */
async function linkNewServices() {
  const list = readFileSync(join(FRONT_DOOR, 'src', 'services.ts'), 'utf8')
  const file = join(FRONT_DOOR, 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  const imported = [...list.matchAll(/from '(@authstate\/[^/']+)\/service'/g)].map(([, name]) => name)
  const missing = imported.filter((name) => !(name in manifest.dependencies))
  if (missing.length === 0) return
  if (process.argv.includes('--check'))
    throw new Error(`packages/authstate does not depend on ${missing.join(', ')}`)
  for (const name of missing) manifest.dependencies[name] = 'workspace:^'
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)
  const pnpm = join(root, 'node_modules', '.bin', 'pnpm')
  const { status } = await runProgram(pnpm, [
    'install',
    '--no-frozen-lockfile',
    '--prefer-offline',
    '--silent',
  ])
  if (status !== 0) throw new Error('pnpm install failed')
}

requireNode()
try {
  await installDependencies()
  await linkNewServices()
  const { sourceFlags } = await import('./lib/source.mjs')
  const main = join(root, 'tools', 'sync', 'main.ts')
  const { status } = await runProgram(process.execPath, [...sourceFlags, main, ...process.argv.slice(2)])
  process.exitCode = status
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
