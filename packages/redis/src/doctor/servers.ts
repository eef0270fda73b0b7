import { timers } from '@authstate/spi/internal'
import { internals, type RedisClient } from '../client.js'
import type { RedisConfig } from '../options.js'
import { isLocalAddress } from './checks/access.js'
import { type Facts, type Info, parseInfo } from './facts.js'

/** How long a question may take. */
export const QUESTION_MS = 2_000

/** A client as it is asked here: any command by its name. */
export interface Asked extends RedisClient {
  call(name: string, ...args: (string | number)[]): Promise<unknown>
}

/** The servers that take writes. */
export function nodesOf(client: RedisClient): readonly Asked[] {
  const nodes = client.isCluster ? (internals(client).nodes?.('master') ?? []) : [client]
  return nodes as unknown as readonly Asked[]
}

/** Host and port of a server, as its client knows them. */
export function addressOf(node: RedisClient): string {
  const { stream, options } = internals(node)
  const host = options?.host ?? stream?.remoteAddress
  return host === undefined ? 'the server' : `${host}:${options?.port ?? stream?.remotePort ?? 6_379}`
}

/** Rejects after the time that a question may take. */
export async function within<T>(answer: Promise<T>, ms = QUESTION_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = timers.setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    timers.clearTimeout(timer)
  }
}

/** `undefined` when it is refused or not answered. */
export const orNothing = async <T>(answer: Promise<T>): Promise<T | undefined> =>
  within(answer).catch(() => undefined)

/** What a server says of itself; `undefined` when it is refused or not answered. */
export async function infoOf(node: Asked): Promise<Info | undefined> {
  const text = await orNothing(node.call('INFO', 'ALL'))
  return text === undefined ? undefined : parseInfo(String(text))
}

/** How commands reach the servers. Asked once each has answered something: before, some are not connected. */
export function linkOf(nodes: readonly Asked[], config: RedisConfig): Facts['link'] {
  const streams = nodes
    .map((node) => internals(node).stream as TlsStream | null | undefined)
    .filter((stream) => stream !== undefined && stream !== null)
  const ends = streams.flatMap((stream) => {
    const until = stream.getPeerCertificate?.()?.valid_to
    return until === undefined ? [] : [new Date(until).getTime()]
  })
  const passwords = nodes.map(
    (node) => (internals(node).options as { password?: unknown } | undefined)?.password,
  )
  return {
    isEncrypted: streams.every((stream) => stream.encrypted === true),
    // A unix socket has no address at its other end.
    isLocal: streams.every((stream) => isLocalAddress(stream.remoteAddress ?? '127.0.0.1')),
    hasSecret:
      config.credentials !== undefined ||
      (typeof config.tls === 'object' && config.tls['cert'] !== undefined) ||
      passwords.every((password) => typeof password === 'string' && password !== ''),
    ...(ends.length > 0 && { certificateEndsAt: Math.min(...ends) }),
  }
}

interface TlsStream {
  readonly encrypted?: boolean
  readonly remoteAddress?: string
  getPeerCertificate?(): { readonly valid_to?: string }
}
