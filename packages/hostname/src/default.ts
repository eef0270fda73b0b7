import { describedSchema, type ProviderFactory } from '@authstate/spi'
import { type HostnameConfig, hostnameConfig } from './config.js'
import { ConfiguredUrls } from './configured-urls.js'
import { type HostnameProvider, hostnameSpi } from './contract.js'
import { Hostnames } from './hostnames.js'

/** URLs as the configuration says, per realm where a realm has its own. */
export function defaultHostname(): ProviderFactory<HostnameProvider, HostnameConfig> {
  return {
    spi: hostnameSpi,
    id: 'default',
    config: describedSchema(hostnameConfig),
    create: (context, config) => new Hostnames(context, config, new ConfiguredUrls(config)),
  }
}
