import type { Command } from 'commander'
import { type CommonOptions, type Context, withDeployment, withJson } from './context.js'

const load = () => import('../actions/config.js')

export interface ConfigEditOptions extends CommonOptions {
  readonly dryRun?: boolean
}

/** `authstate config` */
export function addConfig(program: Command, context: Context): void {
  const config = program
    .command('config')
    .description('what is configured; change it, checked before it is written')
  withJson(withDeployment(config.command('validate')))
    .description('check the file and the variables as the start would, and start nothing')
    .action((options: CommonOptions) => load().then(({ validate }) => validate(context, options)))
  withJson(withDeployment(config.command('explain [spi]')))
    .description('the provider of each SPI, the reason, and its properties; secrets are masked')
    .action((spi: string | undefined, options: CommonOptions) =>
      load().then(({ explain }) => explain(context, spi, options)),
    )
  config
    .command('schema [spi] [provider]')
    .description('the properties of a provider, as JSON Schema')
    .action((spi: string | undefined, provider: string | undefined) =>
      load().then(({ schema }) => schema(context, spi, provider)),
    )

  const edit = async (lines: readonly (readonly string[])[], options: ConfigEditOptions) =>
    (await load()).edit(context, lines, options)
  const editing = (name: string, description: string) =>
    withJson(withDeployment(config.command(name)))
      .description(description)
      .option('--dry-run', 'show what would change, and write nothing')
  editing('set-provider <spi> <provider>', 'use this provider for an SPI').action((spi, provider, options) =>
    edit([['set-provider', spi, provider]], options),
  )
  editing('enable <spi> [provider]', 'provide an SPI again').action((spi, provider, options) =>
    edit([provider === undefined ? ['enable', spi] : ['enable', spi, provider]], options),
  )
  editing('disable <spi> [provider]', 'switch an SPI off').action((spi, provider, options) =>
    edit([provider === undefined ? ['disable', spi] : ['disable', spi, provider]], options),
  )
  editing(
    'set <property> <value>',
    'set a property: user-session.maxNotesBytes 8192; `-` reads the value from standard input',
  ).action((property, value, options) => edit([['set', property, value]], options))
  editing('unset <property>', 'remove a property, so that its default applies').action((property, options) =>
    edit([['unset', property]], options),
  )
  editing('add-to-list <property> <value>', 'add a value to a list').action((property, value, options) =>
    edit([['add-to-list', property, value]], options),
  )
  editing('remove-from-list <property> <value>', 'take a value out of a list').action(
    (property, value, options) => edit([['remove-from-list', property, value]], options),
  )
  editing('batch', 'make the edits that standard input has, one in each line: all or none').action(
    (options: ConfigEditOptions) => load().then(({ editBatch }) => editBatch(context, options)),
  )
}
