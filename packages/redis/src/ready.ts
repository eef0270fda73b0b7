import { StoreUnavailableError } from '@authstate/spi'
import { internals, type RedisClient } from './client.js'
import { concealError } from './conceal.js'
import { ConnectDeadline } from './connect-deadline.js'
import { reasonOf } from './failure.js'
import { listen } from './listen.js'
import { describeTarget, type RedisConfig } from './options.js'
import { startHint } from './start-hint.js'

/** How long a server that has not become ready may take to say whether it is loading its data: the last part of the deadline. */
const LOADING_MS = 500
/** More of a short deadline than this is not spent on that question. */
const LOADING_SHARE = 4

/**
 * Waits until a client can be used; connects it if it is not connected.
 *
 * @param deadline What is left of it is waited for: one span over credentials, connecting and the first answer.
 * @throws {StoreUnavailableError} the first attempt failed, or there is no answer in time
 */
export async function becomeReady(
  client: RedisClient,
  config: RedisConfig,
  deadline = new ConnectDeadline(config.connectTimeoutMs),
): Promise<void> {
  if (client.status === 'ready') return
  try {
    await firstReady(client, deadline)
  } catch (error) {
    const cause = concealError((await isLoading(client, deadline)) ? stillLoading() : (error as Error))
    throw new StoreUnavailableError(
      `redis: could not connect to ${describeTarget(config)}: ${reasonOf(cause)}${startHint(cause, config)}`,
      { cause, applied: 'no' },
    )
  }
}

/**
 * A server that accepts a connection and does not answer is another problem than a connection that is not
 * accepted.
 */
const silence = ({ status, isCluster }: RedisClient, timeoutMs: number): string =>
  `no answer within ${timeoutMs} ms${status === 'connect' && !isCluster ? ` on a connection that was taken` : ''}`

async function firstReady(client: RedisClient, deadline: ConnectDeadline): Promise<void> {
  const { time, ms } = deadline
  let last: (Error & { command?: { name?: string } }) | undefined
  let loading = false
  let stopWaiting = () => {}
  try {
    await new Promise<void>((resolve, reject) => {
      const leftMs = deadline.leftMs()
      const timer = time.setTimeout(
        () => reject(loading ? stillLoading() : (last ?? new Error(silence(client, ms)))),
        leftMs,
      )
      const question = time.setTimeout(
        async () => {
          loading = await isLoading(client, deadline)
        },
        leftMs - Math.min(LOADING_MS, leftMs / LOADING_SHARE),
      )
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
        time.clearTimeout(timer)
        time.clearTimeout(question)
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
async function isLoading(client: RedisClient, deadline: ConnectDeadline): Promise<boolean> {
  const ms = Math.min(LOADING_MS, deadline.leftMs())
  if (ms === 0) return false
  const nodes = client.isCluster ? (internals(client).nodes?.('all') ?? []) : [client]
  const answers = nodes.filter(({ status }) => status === 'connect').map((node) => infoOf(node, ms, deadline))
  return (await Promise.all(answers)).some((info) => /^loading:1\b/m.test(info))
}

async function infoOf(node: RedisClient, ms: number, { time }: ConnectDeadline): Promise<string> {
  const { info } = node as RedisClient & { info?(section: string): Promise<string> }
  if (info === undefined) return ''
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = time.setTimeout(() => resolve(''), ms)
  })
  const answer = info.call(node, 'persistence').catch(() => '')
  return Promise.race([answer, late]).finally(() => time.clearTimeout(timer))
}
