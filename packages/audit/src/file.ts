import { constants } from 'node:fs'
import { access, mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  assertOptions,
  type Clock,
  ConfigurationError,
  describedSchema,
  type Known,
  type ProviderFactory,
} from '@authstate/spi'
import { AuditLog } from './audit-log.js'
import { type FileAuditConfig, fileAuditConfig } from './config.js'
import { type AuditLine, type AuditProvider, auditSpi } from './contract.js'
import { SECRETS, USES } from './factory.js'
import { followFiles, scanFiles } from './file/reading.js'
import { FileWriter, type OpenFile } from './file/writing.js'
import type { AuditStore, Following, Scan, StoredLine } from './store.js'

/** How {@link fileAudit} opens its folder. */
export interface FileAuditOptions {
  /** Whether it is only read: then it need not be there, nor be writable. @default false */
  readonly readOnly?: boolean | undefined
}

const OPTIONS: Known<FileAuditOptions> = { readOnly: true }

/** Keeps lines in files of one JSON object per line, in a folder of this machine: each process writes files of its own. */
export function fileAudit(options: FileAuditOptions = {}): ProviderFactory<AuditProvider, FileAuditConfig> {
  assertOptions(options, 'options', OPTIONS)
  const { readOnly = false } = options
  return {
    spi: auditSpi,
    id: 'file',
    uses: USES,
    secrets: SECRETS,
    config: describedSchema(fileAuditConfig),
    async create(context, config) {
      if (!readOnly) await makeReady(config.directory)
      return new AuditLog(context, config, new FileStore(config, context.clock))
    },
  }
}

/** `mkdir` with `recursive` never ends below `/proc` and its like, which answer that a folder is missing whose parent is there. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o750 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(dirname(path))
    await mkdir(path, { mode: 0o750 })
  }
}

/** @throws {ConfigurationError} the folder cannot be made, or not be written to */
async function makeReady(directory: string): Promise<void> {
  try {
    await makeFolder(directory)
    await assertWritable(directory)
  } catch (error) {
    const { code = 'it failed' } = error as NodeJS.ErrnoException
    throw new ConfigurationError(`audit.directory: the folder cannot be written to: ${code}`)
  }
}

async function assertWritable(directory: string): Promise<void> {
  if (!(await stat(directory)).isDirectory())
    throw Object.assign(new Error('audit: its folder is not a folder'), { code: 'ENOTDIR' })
  await access(directory, constants.W_OK | constants.X_OK)
}

/** Lines in files. */
export class FileStore implements AuditStore {
  readonly #directory: string
  readonly #writer: FileWriter
  #last: Promise<void> = Promise.resolve()

  constructor(config: FileAuditConfig, clock: Clock, openFile?: OpenFile) {
    this.#directory = config.directory
    this.#writer = new FileWriter(config, clock, openFile)
  }

  append(lines: readonly AuditLine[], signal: AbortSignal): Promise<void> {
    const written = this.#last.then(async () => {
      signal.throwIfAborted()
      await this.#writer.write(lines)
    })
    this.#last = written.catch(() => {})
    return written
  }

  scan(scan: Scan): AsyncIterable<StoredLine> {
    return scanFiles(this.#directory, scan)
  }

  follow(): Promise<Following> {
    return followFiles(this.#directory)
  }

  async checkHealth(): Promise<void> {
    await assertWritable(this.#directory)
  }

  async close(): Promise<void> {
    await this.#last
    await this.#writer.close()
  }
}
