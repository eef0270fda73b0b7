import type { Logger } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'

/** Between two attempts, if Redis refuses to publish. */
const AGAIN_MS = 60_000

/** Whether this node may tell listeners what it adds to the work channel. Redis says so with each thing that is added. */
export class Announcing {
  readonly #channel: string
  readonly #sharded: boolean
  readonly #logger: Logger
  #told: boolean | undefined
  #refusedAt = 0

  constructor(channel: string, sharded: boolean, logger: Logger) {
    this.#channel = channel
    this.#sharded = sharded
    this.#logger = logger
  }

  /** Whether everything that is added is published, as far as is known. */
  get isTold(): boolean {
    return this.#told === true
  }

  /** Arguments of a script that adds something. */
  get arguments(): { readonly channel: string; readonly sharded: string } {
    const waits = this.#told === false && timers.monotonicMs() - this.#refusedAt < AGAIN_MS
    return { channel: waits ? '' : this.#channel, sharded: this.#sharded ? '1' : '' }
  }

  /** What came of it; `undefined`: nothing was added. */
  note(told: boolean | undefined, tried: boolean): void {
    if (told === undefined || !tried) return
    if (!told) {
      this.#refusedAt = timers.monotonicMs()
      if (this.#told !== false) {
        this.#logger.info(
          { right: this.#sharded ? '+spublish' : '+publish' },
          'cluster: Redis does not let this node tell listeners of the work channel, so all nodes read it; see docs/acl.md',
        )
      }
    }
    this.#told = told
  }
}
