import { assertFunction, assertKnown, assertName, assertNames, type Known } from '@authstate/spi'
import type { GetOptions, Invalidation } from './contract.js'
import type { Invalidated } from './rules.js'

const GET: Known<GetOptions<unknown>> = { tags: true, ttlMs: true, isCurrent: true }
const INVALIDATION: Known<Extract<Invalidation, { readonly tag: unknown }>> = { tag: true, keys: true }

/** @throws {TypeError} it is neither a key, nor keys, nor tags */
export function checkInvalidation(what: Invalidation): Invalidated {
  if (typeof what === 'string') {
    assertName(what, 'key')
    return { keys: [what], tags: [] }
  }
  if (Array.isArray(what)) return { keys: checkNames(what, 'keys'), tags: [] }
  assertKnown(what, 'keys', INVALIDATION)
  const { tag, keys = [] } = what as { tag?: unknown; keys?: unknown }
  return { keys: checkNames(keys, 'keys'), tags: checkNames(typeof tag === 'string' ? [tag] : tag, 'tag') }
}

export function checkNames(value: unknown, name: string): readonly string[] {
  assertNames(value, name)
  return value
}

/** Every load starts here. */
export function checkGet(key: unknown, load: unknown, options: unknown): void {
  assertName(key, 'key')
  assertFunction(load, 'load')
  if (options === undefined) return
  assertKnown(options, 'options', GET)
  const { tags, ttlMs, isCurrent } = options
  if (tags !== undefined && typeof tags !== 'function') assertNames(tags, 'tags')
  if (ttlMs !== undefined && typeof ttlMs !== 'function') checkTtl(ttlMs)
  if (isCurrent !== undefined) assertFunction(isCurrent, 'isCurrent')
}

/** @throws {TypeError} it is no number */
export function checkTtl(ttlMs: unknown): number {
  if (typeof ttlMs !== 'number' || Number.isNaN(ttlMs)) {
    throw new TypeError('"ttlMs" must be a number of milliseconds, or a function that gives one')
  }
  return ttlMs
}
