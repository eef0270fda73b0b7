// npm run test:browser: the page of devices of examples/express-login in Chromium. Without one it says so and is left out.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram, toolEnv } from './lib/run.mjs'
import { NOT_TO_BE_HAD } from './servers/valkey.mjs'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/** The browser that AUTHSTATE_CHROMIUM names, or the one on the PATH. */
function findChromium() {
  const { AUTHSTATE_CHROMIUM, PATH = '' } = process.env
  if (AUTHSTATE_CHROMIUM !== undefined) return AUTHSTATE_CHROMIUM
  return PATH.split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path))
}

requireNode()
const chromium = findChromium()
if (chromium === undefined) {
  console.log(
    `browser: left out, there is no ${NAMES.join(', ')} on the PATH and AUTHSTATE_CHROMIUM names none`,
  )
  process.exitCode = NOT_TO_BE_HAD
} else {
  await installDependencies()
  const { sourceFlags } = await import('./lib/source.mjs')
  const program = join(root, 'examples', 'express-login', 'browser', 'devices.ts')
  const env = { ...toolEnv(), AUTHSTATE_CHROMIUM: chromium }
  const { status } = await runProgram(process.execPath, [...sourceFlags, program], { env })
  process.exitCode = status
}
