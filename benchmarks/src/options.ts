import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { QUICK_TARGETS, TARGETS } from './measures.js'

export interface Options {
  readonly rounds: number
  readonly quick: boolean
  readonly check: boolean
  readonly full: boolean
  readonly page: boolean
  readonly json?: string
  /** Folder of another checkout, whose code takes turns with this one's. */
  readonly before?: string
  readonly wanted: (target: string) => boolean
}

export const USAGE = `npm run bench [-- options]
  --quick         counts only: nothing that depends on how busy the machine is
  --check         exit with 1 when a target is missed
  --only R1,D5    these only, of ${TARGETS.join(', ')}
  --rounds n      rounds of each comparison; 21 when left out
  --full          growth up to a million sessions, which takes some gigabytes
  --before dir    the code of another checkout, whose dependencies are installed, takes turns with ours
  --page          write the figures and pictures into docs/performance.md
  --json file     write everything that was measured
  --help          this

Exits with 0; with 1 when something could not be measured, or --check finds a target missed; with 2 when an option
is wrong.`

/** What is wrong with an option, in a sentence. */
export class OptionError extends Error {}

/** `'help'` when that is all that was asked for. */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { quick, check, full, page, help, json, before, only, rounds: count } = parse(args)
  if (help) return 'help'
  const rounds = /^[1-9]\d{0,3}$/.test(count) ? Number(count) : undefined
  if (rounds === undefined) throw new OptionError('--rounds is a whole number from 1 to 9999')
  const targets = only === undefined ? undefined : targetsOf(only, quick)
  if (quick && full) throw new OptionError('--full makes what --quick leaves out larger: only one of them')
  if (page && (quick || targets)) {
    throw new OptionError('--page writes all figures: it goes with neither --quick nor --only')
  }
  if (json !== undefined) checkPlace(json)
  if (before !== undefined) checkCheckout(before, quick || page)
  return {
    ...{ rounds, quick, check, full, page },
    ...(json !== undefined && { json }),
    ...(before !== undefined && { before: resolve(before) }),
    wanted: (target) => targets === undefined || targets.includes(target),
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean', default: false },
        check: { type: 'boolean', default: false },
        full: { type: 'boolean', default: false },
        page: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        only: { type: 'string' },
        rounds: { type: 'string', default: '21' },
        json: { type: 'string' },
        before: { type: 'string' },
      },
    }).values
  } catch (error) {
    throw new OptionError((error as Error).message)
  }
}

function targetsOf(only: string, quick: boolean): readonly string[] {
  const named = only.split(',').map((name) => name.trim())
  const known = quick ? QUICK_TARGETS : TARGETS
  const unknown = named.filter((name) => !known.includes(name))
  if (unknown.length === 0) return named
  const these = unknown.map((name) => `"${name}"`).join(', ')
  throw new OptionError(
    `--only names ${these}; ${quick ? '--quick measures' : 'there are'} ${known.join(', ')}`,
  )
}

/** Said before anything is measured, and not minutes later. */
function checkPlace(file: string): void {
  const kind = (path: string) => statSync(path, { throwIfNoEntry: false })
  if (!kind(dirname(resolve(file)))?.isDirectory())
    throw new OptionError('--json names a folder that is not there')
  if (kind(file)?.isDirectory()) throw new OptionError('--json names a folder')
}

function checkCheckout(folder: string, conflicting: boolean): void {
  if (conflicting) throw new OptionError('--before compares speeds: it goes with neither --quick nor --page')
  const sources = resolve(folder, 'benchmarks', 'src', 'subjects')
  if (!statSync(sources, { throwIfNoEntry: false })?.isDirectory())
    throw new OptionError('--before names a folder that is no checkout of this repository')
  if (!statSync(resolve(folder, 'node_modules'), { throwIfNoEntry: false })?.isDirectory())
    throw new OptionError('--before names a checkout whose dependencies are not installed')
}
