import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { services } from '../../packages/authstate/src/services.js'
import { root } from '../lib/run.mjs'
import { Changes } from './changes.js'
import { eventTables } from './events.js'
import { frontDoor, publishedExports } from './front-door.js'
import { kindsTable } from './kinds.js'
import { propertyTables } from './properties.js'
import { telemetryFiles } from './telemetry/files.js'

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const changes = new Changes((path) => readFileSync(join(root, path), 'utf8'))

frontDoor(changes, services)
publishedExports(changes)
eventTables(changes, services)
await propertyTables(changes, services)
kindsTable(changes, services)
telemetryFiles(changes)

if (values.check) {
  for (const path of changes.paths) console.error(`${path}: differs from what \`npm run sync\` writes`)
  process.exitCode = changes.paths.length === 0 ? 0 : 1
} else {
  // What is written is the wish, so nothing differs any more afterwards.
  const written = [...changes]
  for (const [path, text] of written) {
    const file = join(root, path)
    if (text === '') rmSync(file)
    else {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
    console.log(`${text === '' ? 'removed' : 'wrote'} ${path}`)
  }
  if (written.some(([path]) => path === 'packages/authstate/package.json')) updateLockFile()
}

/** Dependencies of the front door may have changed. */
function updateLockFile(): void {
  const args = ['install', '--no-frozen-lockfile', '--prefer-offline', '--silent']
  const { status } = spawnSync(join(root, 'node_modules', '.bin', 'pnpm'), args, {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) process.exitCode = 1
}
