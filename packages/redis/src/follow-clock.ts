import { ConfigurationError, type Logger } from '@authstate/spi'
import { isError, timers } from '@authstate/spi/internal'
import type { RedisClient } from './client.js'
import type { OpenConnection } from './connection.js'
import { type ClockQuestion, type ClockReading, DeploymentClock } from './deployment-clock.js'
import { isScriptMissing, reasonOf, refusalOf } from './failure.js'
import { listen } from './listen.js'
import { scriptParameters } from './script.js'
import { readClock } from './scripts.js'

/** How far a server may be behind the one before it so that time stands still for a while and does not go back, in us. */
const MOST_BEHIND_US = 10_000_000

/** What a connection needs to know to go by the clock of its deployment. */
export interface ClockWatch {
  readonly client: RedisClient
  readonly logger: Logger
  /** Name of this node, for the warning that its host's clock is off. */
  readonly node: string
}

/**
 * Makes a connection go by the clock of the deployment: measured before anything else is sent, every few seconds, and on
 * each new connection.
 *
 * @returns how to stop
 * @throws {ConfigurationError} the user of Redis may not read the time
 */
export async function followClock(
  connection: OpenConnection,
  { client, logger, node }: ClockWatch,
): Promise<() => void> {
  const clock = new DeploymentClock({
    read: timeReader(connection, client, logger),
    logger,
    node,
    later: (ms, run) => {
      const timer = timers.setTimeout(run, ms).unref()
      return () => timers.clearTimeout(timer)
    },
  })
  const onLost = () => clock.forget()
  const onReady = () => void clock.measure()
  const onOtherMap = () => {
    if (clock.isKnown) void clock.measure()
  }
  // What tells the time on a Cluster may be another node now, and the client stays "ready" throughout.
  const events: readonly [string, () => void][] = [
    ['close', onLost],
    ['end', onLost],
    ['ready', onReady],
    ...(client.isCluster
      ? (['+node', '-node', 'refresh'] as const).map((event) => [event, onOtherMap] as const)
      : []),
  ].map(([event, listener]) => [event as string, listener as () => void])
  const stops = events.map(([event, listener]) => listen(client, event, listener))
  const stop = () => {
    for (const stopListening of stops) stopListening()
    clock.close()
  }
  try {
    await connection.goBy(clock)
  } catch (error) {
    stop()
    throw error
  }
  return stop
}

/** Asks by a script, which can correct a server that is behind; where a server refuses TIME in scripts, by TIME alone. */
function timeReader(
  connection: OpenConnection,
  client: RedisClient,
  logger: Logger,
): (question: ClockQuestion) => Promise<ClockReading> {
  let isPlain = false
  const plain = () =>
    connection.readTime(
      'TIME',
      (to) => to.time(),
      (reply) => {
        const [seconds, us] = reply as [number | string, number | string]
        return {
          nowUs: Number(seconds) * 1_000_000 + Number(us),
          behindUs: 0,
          isTooFarBehind: false,
          kept: '',
        }
      },
    )
  const byScript = ({ floorUs, seen = '', lowerUs = 0 }: ClockQuestion) => {
    const key = connection.keys.shared('clock')
    const args = { floor: Math.max(0, floorUs), most: MOST_BEHIND_US, seen, lower: lowerUs }
    const [sha1, ...rest] = scriptParameters(readClock, { clock: key }, args)
    return connection.readTime(
      readClock,
      (to) =>
        to.evalsha(sha1, ...rest).catch((error: unknown) => {
          if (isScriptMissing(error)) return to.eval(readClock.lua, ...rest)
          throw error
        }),
      readClock.decode,
    )
  }
  return async (question) => {
    if (isPlain) return plain()
    try {
      return await byScript(question)
    } catch (error) {
      if (!isRefusedInScripts(error)) throw error
      const reading = await plain().catch((refused: Error) => {
        if (refusalOf(causeOf(refused)) !== 'NOPERM') throw error
        throw new ConfigurationError(
          'redis: the user may not run TIME, which gives all nodes their time. Add "+time" to its rights, see docs/acl.md',
          { cause: refused },
        )
      })
      if (client.isCluster) {
        throw new ConfigurationError(
          'redis: this Cluster refuses TIME in scripts, so its nodes cannot share a clock',
          {
            cause: error,
          },
        )
      }
      isPlain = true
      logger.warn(
        { reason: reasonOf((error as Error).cause) },
        'this Redis refuses TIME in scripts: after a failover to a server whose clock is behind, time stands still for a while',
      )
      return reading
    }
  }
}

/** Redis says so in other words than for a command of its own, and each version in others. */
const isRefusedInScripts = (error: unknown): boolean =>
  /can't run this command|ACL failure in script|'time' command|\bTIME\b.*not (allowed|supported)/i.test(
    causeOf(error),
  )

function causeOf(error: unknown): string {
  const { cause } = error as Error
  return isError(cause) ? cause.message : ''
}
