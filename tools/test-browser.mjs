// npm run test:browser: pages in Chromium: of the console, also on a Redis with a fault, and of devices in examples/express-login. Without a Chromium it says so and is left
// out. With --pictures the pictures of docs/console.md are made anew instead.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram, toolEnv } from './lib/run.mjs'
import { ensureRedis } from './servers/redis-binary.mjs'
import { NOT_TO_BE_HAD } from './servers/valkey.mjs'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']
const PROGRAMS = [
  'packages/console/browser/screens.ts',
  'packages/console/browser/faults.ts',
  'examples/express-login/browser/devices.ts',
]
const PICTURES = ['packages/console/browser/pictures.ts']

/** The browser that AUTHSTATE_CHROMIUM names, or the one on the PATH. */
function findChromium() {
  const { AUTHSTATE_CHROMIUM, PATH = '' } = process.env
  if (AUTHSTATE_CHROMIUM !== undefined) return AUTHSTATE_CHROMIUM
  return PATH.split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path))
}

requireNode()
const { pictures = false } = parseArgs({ options: { pictures: { type: 'boolean' } } }).values
const chromium = findChromium()
if (chromium === undefined) {
  console.log(
    `browser: left out, there is no ${NAMES.join(', ')} on the PATH and AUTHSTATE_CHROMIUM names none`,
  )
  process.exitCode = NOT_TO_BE_HAD
} else {
  await installDependencies()
  if (!pictures) await ensureRedis()
  const { sourceFlags } = await import('./lib/source.mjs')
  const env = { ...toolEnv(), AUTHSTATE_CHROMIUM: chromium }
  for (const program of pictures ? PICTURES : PROGRAMS) {
    const { status } = await runProgram(process.execPath, [...sourceFlags, join(root, program)], { env })
    process.exitCode ||= status
  }
}
