import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Provider } from '@authstate/spi'
import { knownNames, quote } from '@authstate/spi/internal'
import { checkSuite } from '../check-suite.js'
import { leftOut } from '../left-out.js'
import { chooseSeed } from '../seeded.js'
import { show } from '../show.js'
import type { Case, Suite } from '../suite.js'
import type { Target } from '../target.js'
import { type Arguments, HELP, readArguments } from './arguments.js'
import type { CheckedEntry } from './entries.js'
import { jsonReport } from './json-report.js'
import { junitReport } from './junit.js'
import { importSuite, loadEntries } from './load.js'
import { Progress } from './progress.js'
import type { Run } from './results.js'
import { caseTable, summary, targetReport } from './tables.js'
import { UsageError } from './usage-error.js'
import { Watchdog } from './watchdog.js'

/** What surrounds the command. */
export interface CommandHost {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Version of the kit. */
  readonly version: string
  /** Writes to standard output. */
  print(text: string): void
  /** Writes to standard error. */
  complain(text: string): void
  /** Where to read how it is used. @default npx @authstate/conformance --help */
  readonly help?: string | undefined
  /** Whether standard error is a terminal, where one line can be written over. @default false */
  readonly isTerminal?: boolean | undefined
}

/** How long a case that blocks the process is waited for beyond its time: a busy machine blocks, too. */
const GRACE_MS = 5_000

/** In place of a file: the report goes where the tables would. */
const STDOUT = '-'

/** A suite, and what it is run on. */
interface Job {
  readonly suite: Suite<Provider>
  readonly target: Target<Provider> | undefined
}

/** Runs the command. Answers its exit status: 0 every case passed, 1 one failed, 2 wrong arguments or a module that cannot be used. */
export async function runCli(argv: readonly string[], host: CommandHost): Promise<number> {
  try {
    return await obey(readArguments(argv), host)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const { help = 'npx @authstate/conformance --help' } = host
    host.complain(`${error.message}\n${help} says how it is used.\n`)
    return 2
  }
}

async function obey(asked: Arguments, host: CommandHost): Promise<number> {
  if (asked.help) return say(HELP, host)
  if (asked.version) return say(`${host.version}\n`, host)
  const jobs = await collect(asked, host.cwd)
  const select = ({ level, name }: Case<Provider>): boolean =>
    (asked.levels.length === 0 || asked.levels.includes(level)) && name.includes(asked.case ?? '')
  if (!jobs.some(({ suite }) => suite.cases.some(select)))
    throw new UsageError('no case is of that level and has that text in its name')
  return asked.list ? list(jobs, select, host) : check(jobs, select, asked, host)
}

function say(text: string, host: CommandHost): number {
  host.print(text)
  return 0
}

async function collect(asked: Arguments, cwd: string): Promise<Job[]> {
  const { module, spis } = asked
  if (module === undefined) {
    if (!asked.list || spis.length === 0)
      throw new UsageError('which module? Give the path of one, or --list with --spi')
    const here = pathToFileURL(resolve(cwd, 'here.js')).href
    return Promise.all(spis.map(async (spi) => ({ suite: await importSuite(spi, here), target: undefined })))
  }
  const entries = await loadEntries(module, cwd)
  const known = [...new Set(entries.map(({ spi }) => spi))]
  for (const spi of spis) {
    if (!known.includes(spi))
      throw new UsageError(`the module has no provider of ${quote(spi)}. ${knownNames(spi, known)}`)
  }
  const wanted = entries.filter(({ spi }) => spis.length === 0 || spis.includes(spi))
  const from = pathToFileURL(resolve(cwd, module)).href
  return Promise.all(wanted.map((entry) => jobOf(entry, from)))
}

async function jobOf(entry: CheckedEntry, from: string): Promise<Job> {
  const suite = entry.suite ?? (await importSuite(entry.spi, from))
  const target = entry.target(suite.spi)
  try {
    leftOut(suite, target)
  } catch (error) {
    throw new UsageError(show(error, 1_000))
  }
  return { suite, target }
}

type Select = (item: Case<Provider>) => boolean

function list(jobs: readonly Job[], select: Select, host: CommandHost): number {
  for (const { suite, target } of jobs) {
    const on = target === undefined ? '' : ` on ${target.name}`
    host.print(`${suite.spi.name}${on}\n\n${caseTable(suite, target, select)}\n`)
  }
  return 0
}

async function check(
  jobs: readonly Job[],
  select: Select,
  asked: Arguments,
  host: CommandHost,
): Promise<number> {
  const seed = asked.seed ?? seedFrom(host)
  // Now rather than after minutes of work.
  const isForProgram = asked.json === STDOUT
  for (const path of [asked.junit, asked.json])
    if (path !== undefined && path !== STDOUT) write(path, '', host)
  const runs: Run[] = []
  const watchdog = new Watchdog(asked.timeoutMs + GRACE_MS)
  for (const { suite, target } of jobs) {
    if (target === undefined) continue
    const what = `${suite.spi.name} on ${target.name}`
    const progress = new Progress(what, suite.cases.filter(select).length, host)
    const results = await checkSuite(suite, target, {
      select,
      seed,
      timeoutMs: asked.timeoutMs,
      catchStrays: true,
      onCase: ({ name }) => {
        watchdog.begin(`${what}: ${name}`)
        progress.begin(name)
      },
    })
    progress.end()
    runs.push({ spi: suite.spi.name, target: target.name, results })
    if (!isForProgram) host.print(`${what}\n\n${targetReport(results)}\n`)
  }
  await watchdog.stop()
  const results = runs.flatMap((run) => run.results)
  if (!isForProgram) host.print(summary(results))
  if (asked.junit !== undefined) write(asked.junit, junitReport(runs), host)
  if (asked.json !== undefined) {
    const { version } = host
    const report = jsonReport(runs, { version, node: process.versions.node, seed })
    if (isForProgram) host.print(report)
    else write(asked.json, report, host)
  }
  return results.some(({ outcome }) => outcome === 'failed') ? 1 : 0
}

function seedFrom({ env }: CommandHost): number {
  try {
    return chooseSeed(env)
  } catch (error) {
    throw new UsageError(show(error))
  }
}

function write(path: string, text: string, { cwd }: CommandHost): void {
  try {
    writeFileSync(resolve(cwd, path), text)
  } catch (error) {
    throw new UsageError(`${quote(path)} cannot be written: ${show(error)}`)
  }
}
