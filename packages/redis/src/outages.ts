import type { Logger } from '@authstate/spi'
import type { RedisClient } from './client.js'
import { reasonOf } from './failure.js'
import { listen } from './listen.js'

/**
 * Listens to `error`, of which a failover raises hundreds: says once that Redis is away, and once that it is back.
 * Says as well when a client has given up.
 *
 * @returns how to stop listening
 */
export function sayOutagesOnce(client: RedisClient, logger: Logger): () => void {
  let errors = 0
  const onError = (error: Error) => {
    errors += 1
    if (errors > 1) return
    logger.warn({ reason: reasonOf(error) }, 'the connection to Redis failed; trying again')
  }
  const onReady = () => {
    if (errors > 0) logger.info({ errors }, 'connected to Redis again')
    errors = 0
  }
  const onEnd = () =>
    logger.error({}, 'the Redis client has ended and does not connect again: no call succeeds any more')
  const stops = [
    listen(client, 'error', onError),
    listen(client, 'ready', onReady),
    listen(client, 'end', onEnd),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}
