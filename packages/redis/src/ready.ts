import { StoreUnavailableError } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import { internals, type RedisClient } from './client.js'
import { concealError } from './conceal.js'
import { reasonOf } from './failure.js'
import { listen } from './listen.js'
import { describeTarget, type RedisConfig } from './options.js'
import { startHint } from './start-hint.js'

/** How long a server that has not become ready may take to say whether it is loading its data. */
const LOADING_MS = 500

/**
 * Waits until a client can be used; connects it when nobody has.
 *
 * @throws {StoreUnavailableError} the first attempt failed, or there is no answer in time
 */
export async function becomeReady(client: RedisClient, config: RedisConfig): Promise<void> {
  if (client.status === 'ready') return
  try {
    await firstReady(client, config.connectTimeoutMs)
  } catch (error) {
    const cause = concealError((await isLoading(client)) ? stillLoading() : (error as Error))
    throw new StoreUnavailableError(
      `redis: could not connect to ${describeTarget(config)}: ${reasonOf(cause)}${startHint(cause, config)}`,
      { cause, applied: 'no' },
    )
  }
}

/** A connection that was taken and says nothing is another trouble than one that nobody takes. */
const silence = ({ status, isCluster }: RedisClient, timeoutMs: number): string =>
  `no answer within ${timeoutMs} ms${status === 'connect' && !isCluster ? ` on a connection that was taken` : ''}`

async function firstReady(client: RedisClient, timeoutMs: number): Promise<void> {
  let last: (Error & { command?: { name?: string } }) | undefined
  let stopWaiting = () => {}
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = timers.setTimeout(() => reject(last ?? new Error(silence(client, timeoutMs))), timeoutMs)
      const onError = (error: Error) => {
        last = error
      }
      // ioredis reports a database it may not select, and goes on with number 0.
      const onReady = () => (last?.command?.name === 'select' ? reject(last) : resolve())
      const onEnd = () => reject(last ?? new Error('the client has ended'))
      const stops = [
        listen(client, 'error', onError),
        listen(client, 'ready', onReady),
        listen(client, 'end', onEnd),
      ]
      stopWaiting = () => {
        timers.clearTimeout(timer)
        for (const stop of stops) stop()
      }
      if (client.status === 'end') onEnd()
      // What it rejects with only says that there is no connection; the reason comes as an event before.
      if (client.status === 'wait') client.connect().then(onReady, (error: Error) => reject(last ?? error))
    })
  } finally {
    stopWaiting()
  }
}

const stillLoading = () => new Error('LOADING Redis is loading the dataset in memory')

/** Whether a server that was reached is not ready because it is loading its data: a client waits for that without a word. */
async function isLoading(client: RedisClient): Promise<boolean> {
  const nodes = client.isCluster ? (internals(client).nodes?.('all') ?? []) : [client]
  const answers = nodes.filter(({ status }) => status === 'connect').map((node) => infoOf(node))
  return (await Promise.all(answers)).some((info) => /^loading:1\b/m.test(info))
}

async function infoOf(node: RedisClient): Promise<string> {
  const { info } = node as RedisClient & { info?(section: string): Promise<string> }
  if (info === undefined) return ''
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = timers.setTimeout(() => resolve(''), LOADING_MS)
  })
  const answer = info.call(node, 'persistence').catch(() => '')
  return Promise.race([answer, late]).finally(() => timers.clearTimeout(timer))
}
