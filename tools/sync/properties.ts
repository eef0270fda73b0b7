import type { AnyProviderFactory, Service } from '@authstate/spi'
import { type Changes, table } from './changes.js'
import { type Comment, commentsOfProperties } from './source.js'

const PAGE = 'docs/configuration.md'
/** Where a package's schema is. */
const SCHEMAS = ['config.ts', 'options.ts']

interface Written {
  readonly default?: unknown
}

/** The table of properties of each service, from its schemas: words from the comments, defaults from the JSON Schema. */
export async function propertyTables(changes: Changes, services: readonly Service[]): Promise<void> {
  for (const service of services) {
    const name = `properties of ${service.name}`
    const stores = await storesOf(service)
    if ([...stores.values()].every((properties) => properties.size === 0)) continue
    const lines = table(
      ['property', 'what', 'default'],
      rowsOf(service.name, stores, commentsOf(changes, service)),
    )
    changes.addPlace(PAGE, name, `### ${service.name}`, '## Settings of a realm')
    changes.fill(PAGE, name, lines)
    const readme = `packages/${service.name}/README.md`
    if (changes.hasPlace(readme, name)) changes.fill(readme, name, lines)
  }
}

/** By id of the store, what its schema lists. */
async function storesOf({ stores }: Service): Promise<Map<string, Map<string, Written>>> {
  const loaded = await Promise.all(Object.values(stores).map((load) => load()))
  return new Map(loaded.map((factory) => [factory.id, writtenBy(factory)]))
}

function writtenBy({ config }: AnyProviderFactory): Map<string, Written> {
  const standard = config?.['~standard'] as
    | { jsonSchema?: { input(options: object): { properties?: object } } }
    | undefined
  const options = { target: 'draft-2020-12', libraryOptions: { errorMode: 'ignore' } }
  return new Map(Object.entries(standard?.jsonSchema?.input(options).properties ?? {}))
}

function commentsOf(changes: Changes, { name }: Service): Map<string, Comment> {
  const texts = SCHEMAS.map((file) => changes.text(`packages/${name}/src/${file}`))
  return commentsOfProperties(texts.join('\n'))
}

function rowsOf(
  service: string,
  stores: ReadonlyMap<string, ReadonlyMap<string, Written>>,
  comments: ReadonlyMap<string, Comment>,
): string[][] {
  const names = new Set([...stores.values()].flatMap((properties) => [...properties.keys()]))
  const order = [...comments.keys()]
  return [...names]
    .toSorted((a, b) => order.indexOf(a) - order.indexOf(b))
    .map((name) => {
      const comment = comments.get(name)
      if (!comment?.text) throw new Error(`${service}: the property "${name}" has no comment in its schema`)
      const having = [...stores].filter(([, properties]) => properties.has(name))
      const only =
        having.length === stores.size ? '' : ` Only in ${having.map(([id]) => `\`${id}\``).join(', ')}.`
      return [`\`${name}\``, comment.text + only, defaultOf(having[0]?.[1].get(name), comment)]
    })
}

function defaultOf(written: Written | undefined, { whenAbsent = '' }: Comment): string {
  const value = written?.default
  if (value === undefined) return whenAbsent
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}
