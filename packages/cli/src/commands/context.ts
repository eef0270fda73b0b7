import type { Command } from 'commander'
import type { DeploymentOptions } from '../configuration.js'
import type { ExitCode } from '../exit-codes.js'
import type { Surroundings } from '../surroundings.js'

/** What every file of commands gets. */
export interface Context {
  readonly surroundings: Surroundings
  /** Says what the command ends with; 0 unless said. */
  end(code: ExitCode): void
}

/** Options that every command has. */
export interface CommonOptions extends DeploymentOptions {
  readonly json?: boolean | undefined
}

/** Adds the options by which a command finds its deployment. */
export function withDeployment(command: Command): Command {
  return command
    .option(
      '-c, --config <file>',
      'the configuration: JSON, JSONC, YAML or a module (default: authstate.config.*)',
    )
    .option(
      '--plugin <file>',
      'a module that exports provider factories; may be given more than once',
      collect,
      [],
    )
    .option('--url <address>', 'the address of Redis, without a password')
    .option('--url-file <file>', 'a file that holds the address of Redis')
}

/** Adds `--json`. */
export const withJson = (command: Command): Command => command.option('--json', 'print one JSON object')

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]
