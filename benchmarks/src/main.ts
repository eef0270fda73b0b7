// npm run bench: measures what it is asked for, prints the tables, and says with its exit status how it went.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { isMet, type Report } from './finding.js'
import { MEASURES } from './measures.js'
import { OptionError, type Options, readOptions, USAGE } from './options.js'
import { besideBefore } from './ratios/before.js'
import { groups } from './ratios/plan.js'
import { runGroup } from './ratios/run.js'
import { writePage } from './report/page.js'
import { byGroup, type Result, tableOf } from './report/result.js'
import { COLUMNS, missedOf, plainTable, rowsOf } from './report/table.js'
import { runMeasure } from './run-measure.js'
import { type Servers, startServers } from './servers.js'

const say = (line: string) => console.log(line)

async function run(options: Options): Promise<number> {
  const { rounds, quick, full, wanted } = options
  const measures = MEASURES.filter(({ targets, timed }) => targets.some(wanted) && !(quick && timed))
  const planned = options.before === undefined ? groups : besideBefore(groups, options.before)
  const compared = quick ? [] : planned.filter(({ ratios }) => ratios.some(({ target }) => wanted(target)))
  const begun = performance.now()
  const needsCluster = [...measures, ...compared].some(({ cluster }) => cluster === true)
  const servers = await startServers({ cluster: needsCluster })
  const reports: Report[] = []
  try {
    say(machine(servers))
    for (const { path, targets } of measures) {
      say(path)
      const { url, nodes, lone } = servers
      const work = async () => {
        await servers.flush()
        return runMeasure(path, { url, nodes, lone, rounds, quick, full })
      }
      reports.push(await attempt(targets.filter(wanted), work))
    }
    for (const group of compared) {
      say(group.name)
      const targets = [...new Set(group.ratios.map(({ target }) => target))].filter(wanted)
      reports.push(await attempt(targets, () => runGroup(group, servers, { rounds, wanted, say })))
    }
  } finally {
    await servers.stop()
  }
  const result: Result = {
    machine: machine(servers),
    rounds,
    findings: reports.flatMap((report) => report.findings).filter(({ target }) => wanted(target)),
    missing: reports.flatMap((report) => report.missing ?? []),
    facts: reports.flatMap((report) => report.facts ?? []),
  }
  print(result)
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, undefined, 2)}\n`)
  if (options.page) writePage(result)
  const missed = result.findings.filter(({ value, bound }) => !isMet(value, bound)).length
  const [met, missing] = [result.findings.length - missed, result.missing.length]
  const seconds = Math.round((performance.now() - begun) / 1_000)
  say(`\nbench: ${met} met, ${missed} missed, ${missing} not measured, in ${seconds} s`)
  return missing > 0 || (options.check && missed > 0) ? 1 : 0
}

function print({ findings, missing, facts }: Result): void {
  if (findings.length + missing.length > 0) say(`\n${plainTable(COLUMNS, rowsOf(findings, missing))}`)
  for (const line of missedOf(findings)) say(line)
  for (const [group, rows] of byGroup(facts)) {
    const table = tableOf(rows)
    say(`\n${group}\n${plainTable(table.columns, table.rows)}`)
  }
}

/** What breaks is a target that was not measured, and no reason not to measure the others. */
async function attempt(targets: readonly string[], work: () => Promise<Report>): Promise<Report> {
  try {
    return await work()
  } catch (error) {
    say(`  ${(error as Error).stack}`)
    const reason = (error as Error).message.split('\n')[0] ?? 'it failed'
    return { findings: [], missing: targets.map((target) => ({ target, name: '', reason })) }
  }
}

const machine = ({ version }: Servers): string => {
  const [{ model } = { model: 'unknown' }] = cpus()
  return `Node ${process.versions.node}, Redis ${version}, ${cpus().length} × ${model.trim()}, loopback`
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options === 'help') say(USAGE)
  else process.exitCode = await run(options)
} catch (error) {
  const isOption = error instanceof OptionError
  console.error(isOption ? `${error.message}\n\n${USAGE}` : error)
  process.exitCode = isOption ? 2 : 1
}
