import type { Command } from 'commander'
import { type CommonOptions, type Context, withDeployment, withJson } from './context.js'

const load = () => import('../actions/audit.js')

export interface AuditOptions extends CommonOptions {
  readonly since?: string
  readonly realm?: string
  readonly user?: string
  readonly event?: readonly string[]
  readonly only?: string
  readonly jsonl?: boolean
}

export interface TailOptions extends AuditOptions {
  readonly lines?: string
  readonly follow?: boolean
}

/** `authstate audit` */
export function addAudit(program: Command, context: Context): void {
  const audit = program.command('audit').description('which actor did what, and how records changed')
  filtered(withJson(withDeployment(audit.command('tail'))))
    .description('show the last lines, the oldest of them first')
    .option('-n, --lines <count>', 'how many, 1 to 1000', '20')
    .option('-f, --follow', 'go on with lines as they come')
    .action((options: TailOptions) => load().then(({ tail }) => tail(context, options)))
  filtered(withJson(withDeployment(audit.command('export'))))
    .description('print all lines, the oldest first: one JSON object in each line, or with --json one object')
    .action((options: AuditOptions) => load().then(({ exportLines }) => exportLines(context, options)))
}

const filtered = (command: Command): Command =>
  command
    .option('--since <when>', 'written since then: 90m, 24h, 7d, or 2026-11-29T09:00:00Z')
    .option('--realm <realm>', 'of this realm')
    .option('-u, --user <id>', 'about this user of the realm')
    .option('--event <event...>', 'only these events, or what stands before their dot: session')
    .option('--only <what>', 'actions: what people did; trail: what became of records')
    .option('--jsonl', 'print one JSON object in each line')
