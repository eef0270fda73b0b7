// npm test: everything, from a fresh clone. Arguments go to vitest: npm test -- --project action-token
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installDependencies, requireNode } from './lib/install.mjs'
import { ensureRedis } from './lib/redis-binary.mjs'
import { missing, readReport, storeTable, totals } from './lib/report.mjs'
import { isCi, root, runProgram } from './lib/run.mjs'

const own = process.argv.slice(2)
const has = (...names) => own.some((a) => names.some((n) => a === n || a.startsWith(`${n}=`)))

requireNode()
const dir = mkdtempSync(join(tmpdir(), 'authstate-test-'))
try {
  await installDependencies()
  await ensureRedis()

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

  const lines = missing(report, { filtered: has('-t', '--testNamePattern') })
  console.log(
    lines.length === 0
      ? '\nEverything could run.'
      : `\nCould not run:\n${lines.map((l) => `- ${l}`).join('\n')}`,
  )
  if (lines.length > 0 && isCi()) console.log('With CI set, what could not run is a failure.')

  const { passed, failed, skipped } = totals(report)
  process.exitCode = status !== 0 ? status : failed > 0 || (lines.length > 0 && isCi()) ? 1 : 0
  console.log(`\ntests: ${passed} passed, ${failed} failed, ${skipped} skipped`)
} catch (error) {
  console.error(error.message)
  console.log('\ntests: 0 passed, 0 failed, 0 skipped')
  process.exitCode = 1
} finally {
  rmSync(dir, { recursive: true, force: true })
}
