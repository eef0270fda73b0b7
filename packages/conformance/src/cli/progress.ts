/** Where it is said what runs. */
export interface ProgressHost {
  complain(text: string): void
  readonly isTerminal?: boolean | undefined
}

const WIDTH = 78

/** Says which case runs: on a terminal in one line that changes, elsewhere in a line of its own. On standard error. */
export class Progress {
  readonly #what: string
  readonly #count: number
  readonly #host: ProgressHost
  #begun = 0

  /** @param what The suite and its target. */
  constructor(what: string, count: number, host: ProgressHost) {
    this.#what = what
    this.#count = count
    this.#host = host
  }

  begin(name: string): void {
    this.#begun += 1
    const line = `${this.#what} ${this.#begun}/${this.#count}: ${name}`
    this.#host.complain(this.#host.isTerminal ? `\r${line.slice(0, WIDTH).padEnd(WIDTH)}` : `${line}\n`)
  }

  /** Takes the line away that changed. */
  end(): void {
    if (this.#host.isTerminal && this.#begun > 0) this.#host.complain(`\r${' '.repeat(WIDTH)}\r`)
  }
}
