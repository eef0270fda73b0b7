import { type AnyProviderFactory, ConfigurationError } from '@authstate/spi'
import { quote } from '@authstate/spi/internal'
import type { Catalog } from './catalog.js'
import { type Environment, type RegistryConfig, readSettings } from './config.js'
import { startOrder } from './order.js'
import { type Accepted, validateProperties } from './schema.js'
import { type Selection, select } from './selection.js'
import { assemble, type Properties } from './settings.js'

/** What the configuration comes to, before any schema has been asked. */
export interface Plan {
  readonly selections: ReadonlyMap<string, Selection>
  /** What to start, in this order. */
  readonly order: readonly AnyProviderFactory[]
  /** Properties of the selected providers, by SPI. */
  readonly properties: ReadonlyMap<string, Properties>
  /** Sections that are checked and not used. */
  readonly unused: readonly { readonly factory: AnyProviderFactory; readonly properties: Properties }[]
  readonly mistakes: readonly string[]
}

/** Reads, selects and orders. What is wrong is in `mistakes`; the rest is as far as it could be made out. */
export function createPlan(
  catalog: Catalog,
  config: RegistryConfig | string | undefined,
  env: Environment | undefined,
): Plan {
  const mistakes: string[] = []
  const selections = select(catalog, readSettings(catalog, config, env, mistakes), mistakes)
  const order = startOrder(selections, mistakes)
  const properties = new Map<string, Properties>()
  const unused: { factory: AnyProviderFactory; properties: Properties }[] = []
  for (const [name, { entry, section, meant, reason }] of selections) {
    const place = section?.place ?? `spi.${name}`
    const nested = meant && section?.nested.get(meant.id)
    if (meant) properties.set(name, assemble([...(section?.own ?? []), ...(nested ?? [])], place, mistakes))
    else if (section && reason !== 'configured') {
      for (const setting of section.own) {
        mistakes.push(
          `${setting.place}: no provider of ${quote(name)} is selected that could have this property`,
        )
      }
    }
    for (const [id, settings] of section?.nested ?? []) {
      const factory = entry.factories.get(id)
      if (!factory || factory === meant) continue
      unused.push({ factory, properties: assemble(settings, `${place}.${id}`, mistakes) })
    }
  }
  return { selections, order, properties, unused, mistakes }
}

/**
 * Asks the schemas.
 *
 * @returns What each provider that will be started gets, by SPI.
 * @throws {ConfigurationError} naming every mistake, those of the plan first.
 */
export async function validatePlan(plan: Plan): Promise<ReadonlyMap<string, Accepted>> {
  const mistakes = [...plan.mistakes]
  const accepted = new Map<string, Accepted>()
  const started = new Set(plan.order)
  for (const { factory, properties } of plan.unused) await validateProperties(factory, properties, mistakes)
  for (const [name, { meant, section }] of plan.selections) {
    const properties = plan.properties.get(name)
    if (!meant || !properties) continue
    if (started.has(meant)) {
      const result = await validateProperties(meant, properties, mistakes)
      if (result) accepted.set(name, result)
    } else if (section && Object.keys(properties.values).length > 0) {
      await validateProperties(meant, properties, mistakes, false)
    }
  }
  throwIfMistaken(mistakes)
  return accepted
}

/** @throws {ConfigurationError} there is a mistake; the message names them all. */
export function throwIfMistaken(mistakes: readonly string[]): void {
  const [first, ...others] = new Set(mistakes)
  if (first === undefined) return
  if (others.length === 0) throw new ConfigurationError(first)
  const list = [first, ...others].map((mistake) => `\n- ${mistake}`).join('')
  throw new ConfigurationError(`${others.length + 1} mistakes in the configuration:${list}`)
}
