import { type AuditProvider, auditSpi, fileAudit, memoryAudit } from '@authstate/audit'
import { redisAudit } from '@authstate/audit/redis'
import type { AnyProviderFactory, ProviderFactory } from '@authstate/spi'
import { fold, isPlainObject } from '@authstate/spi/internal'
import type { AuthStateConfig } from 'authstate'

/** Whether a configuration has an audit: a file that is data cannot hold its provider, and names its section. */
export function namesAudit(
  { spi, providers = [] }: AuthStateConfig,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return (
    (isPlainObject(spi) && auditSpi.name in spi) ||
    providers.some((factory) => factory.spi.name === auditSpi.name) ||
    Object.keys(env).some((name) => /^authstate(spi)?audit/.test(fold(name)))
  )
}

/**
 * The providers of a configuration with those of the audit beside them, unless it brings one. The command writes and reads lines; it is
 * no node, so it tells no trail.
 */
export function withAudit(
  providers: readonly AnyProviderFactory[],
  isReadOnly: boolean,
): readonly AnyProviderFactory[] {
  const isAudit = ({ spi }: AnyProviderFactory) => spi.name === auditSpi.name
  const given = providers.filter(isAudit)
  const ours: AnyProviderFactory[] = [memoryAudit(), redisAudit(), fileAudit({ readOnly: isReadOnly })]
  const chosen =
    given.length === 0
      ? ours
      : given.map((of) => (isReadOnly && of.id === 'file' ? fileAudit({ readOnly: true }) : of))
  return [...providers.filter((of) => !isAudit(of)), ...chosen.map(withoutTrail)]
}

function withoutTrail(factory: AnyProviderFactory): AnyProviderFactory {
  const of = factory as ProviderFactory<AuditProvider, { readonly consumer?: string | undefined }>
  return { ...of, create: (context, config) => of.create(context, { ...config, consumer: undefined }) }
}
