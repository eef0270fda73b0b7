import type { CommonOptions, Context } from '../commands/context.js'
import { openState } from '../configuration.js'
import { EXIT } from '../exit-codes.js'
import { jsonOf, painter, plain } from '../output.js'

const ASKED = ['user-session', 'auth-session', 'action-token', 'web-session', 'login-failure']

export async function health(context: Context, options: CommonOptions): Promise<void> {
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
}
