import { parseArgs } from 'node:util'
import { knownNames, quote } from '@authstate/spi/internal'
import { DEFAULT_TIMEOUT_MS } from '../run-case.js'
import { parseSeed } from '../seeded.js'
import { type Level, levels } from '../suite.js'
import { UsageError } from './usage-error.js'

/** What the command was asked for. */
export interface Arguments {
  /** Path of the module that describes the providers. */
  readonly module: string | undefined
  /** Names of SPIs; none: all that the module has. */
  readonly spis: readonly string[]
  readonly levels: readonly Level[]
  /** Part of a case's name. */
  readonly case: string | undefined
  readonly list: boolean
  readonly junit: string | undefined
  readonly json: string | undefined
  readonly seed: number | undefined
  readonly timeoutMs: number
  readonly help: boolean
  readonly version: boolean
}

export const HELP = `Checks providers against the conformance suites of their SPIs.

  npx @authstate/conformance ./my-provider.js [options]
  npx @authstate/conformance --list --spi web-session

The module exports one description or a list of them, as its default or as "targets":

  export default { spi: 'web-session', name: 'sqlite', factories: [sqliteWebSessions()] }

  --spi <names>      only these SPIs, separated by commas
  --level <names>    only these levels: ${levels.join(', ')}
  --case <text>      only cases whose name has this text
  --list             show the cases with their levels and sources, run none
  --junit <file>     write a JUnit report
  --json <file>      write a JSON report; -: to standard output, and nothing else there
  --seed <number>    repeat the random cases of a failed run
  --timeout <ms>     how long a case may take (${DEFAULT_TIMEOUT_MS})
  --help, --version

A case that blocks the process for so long ends it, and is named.

Exit status: 0 every case passed or was left out, 1 a case failed, 2 wrong arguments or a module that cannot be used.
`

const OPTIONS = {
  spi: { type: 'string' },
  level: { type: 'string' },
  case: { type: 'string' },
  list: { type: 'boolean' },
  junit: { type: 'string' },
  json: { type: 'string' },
  seed: { type: 'string' },
  timeout: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

type OptionName = keyof typeof OPTIONS

/** @throws {UsageError} naming what is wrong, what is known and what was probably meant */
export function readArguments(argv: readonly string[]): Arguments {
  // Not strict: the parser's own messages name neither what is known nor what was meant.
  const { tokens } = parseArgs({
    args: [...argv],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const given = new Map<OptionName, string[]>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind === 'option') readOption(token, given)
  }
  if (positionals.length > 1)
    throw new UsageError(`one module at a time: got ${positionals.map(quote).join(', ')}`)
  const last = (name: OptionName): string | undefined => given.get(name)?.at(-1)
  const list = (name: OptionName): string[] =>
    (given.get(name) ?? []).flatMap((text) => text.split(',')).map((text) => text.trim())
  return {
    module: positionals[0],
    spis: list('spi').map(spiName),
    levels: list('level').map(levelName),
    case: last('case'),
    list: given.has('list'),
    junit: last('junit'),
    json: last('json'),
    seed: seedOf(last('seed')),
    timeoutMs: timeoutOf(last('timeout')),
    help: given.has('help'),
    version: given.has('version'),
  }
}

function readOption(
  { name, rawName, value }: { name: string; rawName: string; value: string | boolean | undefined },
  given: Map<OptionName, string[]>,
): void {
  if (!Object.hasOwn(OPTIONS, name))
    throw new UsageError(`no option ${quote(rawName)}. ${knownNames(name, Object.keys(OPTIONS))}`)
  const known = name as OptionName
  const takesValue = OPTIONS[known].type === 'string'
  const text = typeof value === 'string' ? value : ''
  if (!takesValue && value !== undefined) throw new UsageError(`--${name} takes no value`)
  if (takesValue && (text === '' || (text.startsWith('-') && !(text === '-' && known === 'json'))))
    throw new UsageError(`--${name} needs a value`)
  given.set(known, [...(given.get(known) ?? []), text])
}

function spiName(text: string): string {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(text))
    throw new UsageError(`--spi: ${quote(text)} is not the name of an SPI, such as 'web-session'`)
  return text
}

function levelName(text: string): Level {
  const found = levels.find((level) => level === text)
  if (found === undefined)
    throw new UsageError(`--level: there is no level ${quote(text)}. ${knownNames(text, levels)}`)
  return found
}

function seedOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  try {
    return parseSeed(text, '--seed')
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function timeoutOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_TIMEOUT_MS
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new UsageError(`--timeout: ${quote(text)} is no number of milliseconds`)
}
