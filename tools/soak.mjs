// npm run soak [-- --minutes 30] [--seed 7]: several processes on a deployment that is disturbed, and what they saw checked.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram, toolEnv } from './lib/run.mjs'
import { ensureRedis } from './servers/redis-binary.mjs'

function readArguments() {
  const { values } = parseArgs({ options: { minutes: { type: 'string' }, seed: { type: 'string' } } })
  const { minutes = '5', seed } = values
  if (!(Number(minutes) > 0)) throw new Error(`--minutes must be above 0, got "${minutes}"`)
  if (seed !== undefined && !/^\d{1,9}$/.test(seed)) {
    throw new Error(`--seed must be a whole number of up to 9 digits, got "${seed}"`)
  }
  return {
    AUTHSTATE_SOAK_SECONDS: String(Math.ceil(Number(minutes) * 60)),
    ...(seed !== undefined && { AUTHSTATE_SOAK_SEED: seed }),
  }
}

requireNode()
try {
  const chosen = readArguments()
  await installDependencies()
  await ensureRedis()
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const args = [vitest, 'run', '--project', 'house', 'soak.test', '-t', 'a soak']
  const { status } = await runProgram(process.execPath, args, { env: { ...toolEnv(), ...chosen } })
  process.exitCode = status
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
