import type { Command } from 'commander'
import type { Context } from './context.js'

const load = () => import('../actions/conformance.js')

export interface ConformanceOptions {
  readonly module?: string
  readonly level?: readonly string[]
  readonly case?: string
  readonly list?: boolean
  readonly junit?: string
  readonly seed?: string
  readonly timeout?: string
  readonly json?: boolean
}

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
      '\nNeeds the kit: npm install --save-dev @authstate/conformance\nEnds with 0 when every case passed or was left out, 1 when one failed.',
    )
    .action((spi: string, options: ConformanceOptions) =>
      load().then(({ conformance }) => conformance(context, spi, options, program.version() ?? '')),
    )
}
