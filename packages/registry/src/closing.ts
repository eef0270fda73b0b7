import { type Provider, parseDuration } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'

/** How long closing may take where nothing is said. */
const CLOSE_TIMEOUT_MS = 5_000

/** What became of closing several providers. */
export interface Closed {
  readonly failures: { readonly spi: string; readonly error: unknown }[]
  /** SPIs whose providers were not done in time; they go on by themselves. */
  readonly late: string[]
}

/**
 * Closes providers one after the other. All together they have `timeoutMs`: what takes longer is not waited for, and the rest
 * is closed all the same. A store that says nothing must not keep a process from ending.
 */
export async function closeInTurn(
  providers: Iterable<readonly [spi: string, provider: Provider]>,
  timeoutMs: number,
): Promise<Closed> {
  const dueAt = timers.monotonicMs() + timeoutMs
  const closed: Closed = { failures: [], late: [] }
  for (const [spi, provider] of providers) {
    try {
      const leftMs = Math.max(0, dueAt - timers.monotonicMs())
      if (!(await isDoneWithin(leftMs, Promise.resolve(provider.close?.())))) closed.late.push(spi)
    } catch (error) {
      closed.failures.push({ spi, error })
    }
  }
  return closed
}

async function isDoneWithin(ms: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = timers.setTimeout(() => resolve(false), ms)
  })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    timers.clearTimeout(timer)
  }
}

/** @throws {TypeError} it is no span */
export function closeTimeoutOf(given: number | string | undefined): number {
  const ms = parseDuration(given ?? CLOSE_TIMEOUT_MS)
  if (typeof ms === 'number' && Number.isInteger(ms) && ms >= 0 && ms <= 600_000) return ms
  throw new TypeError('"closeTimeoutMs" must be whole milliseconds from 0 to 600000, or text such as \'5s\'')
}
