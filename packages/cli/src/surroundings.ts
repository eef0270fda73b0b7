/** A stream that the command writes to. */
export interface Output {
  /** Writes a text, as it is. */
  write(text: string): void
  /** Whether a person reads along. */
  readonly isTerminal: boolean
  /** Characters of a line. */
  readonly columns: number
}

/** Everything outside of the command, so that a test can be outside. */
export interface Surroundings {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: Output
  readonly stderr: Output
  /** Whether a person can answer. */
  readonly canAsk: boolean
  /** Asks a person. */
  ask(question: string): Promise<string>
  /** All of standard input. */
  readInput(): Promise<string>
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal
  /** The person who runs the command, for the audit. @default unknown */
  readonly user?: string | undefined
  /** Ms since the epoch. */
  now(): number
}
