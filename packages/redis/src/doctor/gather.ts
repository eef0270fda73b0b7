import { type Clock, StoreUnavailableError } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import calculateSlot from 'cluster-key-slot'
import { adviseOn } from '../advice.js'
import { internals, type RedisClient } from '../client.js'
import { reasonOf, storeFailure } from '../failure.js'
import { createKeySpace } from '../key-space.js'
import { endClient, makeClient } from '../make-client.js'
import { parseAddress, parseOptions, type RedisConfig } from '../options.js'
import { becomeReady } from '../ready.js'
import { rightsToCheck } from '../rights.js'
import { checkRights, claimLayout } from '../scripts.js'
import {
  type Facts,
  type Latency,
  numberIn,
  parseInfo,
  type SentinelFacts,
  type ServerFacts,
} from './facts.js'
import { lookAtKeys } from './sample.js'
import { type Asked, addressOf, infoOf, linkOf, nodesOf, orNothing, QUESTION_MS, within } from './servers.js'

/** How long all probes of one kind may take. */
const PROBES_MS = 2_000
/** Fewest probes, however slow they are. */
const FEWEST_PROBES = 5

/** Rights that harm others or read what is not ours: a command, with arguments by which Redis can judge it. */
const EXCESS: readonly (readonly string[])[] = [
  ['keys', '*'],
  ['flushall'],
  ['flushdb'],
  ['config', 'set', 'maxmemory', '0'],
  ['shutdown'],
  ['debug', 'sleep', '0'],
  ['acl', 'setuser', 'x'],
  ['monitor'],
]

const SAYS_RIGHTS = 'return redis.acl_check_cmd and 1 or 0'

/** What is looked at, and how. */
export interface GatherOptions {
  readonly clock: Clock
  readonly sample: number
  readonly probes: number
}

/**
 * Asks a connected client everything that the checks judge. It writes nothing, and runs only what the user of Redis may run.
 *
 * @throws {StoreUnavailableError} Redis does not answer a PING or a script
 */
export async function gather(
  client: RedisClient,
  config: RedisConfig,
  options: GatherOptions,
): Promise<Facts> {
  const keys = createKeySpace(config.prefix, config.partitions)
  const layoutKey = keys.shared('layout')
  const nodes = nodesOf(client)
  const before = await Promise.all(nodes.map((node) => infoOf(node)))
  const clock = await measureClock(client, options.clock)
  const ping = await timed(options.probes, () => client.ping())
  const rights = async (commands: readonly (readonly string[])[]) =>
    checkRights.decode(await asked(client.eval(checkRights.lua, 1, layoutKey, JSON.stringify(commands))))
  const script = await timed(options.probes, () => client.eval(checkRights.lua, 1, layoutKey, '[]'))
  const canTell = (await asked(client.eval(SAYS_RIGHTS, 1, layoutKey))) === 1
  const mayRun = async (...command: string[]) => canTell && (await rights([command])).length === 0
  const tellsChanges = config.changes.consumers.length > 0
  const missingRights = canTell ? await rights(rightsToCheck(layoutKey, tellsChanges)) : undefined
  const excessRights = canTell ? await excessOf(mayRun) : undefined
  const settings = (await mayRun('config', 'get', 'save')) ? await settingsOf(nodes) : undefined
  const sample =
    options.sample === 0
      ? undefined
      : (await mayRun('scan', '0')) || !canTell
        ? await lookAtKeys(nodes, config.prefix, options.sample, within)
        : ('refused' as const)
  const after = await Promise.all(nodes.map((node) => infoOf(node)))
  const servers = nodes.map((node, index): ServerFacts => {
    const later = after[index]
    return {
      address: addressOf(node),
      info: before[index],
      evictedLater: later && (numberIn(later, 'evicted_keys') ?? 0),
    }
  })
  return {
    config,
    mode: client.isCluster
      ? 'cluster'
      : config.sentinels || internals(client).options?.sentinels
        ? 'sentinel'
        : 'standalone',
    servers,
    link: linkOf(nodes, config),
    missingRights,
    excessRights,
    settings,
    layout: await layoutOf(client, layoutKey),
    ping,
    script,
    clock,
    cluster: client.isCluster ? await clusterOf(client, nodes, keys) : undefined,
    sentinels: await Promise.all((config.sentinels ?? []).map((at) => sentinelOf(at, config))),
    advice: config.client === undefined ? [] : adviceOn(client),
    sample,
  }
}

async function excessOf(mayRun: (...command: string[]) => Promise<boolean>): Promise<readonly string[]> {
  const asked = await Promise.all(
    EXCESS.map(async (command) => ((await mayRun(...command)) ? command : undefined)),
  )
  return asked.flatMap((command) => {
    if (command === undefined) return []
    const [name = '', second = ''] = command
    return [name === 'config' || name === 'acl' ? `${name} ${second}`.toUpperCase() : name.toUpperCase()]
  })
}

const SETTINGS = ['save', 'min-replicas-to-write', 'client-output-buffer-limit'] as const

/** Settings by `address name`. */
async function settingsOf(nodes: readonly Asked[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const node of nodes) {
    for (const name of SETTINGS) {
      const answer = await orNothing(node.call('CONFIG', 'GET', name))
      const value = Array.isArray(answer)
        ? answer[1]
        : (answer as Record<string, unknown> | undefined)?.[name]
      if (typeof value === 'string') found.set(`${addressOf(node)} ${name}`, value)
    }
  }
  return found
}

/** Answered by the fastest of a few readings: half of its round trip is all that is uncertain. */
async function measureClock(client: RedisClient, host: Clock): Promise<Facts['clock']> {
  let best: Facts['clock'] | undefined
  for (let n = 0; n < 3; n++) {
    const began = timers.monotonicMs()
    const [seconds, micros] = (await asked(client.time())) as [string, string]
    const tripMs = timers.monotonicMs() - began
    const now = Number(seconds) * 1_000 + Number(micros) / 1_000
    if (best === undefined || tripMs / 2 < best.uncertaintyMs) {
      best = { now, aheadMs: host.now() - tripMs / 2 - now, uncertaintyMs: tripMs / 2 + 1 }
    }
  }
  return best as Facts['clock']
}

async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await within(answer)
  } catch (error) {
    if (error instanceof StoreUnavailableError) throw error
    throw storeFailure('redis.examine', error)
  }
}

async function timed(most: number, step: () => Promise<unknown>): Promise<Latency> {
  const times: number[] = []
  const began = timers.monotonicMs()
  while (times.length < most) {
    const from = timers.monotonicMs()
    if (times.length >= FEWEST_PROBES && from - began > PROBES_MS) break
    await asked(step())
    times.push(timers.monotonicMs() - from)
  }
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0
  return { count: times.length, p50Ms: at(0.5), p99Ms: at(0.99) }
}

async function layoutOf(client: RedisClient, key: string): Promise<Facts['layout']> {
  const recorded = Object.entries(await asked(client.hgetall(key)))
  return recorded.length === 0 ? undefined : claimLayout.decode(recorded.flat())
}

async function clusterOf(
  client: RedisClient,
  nodes: readonly Asked[],
  keys: ReturnType<typeof createKeySpace>,
): Promise<Facts['cluster']> {
  const text = await orNothing((nodes[0] ?? (client as Asked)).call('CLUSTER', 'INFO'))
  const shares = new Map(nodes.map((node) => [addressOf(node), 0]))
  for (const partition of keys.all) {
    const [master] = internals(client).slots?.[calculateSlot(keys.key(partition, ''))] ?? []
    if (master !== undefined) shares.set(master, (shares.get(master) ?? 0) + 1)
  }
  return { info: text === undefined ? undefined : parseInfo(String(text)), partitionsByMaster: shares }
}

type Given = NonNullable<RedisConfig['sentinels']>[number]

/** Asks one sentinel, over a connection that is ended again. */
async function sentinelOf(given: Given, config: RedisConfig): Promise<SentinelFacts> {
  const { host, port } = parseAddress(given, 26_379)
  const address = `${host}:${port}`
  const options = parseOptions({
    url: `redis://${host.includes(':') ? `[${host}]` : host}:${port}`,
    connectTimeoutMs: QUESTION_MS,
    ...(config.sentinelUsername !== undefined && { username: config.sentinelUsername }),
    ...(config.sentinelPassword !== undefined && { password: config.sentinelPassword }),
    ...(config.sentinelTls !== undefined && { tls: config.sentinelTls }),
  })
  const sentinel = (await makeClient(options)) as Asked
  sentinel.on('error', () => {})
  try {
    await becomeReady(sentinel, options)
    const name = config.name as string
    const master = (await within(sentinel.call('SENTINEL', 'get-master-addr-by-name', name))) as
      | string[]
      | null
    const others = ((await within(sentinel.call('SENTINEL', 'sentinels', name))) as unknown[]).map(flagsOf)
    return {
      address,
      master: master === null ? undefined : master.join(':'),
      others: others.length,
      othersDown: others.filter((flags) => /[so]_down|disconnected/.test(flags)).length,
    }
  } catch {
    return { address, master: undefined, others: 0, othersDown: 0 }
  } finally {
    endClient(sentinel)
  }
}

function flagsOf(sentinel: unknown): string {
  if (!Array.isArray(sentinel)) return String((sentinel as Record<string, unknown> | null)?.['flags'] ?? '')
  return String(sentinel[sentinel.indexOf('flags') + 1] ?? '')
}

function adviceOn(client: RedisClient): readonly string[] {
  const said: string[] = []
  const note = (_: unknown, text: string) => void said.push(text.replace('the given Redis client ', ''))
  try {
    adviseOn(client, { debug: note, info: note, warn: note, error: note })
  } catch (error) {
    said.push(reasonOf(error))
  }
  return said
}
