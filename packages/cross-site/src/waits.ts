import type { RedisConnection } from '@authstate/redis'
import { timers } from '@authstate/spi/internal'
import { progress } from './scripts.js'

/** How long a site that does not answer keeps the others waiting. What it did not confirm is remembered. */
export const PATIENCE_MS = 1_000

/** Time between two looks at the progress. */
export const LOOK_MS = 5

/** Where it lies what changed in a partition, and how far consumers have come. */
export const placesOf = ({ keys }: RedisConnection, partition: number) => ({
  notes: keys.key(partition, 'xn'),
  had: keys.key(partition, 'xh'),
})

/** Waits until the consumer has had all current notes of a partition. */
export async function cameAlong(
  connection: RedisConnection,
  consumer: string,
  partition: number,
  isOver: () => boolean,
): Promise<void> {
  const keys = placesOf(connection, partition)
  let until: string | undefined
  while (!isOver()) {
    const { last, had } = await connection.run(progress, keys, { consumer })
    until ??= last
    if (!isBehind(had, until)) return
    await pause(LOOK_MS)
  }
}

/** Whether an id of a note comes before another. */
export function isBehind(had: string, until: string): boolean {
  if (until === '') return false
  const [ms = 0, n = 0] = had.split('-').map(Number)
  const [untilMs = 0, untilN = 0] = until.split('-').map(Number)
  return ms < untilMs || (ms === untilMs && n < untilN)
}

/** Resolves after a time, or when a signal aborts. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = () => {
      timers.clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = timers.setTimeout(end, ms)
    if (signal?.aborted) end()
    else signal?.addEventListener('abort', end)
  })

/** Waits for `run`, but no longer than `ms`. */
export async function within(run: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = timers.setTimeout(resolve, ms)
  })
  await Promise.race([run, late])
  timers.clearTimeout(timer)
}
