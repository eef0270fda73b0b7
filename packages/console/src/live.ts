import { timers } from '@authstate/spi/internal'
import type { Watch } from './watch.js'

const TICK_MS = 2_000
/** Then the browser asks again, and with it `authorize` is. */
const MOST_TICKS = 150
/** A browser that reads nothing is not written to without end. */
const MOST_UNREAD = 15

interface Stream {
  readonly controller: ReadableStreamDefaultController<Uint8Array>
  ticks: number
}

/** Tells open pages how the deployment is: one look for all of them, only while a page is open. */
export class Live {
  readonly #watch: Watch
  readonly #most: number
  readonly #now: () => number
  readonly #streams = new Set<Stream>()
  #timer: ReturnType<typeof setInterval> | undefined
  #isTelling = false

  constructor(watch: Watch, most: number, now: () => number) {
    this.#watch = watch
    this.#most = most
    this.#now = now
  }

  /** How many pages listen. */
  get size(): number {
    return this.#streams.size
  }

  /** A stream of events; `undefined` when there are as many as there may be. */
  open(): ReadableStream<Uint8Array> | undefined {
    if (this.#streams.size >= this.#most) return undefined
    let stream: Stream | undefined
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          stream = { controller, ticks: 0 }
          this.#streams.add(stream)
          this.#timer ??= timers.setInterval(() => void this.tell(), TICK_MS)
          this.#timer.unref?.()
          controller.enqueue(this.#event())
        },
        cancel: () => stream && this.#forget(stream),
      },
      { highWaterMark: MOST_UNREAD },
    )
  }

  /** Looks, and tells every open page. */
  async tell(): Promise<void> {
    if (this.#isTelling) return
    this.#isTelling = true
    try {
      await this.#watch.look()
      const event = this.#event()
      for (const stream of this.#streams) {
        stream.ticks += 1
        if ((stream.controller.desiredSize ?? 0) <= 0 || stream.ticks >= MOST_TICKS) this.#end(stream)
        else stream.controller.enqueue(event)
      }
    } finally {
      this.#isTelling = false
    }
  }

  close(): void {
    for (const stream of this.#streams) this.#end(stream)
  }

  #event(): Uint8Array {
    const { at, away } = this.#watch.sight
    const data = { now: this.#now(), at, ...(away && { away: away.sentence }) }
    return new TextEncoder().encode(`data: ${JSON.stringify(data)}\n\n`)
  }

  #end(stream: Stream): void {
    this.#forget(stream)
    stream.controller.close()
  }

  #forget(stream: Stream): void {
    this.#streams.delete(stream)
    if (this.#streams.size > 0) return
    timers.clearInterval(this.#timer)
    this.#timer = undefined
  }
}
