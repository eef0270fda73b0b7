import { partIn } from '../facts.js'
import { type Check, fail, ok, unknown, warn, worstOf } from '../judge.js'

const MB = 1_048_576

/** How fast Redis answers, and by which clock. */
export const paceChecks: readonly Check[] = [
  {
    id: 'latency',
    judge: ({ ping, script, config }) => {
      const measured = {
        probes: ping.count + script.count,
        pingP50Ms: round(ping.p50Ms),
        pingP99Ms: round(ping.p99Ms),
        scriptP50Ms: round(script.p50Ms),
        scriptP99Ms: round(script.p99Ms),
      }
      const worst = Math.max(ping.p99Ms, script.p99Ms)
      const said = `ping p50 ${measured.pingP50Ms} ms, p99 ${measured.pingP99Ms} ms; script p99 ${measured.scriptP99Ms} ms`
      const fix = 'run Redis near its nodes, on a host of its own; look at SLOWLOG and at what else uses it'
      if (worst > config.commandTimeoutMs / 2) {
        return fail(
          `${said}: more than half of commandTimeoutMs (${config.commandTimeoutMs}), calls will fail`,
          `${fix}; or raise redis.commandTimeoutMs`,
          measured,
        )
      }
      if (worst > 20) return warn(said, fix, measured)
      return ok(said, measured)
    },
  },
  {
    id: 'clock',
    judge: ({ clock }) => {
      const measured = { aheadMs: round(clock.aheadMs), uncertaintyMs: round(clock.uncertaintyMs) }
      const off = Math.abs(clock.aheadMs) - clock.uncertaintyMs
      const said = `the clock of this host is ${Math.abs(measured.aheadMs)} ms ${clock.aheadMs < 0 ? 'behind' : 'ahead of'} that of Redis`
      const fix = 'run NTP on both hosts'
      if (off > 1_000) {
        return fail(
          `${said}: sessions are safe, as all nodes go by the clock of Redis, but tokens that are signed here may look issued in the future elsewhere`,
          fix,
          measured,
        )
      }
      if (off > 100) return warn(said, fix, measured)
      return ok(
        `the clocks of this host and of Redis agree to ${round(Math.abs(clock.aheadMs))} ms`,
        measured,
      )
    },
  },
  {
    id: 'scripts',
    judge: (facts) =>
      worstOf(
        facts,
        (info) => {
          const busy = partIn(info, 'errorstat_BUSY', 'count')
          if (busy > 0) {
            return warn(
              `${busy} commands were refused because a script ran too long, since the start of the server`,
              'find the script of another application: SLOWLOG GET',
              { busy },
            )
          }
          return ok('scripts run, and none has blocked the server', { busy })
        },
        'allow +info, or ask the administrator for errorstat_BUSY',
      ),
  },
  {
    id: 'output-buffers',
    spi: ['cluster', 'realm-cache'],
    judge: (facts) => {
      if (facts.settings === undefined) {
        return unknown(
          'CONFIG GET is not allowed for this user of Redis',
          'ask the administrator for client-output-buffer-limit normal; 0 0 0 is right',
        )
      }
      const limits = [...facts.settings].filter(([name]) => name.endsWith('client-output-buffer-limit'))
      const hard = limits
        .map(([, text]) => Number(/normal (\d+)/.exec(text)?.[1] ?? 0))
        .filter((bytes) => bytes > 0)
      const least = Math.min(...hard)
      if (hard.length > 0 && least < 8 * MB) {
        return warn(
          `connections are cut when ${Math.round(least / 1024)} KiB wait for them: large pages and catching up after an outage fail`,
          'set client-output-buffer-limit normal to 0 0 0',
          { bytes: least },
        )
      }
      return ok('answers are not cut off', { bytes: hard.length === 0 ? 0 : least })
    },
  },
]

const round = (ms: number): number => Math.round(ms * 100) / 100
