import { RecordingLogger } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import type { RealmSettingsSource } from '@authstate/spi'
import { onTestFinished } from 'vitest'
import { defaultHostname, type HostnameProvider, hostnameSpi, type RequestBase } from '../src/index.js'

/** A provider with properties; it is closed when the test is over. */
export async function hostname(
  properties: object,
  realms?: RealmSettingsSource,
  logger = new RecordingLogger(),
): Promise<HostnameProvider> {
  const registry = createProviderRegistry({
    factories: [defaultHostname()],
    config: { spi: { hostname: { ...properties } } },
    logger,
    ...(realms && { realms }),
  })
  onTestFinished(() => registry.close())
  await registry.start()
  return registry.get(hostnameSpi)
}

/** A request from a client that says nothing unusual. */
export const requestWith = (parts: Partial<RequestBase> = {}): RequestBase => ({
  scheme: 'http',
  host: 'internal:8080',
  remoteAddress: '10.0.0.9',
  headers: {},
  ...parts,
})
