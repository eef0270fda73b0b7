// npm run bench: measures what it is asked for, prints the tables, and says with its exit status whether targets are met.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { isMet, type Report } from './finding.js'
import { type Options, readOptions, USAGE } from './options.js'
import { groups } from './ratios/plan.js'
import { runGroup } from './ratios/run.js'
import { writePage } from './report/page.js'
import { byGroup, type Result, tableOf } from './report/result.js'
import { COLUMNS, missedOf, plainTable, rowsOf } from './report/table.js'
import { runMeasure } from './run-measure.js'
import { type Servers, startServers } from './servers.js'

/** Programs that measure once, and the targets they answer. */
const MEASURES: readonly { path: string; targets: readonly string[]; timed?: boolean; cluster?: boolean }[] =
  [
    { path: 'counts/user-sessions', targets: ['D1', 'D2', 'D3'] },
    { path: 'counts/login-failures', targets: ['D1', 'D4', 'D5'] },
    { path: 'counts/action-tokens', targets: ['D1', 'D4', 'D5'] },
    { path: 'counts/invalidation', targets: ['D6'] },
    { path: 'growth/listings', targets: ['D7', 'D8', 'R13'], timed: true },
    { path: 'growth/server-time', targets: ['scale'], timed: true },
    { path: 'growth/in-memory', targets: ['scale'], timed: true },
    { path: 'storms/run', targets: ['storms'], timed: true },
    { path: 'growth/endings', targets: ['D9'], timed: true },
  ]

const say = (line: string) => console.log(line)

async function run(options: Options): Promise<number> {
  const measures = MEASURES.filter(
    ({ targets, timed }) => targets.some(options.wanted) && !(options.quick && timed === true),
  )
  const compared = options.quick
    ? []
    : groups.filter(({ ratios }) => ratios.some(({ target }) => options.wanted(target)))
  const needsCluster = [...measures, ...compared].some(({ cluster }) => cluster === true)
  const begun = performance.now()
  const servers = await startServers({ cluster: needsCluster })
  const reports: Report[] = []
  try {
    say(machine(servers))
    for (const { path, targets } of measures) {
      say(`${path}`)
      reports.push(await attempt(targets.filter(options.wanted), () => measureOn(servers, path, options)))
    }
    for (const group of compared) {
      say(group.name)
      const targets = [...new Set(group.ratios.map(({ target }) => target))].filter(options.wanted)
      reports.push(
        await attempt(targets, () =>
          runGroup(group, servers, { rounds: options.rounds, wanted: options.wanted, say }),
        ),
      )
    }
  } finally {
    await servers.stop()
  }
  const result: Result = {
    machine: machine(servers),
    rounds: options.rounds,
    findings: reports.flatMap((report) => report.findings).filter(({ target }) => options.wanted(target)),
    missing: reports.flatMap((report) => report.missing ?? []),
    facts: reports.flatMap((report) => report.facts ?? []),
  }
  const { findings, missing } = result
  say(`\n${plainTable(COLUMNS, rowsOf(findings, missing))}`)
  for (const line of missedOf(findings)) say(line)
  for (const [group, facts] of byGroup(result.facts)) {
    const { columns, rows } = tableOf(facts)
    say(`\n${group}\n${plainTable(columns, rows)}`)
  }
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, undefined, 2)}\n`)
  if (options.page) writePage(result)
  const missed = findings.filter(({ value, bound }) => !isMet(value, bound)).length
  say(
    `\nbench: ${findings.length - missed} met, ${missed} missed, ${missing.length} not measured, in ${Math.round((performance.now() - begun) / 1_000)} s`,
  )
  return options.check && missed + missing.length > 0 ? 1 : 0
}

const measureOn = async (servers: Servers, path: string, { rounds, quick, full }: Options) => {
  await servers.flush()
  return runMeasure(path, { url: servers.url, nodes: servers.nodes, rounds, quick, full })
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
  process.exitCode = await run(readOptions(process.argv.slice(2)))
} catch (error) {
  console.error((error as Error).message)
  console.error(USAGE)
  process.exitCode = 1
}
