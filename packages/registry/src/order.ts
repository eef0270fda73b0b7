import type { AnyProviderFactory, Spi } from '@authstate/spi'
import { quote } from '@authstate/spi/internal'
import type { Selection } from './selection.js'

/**
 * Orders what is to be started: every selected provider that is wanted and whatever those depend on, each after
 * those it depends on and after those it uses.
 *
 * A dependency without a provider is a mistake, and so is a cycle.
 */
export function startOrder(
  selections: ReadonlyMap<string, Selection>,
  mistakes: string[],
): AnyProviderFactory[] {
  const needed = neededOf(selections, mistakes)
  const ordered: AnyProviderFactory[] = []
  const done = new Set<string>()
  const visit = (factory: AnyProviderFactory, chain: readonly string[]): void => {
    const { name } = factory.spi
    if (chain.includes(name)) {
      mistakes.push(
        `a cycle of providers that need one another: ${[...chain.slice(chain.indexOf(name)), name].join(' -> ')}`,
      )
      return
    }
    if (done.has(name)) return
    for (const other of neighbours(factory)) {
      const next = needed.get(other.name)
      if (next) visit(next, [...chain, name])
    }
    if (done.has(name)) return
    done.add(name)
    ordered.push(factory)
  }
  for (const factory of needed.values()) visit(factory, [])
  return ordered
}

/** What a factory says it may ask its context for. */
export function neighbours(factory: AnyProviderFactory): readonly Spi[] {
  return [...(factory.dependsOn ?? []), ...(factory.uses ?? [])]
}

function neededOf(
  selections: ReadonlyMap<string, Selection>,
  mistakes: string[],
): Map<string, AnyProviderFactory> {
  const needed = new Map<string, AnyProviderFactory>()
  const add = (factory: AnyProviderFactory): void => {
    if (needed.has(factory.spi.name)) return
    needed.set(factory.spi.name, factory)
    for (const { name } of factory.dependsOn ?? []) {
      const selection = selections.get(name)
      if (selection?.factory) add(selection.factory)
      else if (selection?.reason !== 'configured') {
        mistakes.push(
          `${factory.spi.name} (provider ${quote(factory.id)}) needs ${quote(name)}, ${whyMissing(selection)}`,
        )
      }
    }
  }
  for (const { factory, wanted } of selections.values()) if (factory && wanted) add(factory)
  return needed
}

function whyMissing(selection: Selection | undefined): string {
  if (!selection) return 'which no factory provides'
  if (selection.reason === 'disabled') return 'which is disabled'
  const ids = [...selection.entry.factories.keys()].map(quote).join(', ')
  return `of which no provider is selected: name one of ${ids}`
}
