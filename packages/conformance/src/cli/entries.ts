import type { Provider, Spi } from '@authstate/spi'
import { knownNames, quote } from '@authstate/spi/internal'
import { DESCRIPTION, type ProviderDescription, providerTarget } from '../provider-target.js'
import { levels, type Suite } from '../suite.js'
import type { Target } from '../target.js'
import { UsageError } from './usage-error.js'

/** What a module under test exports: a provider as {@link ProviderDescription} has it, or a ready target. */
export type ConformanceEntry = {
  /** An SPI, or its name: then the suite comes from `@authstate/<name>/conformance` as the module would import it. */
  readonly spi: Spi | string
  /** The suite, for an SPI of one's own. */
  // biome-ignore lint/suspicious/noExplicitAny: suites of every SPI
  readonly suite?: Suite<any> | undefined
} & (
  | Omit<ProviderDescription, 'spi'>
  // biome-ignore lint/suspicious/noExplicitAny: targets of every SPI
  | { readonly target: Target<any> }
)

/** An entry that was checked. */
export interface CheckedEntry {
  readonly spi: string
  readonly name: string
  readonly suite: Suite<Provider> | undefined
  target(spi: Spi): Target<Provider>
}

const KNOWN = [...Object.keys(DESCRIPTION), 'suite', 'target']

/**
 * The entries that a module exports as `targets` or as its default.
 *
 * @throws {UsageError} naming what is wrong with them
 */
export function readEntries(exported: unknown): CheckedEntry[] {
  const { targets, default: fallback } = (exported ?? {}) as { targets?: unknown; default?: unknown }
  // A CommonJS module arrives as the default of a module.
  const common = (fallback as { targets?: unknown } | undefined)?.targets
  const given = targets ?? common ?? fallback
  if (given === undefined) throw new UsageError('the module has neither a default export nor "targets"')
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  if (list.length === 0) throw new UsageError('the module describes no provider: its list is empty')
  return list.map((item, index) => readEntry(item, Array.isArray(given) ? `entry ${index + 1}` : 'the entry'))
}

function readEntry(given: unknown, where: string): CheckedEntry {
  const wrong = (what: string): never => {
    throw new UsageError(`${where} of the module: ${what}`)
  }
  if (typeof given !== 'object' || given === null) return wrong('must be an object')
  for (const name of Object.keys(given)) {
    if (!KNOWN.includes(name)) wrong(`has no property ${quote(name)}. ${knownNames(name, KNOWN)}`)
  }
  const entry = given as Record<string, unknown>
  const spi = spiNameOf(entry['spi']) ?? wrong('"spi" must be an SPI or the name of one')
  const suite = isSuite(entry['suite']) ? entry['suite'] : undefined
  if (suite === undefined && entry['suite'] !== undefined) wrong('"suite" must come from defineSuite')
  if (suite !== undefined && suite.spi.name !== spi) wrong(`"suite" is one of ${quote(suite.spi.name)}`)
  const { target, leaveOut, nodes } = entry
  if (leaveOut !== undefined && !isRecord(leaveOut)) wrong('"leaveOut" must be an object of reasons')
  if (nodes !== undefined && nodes !== 'one' && nodes !== 'many') wrong(`"nodes" must be 'one' or 'many'`)
  if (target !== undefined) {
    if (!isTarget(target)) return wrong('"target" must be a target, such as redisTarget() gives')
    return { spi, suite, name: target.name, target: () => target }
  }
  const { name, factories } = entry
  if (typeof name !== 'string' || name === '') return wrong('"name" must be a text, such as \'sqlite\'')
  if (!isFactories(factories)) return wrong('"factories" must be a list of provider factories')
  const made = spisOf(factories)
  if (made !== undefined && !made.includes(spi)) {
    wrong(
      `none of its "factories" makes a provider of ${quote(spi)}: they are of ${made.map(quote).join(', ')}`,
    )
  }
  // The suite and the target are the entry's own.
  const described = Object.entries(entry).filter(([property]) => Object.hasOwn(DESCRIPTION, property))
  const description = Object.fromEntries(described) as unknown as Omit<ProviderDescription, 'spi'>
  return {
    spi,
    name,
    suite,
    target: (token) => providerTarget({ ...description, spi: token }),
  }
}

function spiNameOf(spi: unknown): string | undefined {
  const name = isRecord(spi) ? spi['name'] : spi
  return typeof name === 'string' && /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) ? name : undefined
}

export function isSuite(value: unknown): value is Suite<Provider> {
  if (!isRecord(value) || !Array.isArray(value['cases']) || !isRecord(value['properties'])) return false
  return (
    spiNameOf(value['spi']) !== undefined &&
    value['cases'].every(
      (item) =>
        isRecord(item) && typeof item['run'] === 'function' && levels.includes(item['level'] as never),
    )
  )
}

function isTarget(value: unknown): value is Target<Provider> {
  return isRecord(value) && typeof value['open'] === 'function' && typeof value['name'] === 'string'
}

function isFactories(value: unknown): boolean {
  if (typeof value === 'function') return true
  return Array.isArray(value) && value.every((item) => isRecord(item) && typeof item['create'] === 'function')
}

/** What providers they make; `undefined` where that can only be seen when a case runs. */
function spisOf(factories: unknown): string[] | undefined {
  const list = Array.isArray(factories) ? (factories as readonly unknown[]) : []
  const names = list.map((item) => (isRecord(item) ? spiNameOf(item['spi']) : undefined))
  return names.length > 0 && names.every((name) => name !== undefined) ? names : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
