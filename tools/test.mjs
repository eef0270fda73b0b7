// npm test: everything, from a fresh clone. Arguments go to vitest: npm test -- --project action-token
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { installDependencies, requireNode } from './lib/install.mjs'
import { testedFolders } from './lib/packages.mjs'
import { failures, leftOut, missing, readReport, storeTable, totals } from './lib/report.mjs'
import { isCi, root, runProgram } from './lib/run.mjs'
import { ensureBalancers } from './servers/balancers.mjs'
import { ensureRedis } from './servers/redis-binary.mjs'

const own = process.argv.slice(2)
const has = (...names) => own.some((a) => names.some((n) => a === n || a.startsWith(`${n}=`)))

/** Projects that have tests behind load balancers. */
const BALANCED = testedFolders()
  .filter((folder) =>
    readdirSync(join(root, folder, 'test')).some((file) => file.startsWith('load-balancer')),
  )
  .map((folder) => basename(folder))

requireNode()
const dir = mkdtempSync(join(tmpdir(), 'authstate-test-'))
try {
  await installDependencies()
  await ensureRedis()
  if (!has('--project') || own.some((a) => BALANCED.some((name) => a.includes(name)))) await ensureBalancers()

  const file = join(dir, 'report.json')
  const args = [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    ...(has('--maxWorkers') ? [] : ['--maxWorkers=2']),
    ...(has('--reporter') ? [] : ['--reporter=default']),
    '--reporter=json',
    `--outputFile.json=${file}`,
    ...own,
  ]
  const { status } = await runProgram(process.execPath, args)
  const report = readReport(file)

  const table = storeTable(report)
  if (table !== undefined) console.log(`\nCases by store\n${table}`)

  const unclaimed = leftOut(report)
  if (unclaimed.length > 0) console.log(['\nNot claimed by a store:', ...unclaimed].join('\n- '))

  const reasons = missing(report, { filtered: has('-t', '--testNamePattern') })
  const { passed, failed, skipped } = totals(report)
  if (reasons.length > 0) console.log('\nCould not run:')
  else if (passed > 0) console.log('\nEverything could run.')
  for (const [reason, tests] of reasons) console.log([`- ${reason}`, ...tests].join('\n    '))
  const incomplete = reasons.length > 0 && isCi()
  if (incomplete) console.log('Where CI is set, what could not run is a failure.')

  const failing = failures(report)
  if (failing.length > 0) console.log(['\nFailed:', ...failing].join('\n- '))
  else if (status !== 0)
    console.log(`\nNo case failed, and vitest ended with ${status}: its own errors are above.`)

  process.exitCode = status !== 0 ? status : failed > 0 || incomplete ? 1 : 0
  console.log(`\ntests: ${passed} passed, ${failed} failed, ${skipped} skipped`)
} catch (error) {
  console.error(error.message)
  console.log('\ntests: 0 passed, 0 failed, 0 skipped')
  process.exitCode = 1
} finally {
  rmSync(dir, { recursive: true, force: true })
}
