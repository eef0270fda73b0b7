/** What the command ends with. */
export const EXIT = {
  /** Done; or fit. */
  done: 0,
  /** Something was found, or a part failed. */
  findings: 1,
  /** The arguments make no sense together. */
  usage: 2,
  /** The configuration cannot work, or a name is misspelt: of an option, a command, a file, a property, a variable. */
  configuration: 3,
  /** The store did not answer. */
  unavailable: 4,
  /** Nothing matched. */
  nothing: 5,
  /** It needs `--yes`, or an answer. */
  refused: 6,
  /** Ctrl-C. */
  interrupted: 130,
} as const

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends the command with a code and a message. */
export class CommandError extends Error {
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string) {
    super(message)
    this.name = 'CommandError'
    this.exitCode = exitCode
  }
}
