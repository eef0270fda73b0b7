import { assertFunction, describedSchema, type ProviderFactory } from '@authstate/spi'
import { AuditLog } from './audit-log.js'
import { type AuditConfig, functionAuditConfig } from './config.js'
import { type AuditLine, type AuditProvider, auditSpi } from './contract.js'
import { SECRETS, USES } from './factory.js'

/**
 * Takes lines, in their order. What it resolved for is kept; where it rejects, or takes longer than `timeoutMs`, the same lines
 * come again.
 *
 * @param signal Aborted when the result is not needed any more: another call may begin.
 */
export type TakeLines = (lines: readonly AuditLine[], signal: AbortSignal) => unknown

/**
 * Hands lines to a function of yours: to a queue, to a log collector, to a table. Nothing is read back from it.
 *
 * @throws {TypeError} it is no function
 */
export function functionAudit(take: TakeLines): ProviderFactory<AuditProvider, AuditConfig> {
  assertFunction(take, 'take')
  return {
    spi: auditSpi,
    id: 'function',
    uses: USES,
    secrets: SECRETS,
    config: describedSchema(functionAuditConfig),
    create: (context, config) =>
      new AuditLog(context, config, {
        append: async (lines, signal) => {
          await take(lines, signal)
        },
      }),
  }
}
