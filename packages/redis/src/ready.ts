import { StoreUnavailableError, timers } from '@authstate/spi'
import type { RedisClient } from './client.js'
import { concealError } from './conceal.js'
import { reasonOf } from './failure.js'
import { describeTarget, type RedisConfig } from './options.js'

/**
 * Waits until a client can be used; connects it when nobody has.
 *
 * @throws {StoreUnavailableError} the first attempt failed, or there is no answer in time
 */
export async function becomeReady(client: RedisClient, config: RedisConfig): Promise<void> {
  if (client.status === 'ready') return
  let last: (Error & { command?: { name?: string } }) | undefined
  let stopWaiting = () => {}
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = timers.setTimeout(
        () => reject(last ?? new Error(`no answer within ${config.connectTimeoutMs} ms`)),
        config.connectTimeoutMs,
      )
      const onError = (error: Error) => {
        last = error
      }
      // ioredis reports a database it may not select, and goes on with number 0.
      const onReady = () => (last?.command?.name === 'select' ? reject(last) : resolve())
      const onEnd = () => reject(last ?? new Error('the client has ended'))
      client.on('error', onError)
      client.on('ready', onReady)
      client.on('end', onEnd)
      stopWaiting = () => {
        timers.clearTimeout(timer)
        client.off('error', onError)
        client.off('ready', onReady)
        client.off('end', onEnd)
      }
      if (client.status === 'end') onEnd()
      // What it rejects with only says that there is no connection; the reason comes as an event before.
      if (client.status === 'wait') client.connect().then(onReady, (error: Error) => reject(last ?? error))
    })
  } catch (error) {
    const cause = concealError(error)
    throw new StoreUnavailableError(
      `redis: could not connect to ${describeTarget(config)}: ${reasonOf(cause)}`,
      { cause, applied: 'no' },
    )
  } finally {
    stopWaiting()
  }
}
