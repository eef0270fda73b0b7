import type { RedisCommand } from 'authstate/redis'

/** What OpenTelemetry's conventions for databases call the parts of a command. */
export function attributesOf(command: RedisCommand): Readonly<Record<string, string>> {
  const { operation, attempt, outcome, replyCode } = command
  const error = outcome === undefined || outcome === 'ok' ? undefined : (replyCode ?? outcome)
  return {
    'db.system.name': 'redis',
    'db.operation.name': command.command,
    ...(attempt !== undefined && { 'db.stored_procedure.name': operation }),
    ...(replyCode !== undefined && { 'db.response.status_code': replyCode }),
    ...(error !== undefined && { 'error.type': error }),
    ...serverOf(command.target),
  }
}

/** Of `'host:port'`. A Cluster and a socket of the file system have no one address. */
function serverOf(target: string): Readonly<Record<string, string>> {
  const at = target.lastIndexOf(':')
  return at < 0 ? {} : { 'server.address': target.slice(0, at), 'server.port': target.slice(at + 1) }
}
