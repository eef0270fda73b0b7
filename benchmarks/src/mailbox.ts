const PATIENCE_MS = 5_000

/** Sends something to a partner and waits until its answer arrives. */
export class Mailbox {
  readonly #waiting = new Map<string, () => void>()

  async exchange(key: string, send: (key: string) => Promise<unknown>): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const arrived = new Promise<void>((resolve, reject) => {
      this.#waiting.set(key, resolve)
      timer = setTimeout(() => reject(new Error('a message got no answer')), PATIENCE_MS)
    })
    try {
      await Promise.all([send(key), arrived])
    } finally {
      clearTimeout(timer)
    }
  }

  arrived(key: string): void {
    this.#waiting.get(key)?.()
    this.#waiting.delete(key)
  }
}
