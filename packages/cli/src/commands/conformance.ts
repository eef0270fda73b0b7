import { resolve } from 'node:path'
import type { Command } from 'commander'
import { wholeNumber } from '../arguments.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { readText } from '../files.js'
import { type Context, untilInterrupted } from './context.js'

interface ConformanceOptions {
  readonly module?: string
  readonly level?: readonly string[]
  readonly case?: string
  readonly list?: boolean
  readonly junit?: string
  readonly seed?: string
  readonly timeout?: string
  readonly json?: boolean
}

const KIT = '@authstate/conformance'

/** `authstate conformance` */
export function addConformance(program: Command, context: Context): void {
  program
    .command('conformance <spi>')
    .description('check a provider of your own against the suite of its SPI')
    .option(
      '--module <file>',
      'a module whose default export describes the provider: { spi, name, factories }',
    )
    .option('--level <level...>', 'only these levels')
    .option('--case <text>', 'only cases whose name has this text')
    .option('--list', 'show the cases with their levels and sources, run none')
    .option('--junit <file>', 'write a JUnit report')
    .option('--seed <number>', 'repeat the random cases of a failed run')
    .option('--timeout <ms>', 'how long a case may take')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `\nNeeds the kit: npm install --save-dev ${KIT}\nEnds with 0 when every case passed or was left out, 1 when one failed.`,
    )
    .action((spi: string, options: ConformanceOptions) =>
      conformance(context, spi, options, program.version() ?? ''),
    )
}

async function conformance(
  context: Context,
  spi: string,
  options: ConformanceOptions,
  version: string,
): Promise<void> {
  const { surroundings } = context
  const { cwd, env, stdout, stderr } = surroundings
  const { module, list = false, timeout } = options
  if (module === undefined && !list)
    throw new CommandError(EXIT.usage, 'say which module describes the provider: --module, or --list')
  if (timeout !== undefined) wholeNumber(timeout, '--timeout', 1)
  if (module !== undefined) await readText(resolve(cwd, module))
  const { runCli } = await loadKit()
  const argv = [
    ...(module === undefined ? [] : [module]),
    ...['--spi', spi],
    ...(options.level ?? []).flatMap((level) => ['--level', level]),
    ...(list ? ['--list'] : []),
    ...(options.json ? ['--json', '-'] : []),
    ...(['case', 'junit', 'seed', 'timeout'] as const).flatMap((name) =>
      options[name] === undefined ? [] : [`--${name}`, options[name]],
    ),
  ]
  let status = 0
  await untilInterrupted(surroundings, async () => {
    status = await runCli(argv, {
      cwd,
      env,
      // All packages have one version.
      version,
      help: 'authstate conformance --help',
      print: (text) => stdout.write(text),
      complain: (text) => stderr.write(text),
      isTerminal: stderr.isTerminal,
    })
  })
  // What can be wrong by now is a name: of the SPI, of a level, or within the module.
  context.end(status === 0 ? EXIT.done : status === 1 ? EXIT.findings : EXIT.configuration)
}

/**
 * The kit, which is installed where providers are written.
 *
 * @throws {CommandError} it is not; says how
 */
export async function loadKit(load = () => import('@authstate/conformance/command')) {
  try {
    return await load()
  } catch (error) {
    const { code } = error as { readonly code?: unknown }
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error
    throw new CommandError(
      EXIT.configuration,
      `the test kit is not installed; run: npm install --save-dev ${KIT}`,
    )
  }
}
