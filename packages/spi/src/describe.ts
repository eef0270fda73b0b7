import { type JsonSchema, jsonSchemaOf, propertiesOf } from './json-schema.js'
import { isPlainObject } from './plain.js'
import type { Plan } from './plan.js'
import type { AnyProviderFactory, NodeIdentity } from './provider.js'
import type { Accepted } from './schema.js'
import type { SelectionReason } from './selection.js'
import type { Origin, Properties } from './settings.js'

/** What the registry made of its configuration, fit for a log: it holds no secrets and is plain data. */
export interface Description {
  readonly node: NodeIdentity
  /** By name of the SPI. */
  readonly spis: Readonly<Record<string, SpiDescription>>
}

/** Who provides an SPI, why, and with which properties. */
export interface SpiDescription {
  /** Id of the provider; absent when nobody provides the SPI. */
  readonly selected?: string
  readonly reason: SelectionReason
  /** Whether the provider is running now. */
  readonly started: boolean
  /** Ids of all providers of this SPI. */
  readonly known: readonly string[]
  /** Of the selected provider, by name. */
  readonly properties: Readonly<Record<string, PropertyDescription>>
}

/** A property of a provider, and who set it. */
export interface PropertyDescription {
  /** As the provider got it, or, before the start, as given. Secrets are `'***'`. */
  readonly value: unknown
  readonly origin: Origin | 'default'
}

const SECRET_NAME = /pass|secret|token|key(s|ring)?$|credential/i
const MASK = '***'

export function describePlan(
  plan: Plan,
  accepted: ReadonlyMap<string, Accepted>,
  started: ReadonlySet<string>,
  node: NodeIdentity,
): Description {
  const spis = [...plan.selections].map(([name, { entry, factory, reason }]): [string, SpiDescription] => [
    name,
    {
      ...(factory && { selected: factory.id }),
      reason,
      started: started.has(name),
      known: [...entry.factories.keys()],
      properties: factory ? describeProperties(factory, plan.properties.get(name), accepted.get(name)) : {},
    },
  ])
  return { node, spis: Object.fromEntries(spis) }
}

function describeProperties(
  factory: AnyProviderFactory,
  properties: Properties | undefined,
  accepted: Accepted | undefined,
): Record<string, PropertyDescription> {
  const listed = propertiesOf(jsonSchemaOf(factory))
  const defaults = [...listed]
    .filter(([, schema]) => 'default' in schema)
    .map(([name, { default: value }]) => [name, value])
  const values: Record<string, unknown> = {
    ...Object.fromEntries(defaults),
    ...properties?.values,
    ...accepted?.values,
    ...(isPlainObject(accepted?.output) ? accepted.output : {}),
  }
  const described = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]): [string, PropertyDescription] => {
      const secret = factory.secrets?.includes(name) === true
      return [
        name,
        {
          value: secret ? MASK : masked(name, value, listed.get(name), new Set()),
          origin: properties?.originOf(name) ?? 'default',
        },
      ]
    })
  return Object.fromEntries(described)
}

/** `value` as plain data without secrets. */
function masked(
  name: string,
  value: unknown,
  schema: JsonSchema | undefined,
  above: ReadonlySet<unknown>,
): unknown {
  if (value === null || value === undefined) return value
  if (SECRET_NAME.test(name) || schema?.['secret'] === true) return MASK
  if (typeof value === 'string') return withoutPassword(value)
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (typeof value !== 'object') return `[${typeof value}]`
  if (above.has(value)) return '[circular]'
  const here = new Set(above).add(value)
  if (Array.isArray(value)) {
    const items = isPlainObject(schema?.['items']) ? schema['items'] : undefined
    return value.map((item) => masked('', item, items, here))
  }
  if (!isPlainObject(value)) return '[object]'
  const listed = propertiesOf(schema)
  return Object.fromEntries(
    Object.entries(value).map(([key, below]) => [key, masked(key, below, listed.get(key), here)]),
  )
}

// Up to the last `@`: a password pasted in without being escaped may hold any character, `@` and `/` included.
function withoutPassword(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^:@/?#]*:).*@/gis, `$1${MASK}@`)
    .replace(/([?&][^=&]*(?:pass|secret|token|key|credential)[^=&]*=)[^&#]*/gi, `$1${MASK}`)
}
