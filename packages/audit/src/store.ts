/**
 * What a sink of lines has to do, for a sink of your own: everything that comes in is clean.
 *
 * @module
 */
import type { AuditEntry, AuditLine } from './contract.js'

/** A line and its place among all. */
export interface StoredLine {
  readonly entry: AuditEntry
  /** Where it lies, in letters, digits, `-`, `_`, `.` and `~`. */
  readonly place: string
}

/** From where lines are read, and in which direction. */
export interface Scan {
  readonly first: 'newest' | 'oldest'
  /** Written at this instant or later, ms since the epoch. */
  readonly since: number
  /** Behind this place, in this direction; left out, from the end. */
  readonly place?: string | undefined
}

/** Lines that are written from now on. */
export interface Following {
  /** Those that came since the last call, in the order in which they were written. */
  next(): Promise<readonly StoredLine[]>
  /** Lets go of what it opened. */
  close(): Promise<void>
}

/** Where lines are kept. */
export interface AuditStore {
  /**
   * Takes lines, in their order, behind what it has. When it resolved they are kept. When it rejects some may be: they come again.
   *
   * @param signal Aborted when no caller waits any more.
   */
  append(lines: readonly AuditLine[], signal: AbortSignal): Promise<void>
  /** Reads what is kept. Left out: it cannot be read. */
  scan?(scan: Scan): AsyncIterable<StoredLine>
  /** Left out where `scan` is. */
  follow?(): Promise<Following>
  /** Resolves when lines could be written. */
  checkHealth?(): Promise<void>
  /** Lets go of what it opened, once what is being written is kept. */
  close?(): Promise<void>
}
