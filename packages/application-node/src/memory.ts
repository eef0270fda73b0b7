import { httpClientSpi } from '@authstate/http-client'
import { describedSchema, type ProviderFactory } from '@authstate/spi'
import { ApplicationNodes } from './application-nodes.js'
import { type ApplicationNodeConfig, applicationNodeConfig } from './config.js'
import { type ApplicationNodeProvider, applicationNodeSpi } from './contract.js'
import { MemoryStore } from './memory-store.js'
import { type ApplicationNodeOptions, checkOptions } from './options.js'
import { applicationNodeService } from './service.js'

/**
 * Keeps nodes and messages in this process. They are lost with it and not shared.
 *
 * @param options What the application knows: its clients, and how to sign for them.
 * @throws {TypeError} an option is none
 */
export function memoryApplicationNodes(
  options: ApplicationNodeOptions,
): ProviderFactory<ApplicationNodeProvider, ApplicationNodeConfig> {
  checkOptions(options)
  return {
    spi: applicationNodeSpi,
    id: 'memory',
    dependsOn: [httpClientSpi],
    config: describedSchema(applicationNodeConfig),
    service: applicationNodeService,
    create: (context, config) => new ApplicationNodes(context, config, options, new MemoryStore()),
  }
}
