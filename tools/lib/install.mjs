// Installs the dependencies when the lock file asks for others than are there. Needs nothing but Node and npm.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, runProgram, seconds } from './run.mjs'

const stamp = join(root, 'node_modules', '.installed-lock')

const lockHash = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .digest('hex')

function installedHash() {
  try {
    return readFileSync(stamp, 'utf8')
  } catch {
    return undefined
  }
}

function pinnedPnpm() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return packageManager.split('+')[0] // `pnpm@x.y.z+sha512.…`
}

export async function installDependencies() {
  const wanted = lockHash()
  if (installedHash() === wanted) return console.log('install: up to date')
  const pnpm = pinnedPnpm()
  console.log(`install: npx ${pnpm} install --frozen-lockfile, into node_modules of this folder`)
  const begun = performance.now()
  const args = [
    '--yes', // with `yes=false` in an npmrc npx refuses without a word
    pnpm,
    '--dir',
    root,
    'install',
    '--frozen-lockfile',
    // modules from another store are replaced without a question: nobody may be there to answer it
    '--config.confirmModulesPurge=false',
  ]
  // from outside: inside the repository npx would take the pnpm that this installation may have to replace
  const { status, output } = await runProgram('npx', args, { quiet: true, cwd: tmpdir() })
  if (status !== 0) {
    console.error(output)
    throw new Error(`the installation of the dependencies failed with status ${status}`)
  }
  writeFileSync(stamp, wanted)
  console.log(`install: done in ${seconds(begun)}`)
}

/** Says clearly what is wrong before a tool of ours dies on an old Node with a riddle. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  console.error(`Node ${process.versions.node} is too old: 20.19 or later is needed`)
  process.exit(1)
}
