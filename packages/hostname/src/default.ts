import { describedSchema, type ProviderFactory } from '@authstate/spi'
import { assertNoProperties } from '@authstate/spi/internal'
import { type HostnameConfig, hostnameConfig } from './config.js'
import { ConfiguredUrls } from './configured-urls.js'
import { type HostnameProvider, hostnameSpi } from './contract.js'
import { Hostnames } from './hostnames.js'

/** URLs as the configuration says, per realm where a realm has its own. */
export function defaultHostname(): ProviderFactory<HostnameProvider, HostnameConfig>
export function defaultHostname(...given: unknown[]): ProviderFactory<HostnameProvider, HostnameConfig> {
  assertNoProperties(given, 'defaultHostname', hostnameSpi, 'default')
  return {
    spi: hostnameSpi,
    id: 'default',
    config: describedSchema(hostnameConfig),
    create: (context, config) => new Hostnames(context, config, new ConfiguredUrls(config)),
  }
}
