import { randomBytes } from 'node:crypto'
import { type FileHandle, open, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@authstate/spi'
import type { FileAuditConfig } from '../config.js'
import type { AuditLine } from '../contract.js'
import { fileName } from './names.js'
import { filesIn } from './reading.js'

/** How long after its time a file of another process counts as ended: clocks differ, and a write takes its time. */
const ENDED_MS = 3_600_000
/** Between two looks for what is too old. */
const PRUNE_MS = 600_000

/** Opens a file to write to. */
export type OpenFile = (path: string) => Promise<FileHandle>

const openNew: OpenFile = (path) => open(path, 'ax', 0o640)

interface Current {
  readonly name: string
  readonly file: FileHandle
  readonly startedAt: number
  size: number
}

/**
 * Writes lines to a file that no other process writes to, and begins another one when that is large
 * or old. A file whose name says that it is too old counts as ended, whichever process wrote it. So
 * each node can remove the ended files of all nodes.
 */
export class FileWriter {
  readonly #config: FileAuditConfig
  readonly #clock: Clock
  readonly #open: OpenFile
  readonly #ended = new Set<string>()
  #current: Current | undefined
  #lastWrittenAt = 0
  #prunedAt = 0

  constructor(config: FileAuditConfig, clock: Clock, openFile: OpenFile = openNew) {
    this.#config = config
    this.#clock = clock
    this.#open = openFile
  }

  /** Not beside another call. @throws what the disk failed with; then nothing of these lines is left, or what is left comes again */
  async write(lines: readonly AuditLine[]): Promise<void> {
    const now = this.#clock.now()
    const current = await this.#fileFor(now)
    // Never backwards, whatever the clock does: readers merge files by it.
    this.#lastWrittenAt = Math.max(this.#lastWrittenAt, now)
    const writtenAt = this.#lastWrittenAt
    const bytes = Buffer.from(lines.map((line) => `${JSON.stringify({ ...line, writtenAt })}\n`).join(''))
    try {
      await writeAll(current.file, bytes)
      if (this.#config.sync) await current.file.datasync()
    } catch (error) {
      await this.#takeBack(current)
      throw error
    }
    current.size += bytes.length
    if (now - this.#prunedAt >= PRUNE_MS) await this.prune(now)
  }

  /** Lets go of files that are too old or too many. What cannot be removed stays. */
  async prune(now: number): Promise<void> {
    this.#prunedAt = now
    const { directory, keepMs, maxFiles, rotateMs } = this.#config
    const files = await filesIn(directory).catch(() => [])
    const ended = files.filter(
      ({ name, startedAt }) =>
        name !== this.#current?.name && (this.#ended.has(name) || startedAt + rotateMs + ENDED_MS < now),
    )
    let left = files.length
    for (const { name } of ended) {
      const path = join(directory, name)
      const changedAt = (await stat(path).catch(() => undefined))?.mtimeMs
      if (left <= maxFiles && (changedAt ?? now) >= now - keepMs) continue
      await unlink(path).catch(() => {})
      this.#ended.delete(name)
      left -= 1
    }
  }

  async close(): Promise<void> {
    await this.#end()
  }

  async #fileFor(now: number): Promise<Current> {
    const { directory, maxFileBytes, rotateMs } = this.#config
    const current = this.#current
    if (current !== undefined) {
      const isLarge = current.size >= maxFileBytes
      const isOld = now - current.startedAt >= rotateMs || now < current.startedAt - ENDED_MS
      // Somebody may have moved it away: what is written to it would be found by nobody.
      const isThere = !isLarge && !isOld && (await stat(join(directory, current.name)).catch(() => undefined))
      if (isThere) return current
      await this.#end()
      await this.prune(now)
    }
    const name = fileName(now, randomBytes(4).toString('hex'))
    const file = await this.#open(join(directory, name))
    this.#current = { name, file, startedAt: now, size: 0 }
    return this.#current
  }

  async #end(): Promise<void> {
    const current = this.#current
    this.#current = undefined
    if (current === undefined) return
    this.#ended.add(current.name)
    await current.file.close().catch(() => {})
  }

  /** A file must not go on behind a torn line. */
  async #takeBack(current: Current): Promise<void> {
    try {
      await current.file.truncate(current.size)
    } catch {
      await this.#end()
    }
  }
}

/** A disk that is nearly full takes a part. */
async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done)
    if (bytesWritten === 0) throw new Error('the disk takes nothing')
    done += bytesWritten
  }
}
