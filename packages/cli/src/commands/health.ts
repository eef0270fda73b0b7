import type { Command } from 'commander'
import { openState } from '../configuration.js'
import { EXIT } from '../exit-codes.js'
import { jsonOf, painter, plain } from '../output.js'
import { type CommonOptions, type Context, withDeployment, withJson } from './context.js'

const ASKED = ['user-session', 'auth-session', 'action-token', 'web-session', 'login-failure']

/** `authstate health` */
export function addHealth(program: Command, context: Context): void {
  withJson(withDeployment(program.command('health')))
    .description('start each service that keeps records, and ask whether it can serve')
    .addHelpText('after', '\nEnds with 0 when all can, 1 when one cannot, 4 when Redis is away.')
    .action(async (options: CommonOptions) => {
      const { surroundings } = context
      const { state } = await openState(options, surroundings, ASKED)
      try {
        const health = await state.health()
        const paint = painter(surroundings, surroundings.stdout)
        const lines = health.providers.flatMap(({ spi, provider, ok, latencyMs, error, warnings = [] }) => [
          `${paint(ok ? 'green' : 'red', ok ? 'ok  ' : 'FAIL')}  ${spi} (${provider})  ${latencyMs.toFixed(1)} ms${error === undefined ? '' : `  ${plain(error)}`}`,
          ...warnings.map((warning) => `      ${paint('yellow', 'warn')}  ${plain(warning)}`),
        ])
        surroundings.stdout.write(options.json ? jsonOf(health) : `${lines.join('\n')}\n`)
        if (!health.ok) context.end(EXIT.findings)
      } finally {
        await state.close()
      }
    })
}
