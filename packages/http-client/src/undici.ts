import {
  assertFunction,
  assertOptions,
  ConfigurationError,
  describedSchema,
  type Known,
  type ProviderFactory,
} from '@authstate/spi'
import { type HttpClientConfig, httpClientConfig } from './config.js'
import { type HttpClientProvider, httpClientSpi } from './contract.js'
import { HttpRequests } from './http-requests.js'
import { type Resolve, systemResolve } from './look-ups.js'
import { environmentProxies, type ProxyChoice } from './proxies.js'
import { UndiciTransport } from './undici-transport.js'

/** What surrounds the client. */
export interface UndiciHttpClientOptions {
  /** Variables that `useEnvironmentProxy` reads. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Answers the addresses of a name. @default the host system */
  readonly resolve?: Resolve | undefined
}

const OPTIONS: Known<UndiciHttpClientOptions> = { env: true, resolve: true }

/** Sends requests with undici. */
export function undiciHttpClient(
  options: UndiciHttpClientOptions = {},
): ProviderFactory<HttpClientProvider, HttpClientConfig> {
  assertOptions(options, 'options', OPTIONS)
  const { env = process.env, resolve = systemResolve } = options as UndiciHttpClientOptions
  assertFunction(resolve, 'options.resolve')
  return {
    spi: httpClientSpi,
    id: 'undici',
    config: describedSchema(httpClientConfig),
    secrets: ['proxyMappings'],
    create: async (context, config) => {
      const environment = config.useEnvironmentProxy ? proxiesOf(env) : undefined
      const transport = await UndiciTransport.open(config, context.logger, resolve)
      return new HttpRequests(context, config, transport, environment)
    },
  }
}

function proxiesOf(env: Readonly<Record<string, string | undefined>>): ProxyChoice | undefined {
  try {
    return environmentProxies(env)
  } catch (error) {
    throw new ConfigurationError(`http-client: ${(error as Error).message}`)
  }
}
