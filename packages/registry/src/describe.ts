import type { AnyProviderFactory, NodeIdentity } from '@authstate/spi'
import { isPlainObject } from '@authstate/spi/internal'
import { jsonSchemaOf, propertiesOf } from './json-schema.js'
import { neighbours } from './order.js'
import type { Plan } from './plan.js'
import { type Accepted, refusedProperties } from './schema.js'
import { MASK, masked } from './secrets.js'
import type { SelectionReason } from './selection.js'
import type { Origin, Properties } from './settings.js'

/** What the registry made of its configuration, fit for a log: it holds no secrets and is plain data. */
export interface Description {
  readonly node: NodeIdentity
  /** By name of the SPI. */
  readonly spis: Readonly<Record<string, SpiDescription>>
}

/** The provider of an SPI, why it was selected, and its properties. */
export interface SpiDescription {
  /** Id of the provider; absent if the SPI has none. */
  readonly selected?: string
  readonly reason: SelectionReason
  /** SPIs whose selected provider depends on this one or uses it. */
  readonly neededBy: readonly string[]
  /** Whether the provider is running now. */
  readonly started: boolean
  /** Ids of all providers of this SPI. */
  readonly known: readonly string[]
  /** Of the selected provider, by name. */
  readonly properties: Readonly<Record<string, PropertyDescription>>
}

/** A property of a provider, and who set it. */
export interface PropertyDescription {
  /** As the provider got it, or, before the start, as given. Secrets, and values that the schema refuses, are `'***'`. */
  readonly value: unknown
  readonly origin: Origin | 'default'
}

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
      neededBy: plan.order
        .filter((other) => neighbours(other).some((spi) => spi.name === name))
        .map((other) => other.spi.name),
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
  const schema = jsonSchemaOf(factory)
  const listed = propertiesOf(schema)
  const defaults = [...listed]
    .filter(([, schema]) => 'default' in schema)
    .map(([name, { default: value }]) => [name, value])
  const values: Record<string, unknown> = {
    ...Object.fromEntries(defaults),
    ...properties?.values,
    ...accepted?.values,
    ...(isPlainObject(accepted?.output) ? accepted.output : {}),
  }
  // What was not accepted may stand in the wrong place: a password where a number belongs.
  const refused =
    accepted === undefined && properties ? refusedProperties(factory, properties) : new Set<string>()
  const schemasOf = (name: string) => [listed.get(name) ?? []].flat()
  const described = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]): [string, PropertyDescription] => {
      const secret = factory.secrets?.includes(name) === true
      return [
        name,
        {
          value: secret || refused.has(name) ? MASK : masked(name, value, schemasOf(name), schema),
          origin: properties?.originOf(name) ?? 'default',
        },
      ]
    })
  return Object.fromEntries(described)
}
