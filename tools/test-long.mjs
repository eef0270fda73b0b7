// npm run test:long [-- --runs 5000] [--seed 7] [--on cluster]: random histories, by the thousand: user sessions on memory beside Redis, and
// both beside the model; guards against guessing on memory beside Redis, and their policy 100 000 times at least; all services of three sites, 10 000 walks at least; messages to a thousand receivers, and over a failover. What disagrees is printed with its seed, and shrunk.
// Last the scenarios of clustered applications. Nodes of before layout 2 and of now serve one Redis. Before them the alerts of telemetry, by Prometheus' own checker, and which case holds which scenario of several sites.
import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { scenarioLines } from '../packages/cross-site/test/scenarios.mjs'
import { installDependencies, requireNode } from './lib/install.mjs'
import { packageFolders } from './lib/packages.mjs'
import { root, runProgram, toolEnv } from './lib/run.mjs'
import { findPromtool, NoPromtool } from './servers/promtool.mjs'
import { ensureRedis } from './servers/redis-binary.mjs'

/** Files with a long variant, by their project. */
const LONG = packageFolders()
  .filter((folder) => existsSync(join(root, folder, 'test')))
  .flatMap((folder) =>
    readdirSync(join(root, folder, 'test'))
      .filter((file) => /\b(agreement|delivery|model)\.test\.ts$/.test(file))
      .map((file) => [basename(folder), file]),
  )

function readArguments() {
  const { values } = parseArgs({
    options: { runs: { type: 'string' }, seed: { type: 'string' }, on: { type: 'string' } },
  })
  const { runs = '5000', seed, on = 'redis' } = values
  if (!/^[1-9]\d{0,6}$/.test(runs)) throw new Error(`--runs must be a whole number above 0, got "${runs}"`)
  if (seed !== undefined && !/^\d{1,9}$/.test(seed)) {
    throw new Error(`--seed must be a whole number of up to 9 digits, got "${seed}"`)
  }
  if (on !== 'redis' && on !== 'cluster') throw new Error(`--on must be redis or cluster, got "${on}"`)
  return {
    DELIVERY_TARGETS: '1000',
    HISTORIES_ON: on,
    AGREEMENT_RUNS: runs,
    AGREEMENT_SHRINK: '1',
    MODEL_RUNS: runs,
    POLICY_RUNS: String(Math.max(Number(runs), 100_000)),
    SITES_RUNS: String(Math.max(Number(runs), 10_000)),
    ...(seed !== undefined && { AGREEMENT_SEED: seed, MODEL_SEED: seed }),
  }
}

/** Checks the rules of alerts, and when they fire. Where Prometheus' checker is not to be had, says so. */
async function checkAlerts() {
  const folder = join(root, 'packages', 'telemetry')
  let promtool
  try {
    promtool = await findPromtool()
  } catch (error) {
    if (!(error instanceof NoPromtool)) throw error
    console.log(`alerts: left out, ${error.message}`)
    return
  }
  for (const args of [
    ['check', 'rules', 'alerts.yaml'],
    ['test', 'rules', join('test', 'alerts.promtool.yaml')],
  ]) {
    const { status } = await runProgram(promtool, args, { cwd: folder })
    process.exitCode ||= status
  }
}

requireNode()
try {
  const chosen = readArguments()
  await installDependencies()
  await checkAlerts()
  for (const line of scenarioLines(root)) console.log(line)
  await ensureRedis()
  const { rollingRun } = await import('./rolling.mjs')
  await rollingRun().catch((error) => {
    console.error(error)
    process.exitCode = 1
  })
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  for (const [project, file] of LONG) {
    const args = [vitest, 'run', '--testTimeout=86400000', '--project', project, file]
    const { status } = await runProgram(process.execPath, args, { env: { ...toolEnv(), ...chosen } })
    process.exitCode ||= status
  }
  const scenarios = join(root, 'tools', 'scenarios.mjs')
  process.exitCode ||= (await runProgram(process.execPath, [scenarios, '--quick'], { env: toolEnv() })).status
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
