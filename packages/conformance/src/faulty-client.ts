import type { RedisClient, Script } from '@authstate/redis'
import { assertObject, assertOneOf, assertOptions, type Known } from '@authstate/spi'
import { assertNoOptions } from '@authstate/spi/internal'
import { interceptClient } from './intercept.js'

/** What shall go wrong with a command. */
export type Fault =
  /** It is not sent. */
  | { readonly when: 'before'; readonly error: Error }
  /** It is applied, its reply is lost. */
  | { readonly when: 'after'; readonly error: Error }
  /** It is applied, and nothing is ever heard of it. */
  | { readonly when: 'drop' }
  /** It is sent once `until` resolves. */
  | { readonly when: 'delay'; readonly until: Promise<unknown> }

/** A script, or a plain read by the name of its command. */
export type FaultTarget = Pick<Script, 'sha1' | 'lua'> | 'hgetall' | 'hvals' | 'hmget' | 'get' | 'zcount'

/** A client whose commands fail as told. */
export interface FaultyClient {
  readonly client: RedisClient
  /** Arms a fault for the next call of a script or read; it is used up by it. */
  arm(target: FaultTarget, fault: Fault): void
}

/** Puts a client in front of another whose commands fail once they are told to. */
export function faultyClient(client: RedisClient): FaultyClient
export function faultyClient(client: RedisClient, ...given: unknown[]): FaultyClient {
  assertObject(client, 'client')
  assertNoOptions(given, 'faultyClient(client)')
  const armed = new Map<string, Fault[]>()
  return {
    client: interceptClient(client, async ({ what, send }) => {
      const queue = armed.get(what)
      const fault = queue?.shift()
      if (fault?.when === 'before') throw fault.error
      if (fault?.when === 'delay') await fault.until
      const reply = await send().catch((error: Error) => {
        // The server wants the source, which is sent next: that is the command the fault is meant for.
        if (fault !== undefined && error.message.startsWith('NOSCRIPT')) queue?.unshift(fault)
        throw error
      })
      if (fault?.when === 'after') throw fault.error
      return fault?.when === 'drop' ? new Promise(() => {}) : reply
    }),
    arm: (target, fault) => {
      checkFault(fault)
      const what = typeof target === 'string' ? target : target.sha1
      const queue = armed.get(what) ?? []
      queue.push(fault)
      armed.set(what, queue)
      if (typeof target !== 'string') armed.set(target.lua, queue)
    },
  }
}

const BEFORE_OR_AFTER: Known<Fault & { when: 'before' | 'after' }> = { when: true, error: true }
const DROP: Known<Fault & { when: 'drop' }> = { when: true }
const DELAY: Known<Fault & { when: 'delay' }> = { when: true, until: true }
const FAULTS = { before: BEFORE_OR_AFTER, after: BEFORE_OR_AFTER, drop: DROP, delay: DELAY }

/** A fault that never comes would let a test of it pass. */
function checkFault(fault: Fault): void {
  const { when } = fault
  assertOneOf(when, 'fault.when', ['before', 'after', 'drop', 'delay'])
  assertOptions<Fault>(fault, 'fault', FAULTS[when])
}
