import type { Catalog, CatalogEntry } from './catalog.js'
import { type Environment, type RegistryConfig, readSettings } from './config.js'
import { neighbours } from './order.js'
import { type Selection, select } from './selection.js'
import { isEmpty } from './settings.js'

/**
 * Loads the stores that a configuration wants: those that are selected, what these ask for, and those that it gives
 * properties. Where it has a mistake every store is loaded, so that the error can say all that is known.
 */
export async function loadWanted(
  catalog: Catalog,
  config: RegistryConfig | string | undefined,
  env: Environment | undefined,
): Promise<void> {
  for (;;) {
    const mistakes: string[] = []
    const selections = select(catalog, readSettings(catalog, config, env, mistakes), mistakes)
    const wanted = mistakes.length > 0 ? everyStore(catalog) : wantedStores(selections)
    if (wanted.length === 0) return
    // Several may ask for one store, such as for the connection.
    const each = new Map(wanted.map((store) => [`${store[0].spi.name}/${store[1]}`, store]))
    await Promise.all([...each.values()].map(([entry, id]) => load(entry, id)))
  }
}

type Store = readonly [entry: CatalogEntry, id: string]

async function load(entry: CatalogEntry, id: string): Promise<void> {
  const loader = entry.unloaded.get(id)
  if (loader !== undefined) entry.put(id, await loader())
}

function everyStore(catalog: Catalog): Store[] {
  return [...catalog.values()].flatMap((entry) => [...entry.unloaded.keys()].map((id): Store => [entry, id]))
}

function wantedStores(selections: ReadonlyMap<string, Selection>): Store[] {
  const wanted = [...selections.values()].flatMap(({ entry, section, meant, factory, wanted }): Store[] => {
    const ids = new Set(section?.nested.keys())
    if (meant !== undefined && (wanted || !isEmpty(section))) ids.add(meant.id)
    const needed = wanted && factory !== undefined ? neighbours(factory) : []
    return [
      ...[...ids].map((id): Store => [entry, id]),
      ...needed.flatMap(({ name }): Store[] => {
        const other = selections.get(name)
        return other?.factory === undefined ? [] : [[other.entry, other.factory.id]]
      }),
    ]
  })
  return wanted.filter(([entry, id]) => entry.unloaded.has(id))
}
