// npm run scenarios [-- --quick]: the 50 scenarios of clustered applications (docs/sources.md), each with the cases that show it, on memory and Redis, in
// several processes, and in the application of two processes. Prints which case shows which, and `50/50`; fails where one is missing or red. `--quick` leaves
// out a thousand receivers, a process that is killed, a failover, and packages of others.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram, toolEnv } from './lib/run.mjs'
import { ensureRedis } from './servers/redis-binary.mjs'

const COUNT = 50
const PROJECTS = ['application-node', 'http-client', 'hostname', 'token-store']
/** Those of a store: each has a case in memory and one on Redis. The others need no store, or several processes. */
const OF_STORES = [
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 18, 19, 20, 22, 39, 40, 41, 42, 44, 45, 46, 47, 48,
]

/** The scenarios that a title names: `… [basic, nodes 12; nodes 21]`, `nodes 21: …`, `43: …`. */
const numbersIn = (title) =>
  [...title.matchAll(/\bnodes (\d+)|(?:^|> ?)(\d+):/g)].map(([, named, first]) => Number(named ?? first))

/** Runs the cases. @returns for each the scenarios that it shows, where it is, and whether it passed */
async function runCases(isQuick) {
  const folder = mkdtempSync(join(tmpdir(), 'authstate-scenarios-'))
  const file = join(folder, 'report.json')
  try {
    const args = [
      join(root, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      ...PROJECTS.flatMap((project) => ['--project', project]),
      ...['--reporter=json', `--outputFile=${file}`, '-t', 'nodes \\d|(^| )\\d+: '],
    ]
    const env = { ...toolEnv(), ...(!isQuick && { DELIVERY_TARGETS: '1000' }) }
    await runProgram(process.execPath, args, { env, quiet: true })
    return JSON.parse(readFileSync(file, 'utf8')).testResults.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter(({ status }) => status === 'passed' || status === 'failed')
        .map(({ ancestorTitles, title, status }) => ({
          numbers: [...ancestorTitles, title].flatMap(numbersIn),
          where: relative(root, name),
          title,
          isGood: status === 'passed',
        })),
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The application of two processes, with sessions in its state and in cookies. */
async function runApplication() {
  const { sourceFlags } = await import('./lib/source.mjs')
  const main = join('examples', 'two-node-app', 'src', 'main.ts')
  const { output } = await runProgram(process.execPath, [...sourceFlags, join(root, main)], {
    env: toolEnv(),
    quiet: true,
  })
  return [...output.matchAll(/^ {2}(\d+) (ok|FAIL) +(.+)$/gm)].map(([, number, became, title]) => ({
    numbers: [Number(number)],
    where: main,
    title,
    isGood: became === 'ok',
  }))
}

requireNode()
try {
  const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
  await installDependencies()
  await ensureRedis()
  const cases = [...(await runCases(values.quick)), ...(await runApplication())]
  let good = 0
  for (let number = 1; number <= COUNT; number++) {
    const shown = cases.filter(({ numbers }) => numbers.includes(number))
    const isOn = (store) => shown.some(({ where }) => where.endsWith(`${store}.test.ts`))
    const isThere = OF_STORES.includes(number) ? isOn('memory') && isOn('redis') : shown.length > 0
    const isGood = isThere && shown.every((found) => found.isGood)
    if (isGood) good += 1
    else process.exitCode = 1
    const word = isGood ? 'ok  ' : isThere ? 'FAIL' : 'MISSING'
    const files = [...new Set(shown.map(({ where }) => where))].join(', ')
    console.log(`${String(number).padStart(2)} ${word} ${shown.length} cases ${files}`)
    for (const { title } of shown.filter((found) => !found.isGood)) console.log(`   FAIL ${title}`)
  }
  console.log(`${good}/${COUNT}`)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
