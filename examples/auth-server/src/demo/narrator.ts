/** Says what happens, step by step, and counts. */
export class Narrator {
  #steps = 0
  readonly #say: (line: string) => void

  constructor(say: (line: string) => void = console.log) {
    this.#say = say
  }

  get steps(): number {
    return this.#steps
  }

  /** Runs a step that throws where something is not as it should be. */
  async step(title: string, run: () => Promise<string>): Promise<void> {
    const number = this.#steps + 1
    try {
      const outcome = await run()
      this.#steps = number
      this.#say(`${String(number).padStart(2)}. ${title}\n    ${outcome}`)
    } catch (cause) {
      throw new Error(`step ${number} failed: ${title}`, { cause })
    }
  }
}
