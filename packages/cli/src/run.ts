import { Command, CommanderError } from 'commander'
import { addAudit } from './commands/audit.js'
import { addCompletion } from './commands/completion.js'
import { addConfig } from './commands/config.js'
import { addConformance } from './commands/conformance.js'
import type { Context } from './commands/context.js'
import { addDoctor } from './commands/doctor.js'
import { addFailures } from './commands/failures.js'
import { addHealth } from './commands/health.js'
import { addLoad } from './commands/load.js'
import { addOthers } from './commands/others.js'
import { addSessions } from './commands/sessions.js'
import { addSites } from './commands/sites.js'
import { addSize } from './commands/size.js'
import { addTokens } from './commands/tokens.js'
import { EXIT, type ExitCode } from './exit-codes.js'
import type { Surroundings } from './surroundings.js'

/** What is misspelt is a mistake of names, as in a configuration; everything else is a mistake of use. */
const MISSPELT = ['commander.unknownOption', 'commander.unknownCommand']
const SHOWN = ['commander.help', 'commander.helpDisplayed', 'commander.version']

/**
 * Runs the command. Call it in a program of your own that offers it under another name.
 *
 * @param args What stands behind the name of the command.
 * @param version What `--version` prints.
 * @returns what the process should end with, see {@link EXIT}
 */
export async function run(
  args: readonly string[],
  surroundings: Surroundings,
  version: string,
): Promise<ExitCode> {
  let code: ExitCode = EXIT.done
  const context: Context = {
    surroundings,
    end: (said) => {
      code = said
    },
  }
  try {
    await programOf(context, version).parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return codeOf(error)
    const { report } = await import('./report.js')
    return report(error, surroundings)
  }
}

function programOf(context: Context, version: string): Command {
  const { stdout, stderr } = context.surroundings
  const program = new Command('authstate')
  program
    .description(
      'the state of an authentication server: the health of its Redis, signed-in users, locked-out users, the configuration',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => stdout.columns,
      getErrHelpWidth: () => stderr.columns,
    })
    .addHelpText(
      'after',
      `
Ends with 0 done, 1 findings, 2 wrong use, 3 a wrong name or configuration, 4 Redis is away, 5 nothing matched,
6 refused without --yes, 130 interrupted.`,
    )
  addDoctor(program, context)
  addHealth(program, context)
  addSessions(program, context)
  addFailures(program, context)
  addTokens(program, context)
  addOthers(program, context)
  addSites(program, context)
  addAudit(program, context)
  addSize(program, context)
  addLoad(program, context)
  addConfig(program, context)
  addConformance(program, context)
  addCompletion(program, context)
  exitNowhere(program)
  return program
}

/** A command throws instead of ending the process. Each command has to be configured for that. */
function exitNowhere(command: Command): void {
  const names =
    command.commands.length > 0
      ? command.commands.map((sub) => sub.name())
      : command.options.map(({ long, flags }) => long ?? flags)
  command.exitOverride().showHelpAfterError(`(Known: ${names.join(', ')}. --help explains them.)`)
  for (const sub of command.commands) exitNowhere(sub)
}

/** What to end with when commander has said what there is to say. */
function codeOf({ code, exitCode }: CommanderError): ExitCode {
  if (SHOWN.includes(code)) return exitCode === 0 ? EXIT.done : EXIT.usage
  return MISSPELT.includes(code) ? EXIT.configuration : EXIT.usage
}
