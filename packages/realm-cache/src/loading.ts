import { AsyncLocalStorage } from 'node:async_hooks'
import { LoaderTimeoutError, timers } from '@authstate/spi'
import type { Loader } from './contract.js'

/** A load, and the load whose loader asked for it. */
interface Link {
  readonly owner: object
  readonly key: string
  readonly outer: Link | undefined
  running: boolean
}

const loads = new AsyncLocalStorage<Link>()
let running = 0

/** Whether the caller is, however deep, the loader of this very key: waiting for it would be waiting for itself. */
export function isInsideLoad(owner: object, key: string): boolean {
  for (let link = loads.getStore(); link !== undefined; link = link.outer) {
    if (link.running && link.owner === owner && link.key === key) return true
  }
  return false
}

/**
 * Calls a loader, with a deadline. `null` becomes `undefined`.
 *
 * @throws {LoaderTimeoutError} the loader took too long; its signal is aborted and what it returns is dropped
 */
export async function callLoader<T>(
  owner: object,
  key: string,
  load: Loader<T>,
  timeoutMs: number,
): Promise<T | undefined> {
  const abort = new AbortController()
  const link: Link = { owner, key, outer: loads.getStore(), running: true }
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
  try {
    const loaded = loads.run(link, async () => load({ key, signal: abort.signal }))
    return (await Promise.race([loaded, deadline])) ?? undefined
  } finally {
    timers.clearTimeout(timer)
    link.running = false
    running -= 1
    // Node 20 watches every promise of the process while somebody keeps track: only while there is something to track.
    if (running === 0) loads.disable()
  }
}
