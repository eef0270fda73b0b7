import { timers } from '@authstate/spi/internal'

/** Waits, or until a signal is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      timers.clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = timers.setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })
}
