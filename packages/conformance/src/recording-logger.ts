import type { Logger } from '@authstate/spi'

/** One call of a logger. */
export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: object
  readonly message: string
}

/** Keeps what is logged, for a test to read. */
export class RecordingLogger implements Logger {
  readonly entries: LogEntry[] = []

  debug = (fields: object, message: string) => this.#add('debug', fields, message)
  info = (fields: object, message: string) => this.#add('info', fields, message)
  warn = (fields: object, message: string) => this.#add('warn', fields, message)
  error = (fields: object, message: string) => this.#add('error', fields, message)

  #add(level: LogEntry['level'], fields: object, message: string): void {
    this.entries.push({ level, fields, message })
  }
}
