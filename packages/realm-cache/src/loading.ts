import { AsyncLocalStorage } from 'node:async_hooks'
import { LoaderTimeoutError } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { Loader } from './contract.js'

const inside = new AsyncLocalStorage<Load>()
let running = 0

/** One load of a key, from the moment when somebody asks for it. */
export class Load {
  readonly owner: object
  readonly key: string
  /** The load whose loader asks for it. */
  readonly outer = inside.getStore()
  /** Loads that this one cannot end without. */
  readonly awaits = new Set<Load>()
  /** Its loader is at work. */
  isRunning = false

  constructor(owner: object, key: string) {
    this.owner = owner
    this.key = key
  }

  /** Whether this load waits for another one, over however many. */
  needs(other: Load): boolean {
    if (this === other) return true
    for (const awaited of this.awaits) if (awaited.needs(other)) return true
    return false
  }
}

/** Whether the caller is, however deep, the loader of this very key: waiting for it would be waiting for itself. */
export function isInsideLoad(owner: object, key: string): boolean {
  for (let load = inside.getStore(); load !== undefined; load = load.outer) {
    if (load.isRunning && load.owner === owner && load.key === key) return true
  }
  return false
}

/**
 * Waits for a load. Where the caller is a loader itself, it is noted that its load needs this one.
 *
 * @throws {TypeError} at once, where this load needs the caller's: the two would wait for each other for ever
 */
export async function waitFor<T>(load: Load, answer: () => Promise<T>): Promise<T> {
  const caller = inside.getStore()
  if (!caller?.isRunning) return answer()
  if (load.needs(caller)) throw new TypeError('"load" must not need a key whose loader needs this one')
  caller.awaits.add(load)
  try {
    return await answer()
  } finally {
    caller.awaits.delete(load)
  }
}

/**
 * Calls a loader, with a deadline. `null` becomes `undefined`.
 *
 * @throws {LoaderTimeoutError} the loader took too long; its signal is aborted and what it returns is dropped
 */
export async function callLoader<T>(
  load: Load,
  loader: Loader<T>,
  timeoutMs: number,
): Promise<T | undefined> {
  const abort = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = timers.setTimeout(() => {
      const error = new LoaderTimeoutError(
        `realm-cache.get: the loader of the application gave no answer within ${timeoutMs} ms`,
      )
      abort.abort(error)
      reject(error)
    }, timeoutMs)
    timer.unref()
  })
  running += 1
  load.isRunning = true
  try {
    const loaded = inside.run(load, async () => loader({ key: load.key, signal: abort.signal }))
    return (await Promise.race([loaded, deadline])) ?? undefined
  } finally {
    timers.clearTimeout(timer)
    load.isRunning = false
    load.awaits.clear()
    running -= 1
    // Node 20 watches every promise of the process while somebody keeps track: only while there is something to track.
    if (running === 0) inside.disable()
  }
}
