import type { ClaimedLayout } from '../layout.js'
import type { RedisConfig } from '../options.js'

/** What INFO answers, by the name of the line. */
export type Info = ReadonlyMap<string, string>

/** One server that takes writes. */
export interface ServerFacts {
  /** Host and port. */
  readonly address: string
  /** `undefined`: the user may not ask, or there was no answer. */
  readonly info: Info | undefined
  /** Keys that it had evicted a moment later; `undefined` where INFO is. */
  readonly evictedLater: number | undefined
}

/** How long commands took, in ms. */
export interface Latency {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** How a sentinel sees the deployment. */
export interface SentinelFacts {
  readonly address: string
  /** Host and port of the master that it names; `undefined`: it did not answer, or knows none of that name. */
  readonly master: string | undefined
  /** Other sentinels that it knows of, and how many of them it takes for down. */
  readonly others: number
  readonly othersDown: number
}

/** Keys that were looked at. */
export interface Sample {
  readonly looked: number
  /** Keys under another prefix. */
  readonly foreign: number
  /** Keys of ours that never end, although they should. */
  readonly endless: number
}

/** Everything that the checks judge. */
export interface Facts {
  readonly config: RedisConfig
  readonly mode: 'standalone' | 'sentinel' | 'cluster'
  readonly servers: readonly ServerFacts[]
  readonly link: {
    readonly isEncrypted: boolean
    /** Whether every server that was asked is on this host. */
    readonly isLocal: boolean
    /** Whether a password or a certificate of the client is sent. */
    readonly hasSecret: boolean
    /** When the certificate of the server ends, ms since the epoch. */
    readonly certificateEndsAt?: number | undefined
  }
  /** Rights that are needed and missing; `undefined`: Redis before 7.0 cannot say. */
  readonly missingRights: readonly string[] | undefined
  /** Rights beyond what is needed, of those that do harm; `undefined`: as above. */
  readonly excessRights: readonly string[] | undefined
  /** What CONFIG GET answers, by server; `undefined`: the user may not ask. */
  readonly settings: ReadonlyMap<string, string> | undefined
  /** What the deployment has recorded; `undefined`: nothing yet. */
  readonly layout: ClaimedLayout | undefined
  readonly ping: Latency
  readonly script: Latency
  /** The time of Redis, ms since the epoch, and how far the clock of this host is ahead of it. */
  readonly clock: { readonly now: number; readonly aheadMs: number; readonly uncertaintyMs: number }
  readonly cluster:
    | {
        readonly info: Info | undefined
        /** How many partitions each master has. */
        readonly partitionsByMaster: ReadonlyMap<string, number>
      }
    | undefined
  readonly sentinels: readonly SentinelFacts[]
  /** Advice on the options of a client that was given. */
  readonly advice: readonly string[]
  readonly sample: Sample | 'refused' | undefined
}

/** Reads an answer of INFO. */
export function parseInfo(text: string): Info {
  const lines = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf(':')
    if (at > 0 && !line.startsWith('#')) lines.set(line.slice(0, at), line.slice(at + 1))
  }
  return lines
}

/** A number of INFO; `undefined` where it has none of that name. */
export function numberIn(info: Info, name: string): number | undefined {
  const text = info.get(name)
  const value = text === undefined ? Number.NaN : Number.parseFloat(text)
  return Number.isNaN(value) ? undefined : value
}

/** A number behind a name within a line, such as `calls` of `cmdstat_keys:calls=3,usec=9`. */
export function partIn(info: Info, line: string, name: string): number {
  return Number(new RegExp(`(?:^|,)${name}=(\\d+)`).exec(info.get(line) ?? '')?.[1] ?? 0)
}

/** Name and version of a server, such as `['valkey', '8.1.1']`. */
export function productOf(info: Info): readonly [name: string, version: string] {
  const valkey = info.get('valkey_version')
  if (valkey !== undefined) return ['valkey', valkey]
  const dragonfly = info.get('dragonfly_version')
  if (dragonfly !== undefined) return ['dragonfly', dragonfly.replace(/^df-v?/, '')]
  return [info.get('server_name') ?? 'redis', info.get('redis_version') ?? 'unknown']
}
