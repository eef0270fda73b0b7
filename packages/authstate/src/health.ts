/**
 * Whether a process lives, and whether it should be sent requests: for an orchestrator and a load balancer, as handlers for whatever
 * framework.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { redisConnectionSpi } from '@authstate/redis/service'
import { assertInteger, assertObject, assertOptions, type Known, uncertaintyOf } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { AuthState } from './auth-state.js'
import { clusterSpi } from './spis.js'

/** Why a process should be sent no requests now. */
export type NotReady =
  /** A provider cannot serve, or its store takes no writes: it is away, full, or read-only. */
  | 'writes'
  /** What other nodes say does not arrive, so cached data may be stale. */
  | 'channel'
  /** The clock of the deployment is not known, so it is unknown what has ended. */
  | 'clock'
  /** Redis of this site lost what other sites have received, and they have not sent it back yet. */
  | 'sites'
  /** `drain` was called: the process is about to end. */
  | 'draining'

/** Whether a process should be sent requests. */
export interface Readiness {
  readonly ready: boolean
  /** Empty when it is ready. */
  readonly missing: readonly NotReady[]
}

/** Options of {@link healthHandlers}. */
export interface HealthOptions {
  /** How long a check may take, 1 to 60 000 ms; what has not answered by then is missing. @default 2000 */
  readonly timeoutMs?: number | undefined
  /** How long an answer is given again, 0 to 60 000 ms: so many probes cost one check. @default 1000 */
  readonly shareMs?: number | undefined
}

/** Handlers of one process. A body is JSON of fixed words: no id, no address, no text of an error. */
export interface HealthHandlers {
  /** 200 as long as the process answers at all. It asks no store: to restart a process does not bring Redis back. */
  readonly liveness: (request: Request) => Promise<Response>
  /** 200 when the process should be sent requests, else 503 with what is missing. Never rejects. */
  readonly readiness: (request: Request) => Promise<Response>
  /** The same for `node:http`, express and what is built on them. */
  readonly node: {
    readonly liveness: (request: IncomingMessage, response: ServerResponse) => void
    readonly readiness: (request: IncomingMessage, response: ServerResponse) => void
  }
  /** What `readiness` answers with. Never rejects. */
  check(): Promise<Readiness>
  /**
   * From now on the process is not ready: call it on SIGTERM, go on answering for as long as the load balancer needs to see it, and
   * then end the server and the state. Safe to repeat; there is no way back.
   */
  drain(): void
}

const OPTIONS: Known<HealthOptions> = { timeoutMs: true, shareMs: true }

/** A clock that may be off by more is not known. */
const MOST_UNCERTAIN_MS = 1_000

/**
 * Handlers for the probes of an orchestrator. Make them once, when the process starts, for one state.
 *
 * A process is ready when every provider can serve and its store takes writes, the work channel of the cluster is live, and the
 * clock of the deployment is known to a second. One of several sites also has to hold what other sites received from it.
 *
 * @throws {TypeError | RangeError} an option is misspelt, or cannot be
 */
export function healthHandlers(state: AuthState, options: HealthOptions = {}): HealthHandlers {
  assertObject(state as unknown, 'state')
  assertOptions(options, 'options', OPTIONS)
  const { timeoutMs = 2_000, shareMs = 1_000 } = options
  assertInteger(timeoutMs, 'options.timeoutMs', 1, 60_000)
  assertInteger(shareMs, 'options.shareMs', 0, 60_000)
  let isDraining = false
  let checking: Promise<readonly NotReady[]> | undefined
  let last: { readonly missing: readonly NotReady[]; readonly atMs: number } | undefined

  const look = async (): Promise<readonly NotReady[]> => {
    if (last !== undefined && timers.monotonicMs() - last.atMs < shareMs) return last.missing
    checking ??= missingOf(state, timeoutMs).finally(() => {
      checking = undefined
    })
    const missing = await checking
    last = { missing, atMs: timers.monotonicMs() }
    return missing
  }
  const check = async (): Promise<Readiness> => {
    const missing = isDraining ? [] : await look()
    // Who asked before the end began is told of it all the same.
    return isDraining ? { ready: false, missing: ['draining'] } : { ready: missing.length === 0, missing }
  }
  const alive = async (): Promise<Answer> => ({ status: 200, body: { alive: true } })
  const ready = async (): Promise<Answer> => {
    const body = await check()
    return { status: body.ready ? 200 : 503, body }
  }
  return {
    liveness: (request) => respond(request, alive),
    readiness: (request) => respond(request, ready),
    node: { liveness: listener(alive), readiness: listener(ready) },
    check,
    drain: () => {
      isDraining = true
    },
  }
}

async function missingOf(state: AuthState, timeoutMs: number): Promise<readonly NotReady[]> {
  const parts: readonly (readonly [NotReady, () => boolean | Promise<boolean>])[] = [
    ['writes', async () => (await state.health()).ok],
    ['channel', () => (state.find(clusterSpi)?.channel().state ?? 'live') === 'live'],
    ['clock', () => isClockKnown(state)],
    ['sites', () => state.find(redisConnectionSpi)?.sites?.isReady() ?? true],
  ]
  const found = await Promise.all(
    parts.map(async ([name, holds]) => ((await holdsInTime(holds, timeoutMs)) ? [] : [name])),
  )
  return found.flat()
}

async function isClockKnown({ clock }: AuthState): Promise<boolean> {
  await clock.settled?.()
  return uncertaintyOf(clock) <= MOST_UNCERTAIN_MS
}

/** What fails does not hold. */
async function holdsInTime(holds: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = timers.setTimeout(() => resolve(false), timeoutMs)
  })
  try {
    return await Promise.race([holds(), late])
  } catch {
    return false
  } finally {
    timers.clearTimeout(timer)
  }
}

interface Answer {
  readonly status: number
  readonly body: object
}

const HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' }
const METHODS = 'GET, HEAD'

/** What one method is answered with: a probe only looks. */
async function answerTo(method: string | undefined, answer: () => Promise<Answer>) {
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, headers: { ...HEADERS, allow: METHODS }, text: '' }
  }
  const { status, body } = await answer()
  return { status, headers: HEADERS, text: method === 'HEAD' ? '' : JSON.stringify(body) }
}

async function respond(request: Request, answer: () => Promise<Answer>): Promise<Response> {
  const { status, headers, text } = await answerTo(request.method, answer)
  return new Response(text === '' ? null : text, { status, headers })
}

function listener(answer: () => Promise<Answer>) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    void answerTo(request.method, answer).then(({ status, headers, text }) => {
      response.writeHead(status, headers).end(text)
    })
  }
}
