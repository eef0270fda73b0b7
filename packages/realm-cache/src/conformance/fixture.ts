import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { CacheRegion, GetOptions, RealmCacheProvider } from '../contract.js'

export type Add = SuiteBuilder<RealmCacheProvider>

/** What stands behind a cache: a database that counts how often it is asked. */
export class Source<T = string> {
  readonly rows = new Map<string, T>()
  asked = 0

  /** Reads at the time of the call, as a database does. */
  readonly load = async ({ key }: { readonly key: string }): Promise<T | undefined> => {
    this.asked += 1
    return this.rows.get(key)
  }

  read(region: CacheRegion<T>, key: string, options?: GetOptions<T>): Promise<T | undefined> {
    return region.get(key, this.load, options)
  }
}

/** A loader that waits to be told what it read. */
export interface HeldLoad<T> {
  readonly load: () => Promise<T | undefined>
  /** Resolves once the loader was called. */
  readonly called: Promise<void>
  finish(value: T | undefined): void
  fail(error: Error): void
  readonly calls: number
}

export function heldLoad<T = string>(): HeldLoad<T> {
  let calls = 0
  let wasCalled: () => void = () => {}
  const called = new Promise<void>((resolve) => {
    wasCalled = resolve
  })
  let finish: (value: T | undefined) => void = () => {}
  let fail: (error: Error) => void = () => {}
  const value = new Promise<T | undefined>((resolve, reject) => {
    finish = resolve
    fail = reject
  })
  return {
    load: () => {
      calls += 1
      wasCalled()
      return value
    },
    called,
    finish,
    fail,
    get calls() {
      return calls
    },
  }
}

/** Waits until `look` does not throw any more: what another node does arrives when it arrives. */
export async function eventually(look: () => void | Promise<void>, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs
  for (;;) {
    try {
      return await look()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
}

/** Waits until no region keeps anything but what the source has now. */
export function nothingOld(
  regions: readonly CacheRegion<string>[],
  keys: readonly string[],
  source: Source,
): Promise<void> {
  return eventually(() => {
    for (const region of regions) {
      for (const key of keys) {
        const kept = region.peek(key)
        if (kept !== undefined) assert.equal(kept, source.rows.get(key))
      }
    }
  })
}

/** Holds what a call refuses to what the house says about misuse: a TypeError or RangeError that names the argument. */
export async function refuses(
  argument: string,
  call: () => unknown,
  kind: new () => Error = TypeError,
): Promise<void> {
  await assert.rejects(
    async () => call(),
    (error: Error) => {
      assert.ok(error instanceof kind, `${error.name}: ${error.message}`)
      assert.ok(error.message.includes(`"${argument}`), error.message)
      return true
    },
  )
}
