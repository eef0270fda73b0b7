import assert from 'node:assert/strict'
import type { RecordingLogger } from './recording-logger.js'

/**
 * Holds that the log of a case has so many errors: a listener that fails is told there once, and nowhere else. A provider
 * that writes to another logger than the one it was given is found by this.
 */
export async function logsErrors({ entries }: RecordingLogger, count: number): Promise<void> {
  // What an async listener fails with comes a turn later.
  await new Promise((resolve) => setImmediate(resolve))
  const errors = entries.filter(({ level }) => level === 'error')
  assert.equal(errors.length, count, 'errors in the log of the case')
}
