/**
 * A configuration before anything is started: whether it can work, and what can be said in it. For tools that check, explain
 * or change it.
 *
 * @module
 */
import { type Description, type JsonSchema, schemaOf } from '@authstate/registry'
import type { AnyProviderFactory, Service } from '@authstate/spi'
import type { AuthStateConfig } from './config.js'
import { checkedRegistry } from './create-auth-state.js'
import { services } from './services.js'

export type { Description, JsonSchema } from '@authstate/registry'

/** JSON Schemas of what providers can be given, by name of the SPI and id of the provider. */
export type ConfigurationSchemas = Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>

/**
 * Call it where a configuration file is deployed or changed: it checks the configuration as
 * `createAuthState` does, and starts nothing. It connects to no server, so it does not notice an
 * address without a server.
 *
 * @returns what would be selected, why, and with which properties; holds no secrets
 * @throws {ConfigurationError} naming every mistake: its place, what is known there and what was probably meant
 */
export async function checkConfiguration(config: AuthStateConfig): Promise<Description> {
  return (await checkedRegistry(config)).check()
}

/**
 * The properties of every provider of ours, each as JSON Schema (draft 2020-12): for an editor that completes, or a page that
 * explains. Loads every store once.
 *
 * @param providers Providers of your own, which are listed as well.
 */
export async function configurationSchemas(
  providers: readonly AnyProviderFactory[] = [],
): Promise<ConfigurationSchemas> {
  const described = (services as readonly Service[]).map(async ({ name, stores }) => {
    const ofStores = Object.entries(stores).map(async ([id, load]) => [id, schemaOf(await load()) ?? {}])
    return [name, Object.fromEntries(await Promise.all(ofStores))]
  })
  const schemas = Object.fromEntries(await Promise.all(described))
  for (const factory of providers) {
    const { spi, id } = factory
    schemas[spi.name] = { ...schemas[spi.name], [id]: schemaOf(factory) ?? {} }
  }
  return schemas
}
