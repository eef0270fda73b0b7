import { describedSchema, type ProviderFactory } from '@authstate/spi'
import { assertNoProperties } from '@authstate/spi/internal'
import { type FixedHostnameConfig, fixedHostnameConfig } from './config.js'
import { type HostnameProvider, hostnameSpi } from './contract.js'
import { originOfRequest } from './forwarded.js'
import { Hostnames } from './hostnames.js'
import { authorityOf, parseBaseUrl } from './rules.js'

/** One URL for everybody and every realm, whatever a request says: for tests, and for a server that has one name. */
export function fixedHostname(): ProviderFactory<HostnameProvider, FixedHostnameConfig>
export function fixedHostname(...given: unknown[]): ProviderFactory<HostnameProvider, FixedHostnameConfig> {
  assertNoProperties(given, 'fixedHostname', hostnameSpi, 'fixed')
  return {
    spi: hostnameSpi,
    id: 'fixed',
    config: describedSchema(fixedHostnameConfig),
    create: (context, config) => {
      const url = parseBaseUrl(config.frontendUrl)
      return new Hostnames(context, config, {
        hasRealmUrls: false,
        urlOf: () => url,
        addressOf: (request) => {
          const { ip, scheme, base } = originOfRequest(request, { kind: 'none', xForwarded: [] }, () => false)
          return { ip, scheme, host: base && authorityOf(base), trusted: false }
        },
      })
    },
  }
}
