import { httpClientSpi } from '@authstate/http-client'
import { redisConnectionSpi } from '@authstate/redis'
import { describedSchema, type ProviderFactory } from '@authstate/spi'
import { ApplicationNodes } from './application-nodes.js'
import { type ApplicationNodeConfig, applicationNodeConfig } from './config.js'
import { type ApplicationNodeProvider, applicationNodeSpi } from './contract.js'
import { type ApplicationNodeOptions, checkOptions } from './options.js'
import { RedisStore } from './redis/redis-store.js'
import { applicationNodeService } from './service.js'

/**
 * Keeps nodes and messages in Redis, shared by every node of the deployment: what one announces, any of them sends.
 *
 * @param options What the application knows: its clients, and how to sign for them. The same on every node.
 * @throws {TypeError} an option is none
 */
export function redisApplicationNodes(
  options: ApplicationNodeOptions,
): ProviderFactory<ApplicationNodeProvider, ApplicationNodeConfig> {
  checkOptions(options)
  return {
    spi: applicationNodeSpi,
    id: 'redis',
    dependsOn: [redisConnectionSpi, httpClientSpi],
    config: describedSchema(applicationNodeConfig),
    service: applicationNodeService,
    create: (context, config) => new ApplicationNodes(context, config, options, new RedisStore(context)),
  }
}

export { announceEndings, type EndingsOptions } from './redis/endings.js'
