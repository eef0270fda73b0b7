import { RecordingLogger } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import { onTestFinished } from 'vitest'
import {
  type HttpClientProvider,
  httpClientSpi,
  type UndiciHttpClientOptions,
  undiciHttpClient,
} from '../src/index.js'

/** A client with properties; it is closed when the test is over. */
export async function httpClient(
  properties: object,
  options: UndiciHttpClientOptions = {},
  logger = new RecordingLogger(),
): Promise<HttpClientProvider> {
  const registry = createProviderRegistry({
    factories: [undiciHttpClient({ env: {}, ...options })],
    config: { spi: { 'http-client': { ...properties } } },
    logger,
  })
  onTestFinished(() => registry.close())
  await registry.start()
  return registry.get(httpClientSpi)
}

/** What a request fails with; the status where it does not. */
export async function outcomeOf(request: Promise<{ readonly status: number }>): Promise<string> {
  return request.then(
    ({ status }) => String(status),
    (error: { code?: string; sent?: string; name: string }) => `${error.code ?? error.name} ${error.sent}`,
  )
}
