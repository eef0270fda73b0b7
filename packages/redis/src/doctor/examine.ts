import { assertOptions, systemClock } from '@authstate/spi'
import { ConnectDeadline } from '../connect-deadline.js'
import { endClient, makeClient } from '../make-client.js'
import { describeTarget, parseOptions, type RedisOptions } from '../options.js'
import { watchOutgoing } from '../outgoing.js'
import { becomeReady } from '../ready.js'
import { accessChecks } from './checks/access.js'
import { durabilityChecks } from './checks/durability.js'
import { keyChecks } from './checks/keys.js'
import { memoryChecks } from './checks/memory.js'
import { paceChecks } from './checks/pace.js'
import {
  EXAMINE_OPTIONS,
  type Examination,
  type ExamineOptions,
  type Finding,
  type Verdict,
} from './contract.js'
import { productOf } from './facts.js'
import { gather } from './gather.js'
import { type Check, findingOf } from './judge.js'

/** Every check, in the order of the page. */
export const CHECKS: readonly Check[] = [
  ...memoryChecks,
  ...durabilityChecks,
  ...accessChecks,
  ...paceChecks,
  ...keyChecks,
]

/**
 * Examines a Redis deployment: whether it is fit for the state of an authentication server. Call it before a deployment goes
 * live, after a change of the server, or when something is wrong.
 *
 * It makes a connection of its own from the options of `connect()`, takes a few seconds, and closes it. It writes nothing. It
 * runs no command that the user of Redis may not run: what cannot be asked is `unknown`, with how to find out, never `ok`. Safe
 * to repeat, also while nodes work.
 *
 * @param target an address, or the `redis` section of a configuration; a `client` that is given is used and not closed
 * @returns each check with its verdict
 * @throws {ConfigurationError} the options cannot work
 * @throws {TypeError} an option is unknown or out of range
 * @throws {StoreUnavailableError} Redis cannot be reached, is loading its data, or does not answer
 */
export async function examine(
  target: string | RedisOptions,
  options: ExamineOptions = {},
): Promise<Examination> {
  assertOptions(options, 'options', EXAMINE_OPTIONS)
  const { clock = systemClock, sample = 0, probes = 200 } = options
  assertCount('sample', sample, 0, 1_000_000)
  assertCount('probes', probes, 1, 10_000)
  const config = parseOptions(typeof target === 'string' ? { url: target } : target)
  const deadline = new ConnectDeadline(config.connectTimeoutMs)
  const client = config.client ?? (await makeClient(config, deadline))
  const onError = () => {}
  client.on('error', onError)
  const stopHiding = watchOutgoing(client, `${config.prefix}:`)
  try {
    await becomeReady(client, config, deadline)
    const facts = await gather(client, config, { clock, sample, probes })
    const findings = CHECKS.map((check) => findingOf(check, facts))
    const info = facts.servers.find((server) => server.info !== undefined)?.info
    return {
      target: describeTarget(config),
      mode: facts.mode,
      server: info === undefined ? 'unknown' : productOf(info).join(' '),
      prefix: config.prefix,
      partitions: config.partitions,
      at: Math.floor(facts.clock.now),
      findings,
      summary: countOf(findings),
    }
  } finally {
    stopHiding()
    if (config.client === undefined) endClient(client)
    else client.off('error', onError)
  }
}

/** 1 when a check failed, else 0. With `strict` also 1 when one warns. */
export function exitCodeOf({ summary }: Examination, { strict = false }: { strict?: boolean } = {}): 0 | 1 {
  return summary.fail > 0 || (strict && summary.warn > 0) ? 1 : 0
}

function countOf(findings: readonly Finding[]): Readonly<Record<Verdict, number>> {
  const summary: Record<Verdict, number> = { ok: 0, warn: 0, fail: 0, unknown: 0, skip: 0 }
  for (const { verdict } of findings) summary[verdict] += 1
  return summary
}

function assertCount(name: string, value: unknown, least: number, most: number): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return
  throw new TypeError(`"options.${name}" must be a whole number from ${least} to ${most}`)
}
