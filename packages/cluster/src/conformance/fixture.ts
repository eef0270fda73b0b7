import assert from 'node:assert/strict'
import type { Stage, SuiteBuilder } from '@authstate/conformance'
import type { ClusterProvider } from '../contract.js'

export type Add = SuiteBuilder<ClusterProvider>

export type ClusterStage = Stage<ClusterProvider>

/**
 * Heartbeats so far apart that none happens by itself: a case says when. What a lease of a dead holder needs besides
 * its own time is the margin.
 */
export const PROPERTIES = {
  heartbeatMs: 600_000,
  deadAfterMs: 2_400_000,
  readWaitMs: 200,
  publishTimeoutMs: 5_000,
  maxClockSkewMs: 10_000,
  maxEventBytes: 4_096,
} as const

export const { maxClockSkewMs: MARGIN_MS } = PROPERTIES

/** A promise and how to settle it. */
export interface Gate<T = void> {
  readonly opened: Promise<T>
  open(value: T): void
  fail(error: Error): void
}

export function gate<T = void>(): Gate<T> {
  let open: (value: T) => void = () => {}
  let fail: (error: Error) => void = () => {}
  const opened = new Promise<T>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { opened, open, fail }
}

/** Waits until `look` does not throw any more: what another node does arrives when it arrives. */
export async function eventually(look: () => void | Promise<void>, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs
  for (;;) {
    try {
      return await look()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
}

/** Holds what a call refuses to what the house says about misuse: a TypeError or RangeError that names the argument. */
export async function refuses(
  argument: string,
  call: () => unknown,
  kind: new () => Error = TypeError,
): Promise<void> {
  await assert.rejects(
    async () => call(),
    (error: Error) => {
      assert.ok(error instanceof kind, `${error.name}: ${error.message}`)
      assert.ok(error.message.includes(`"${argument}"`), error.message)
      return true
    },
  )
}

export const namesOf = (provider: ClusterProvider): string[] => provider.view().nodes.map(({ name }) => name)
