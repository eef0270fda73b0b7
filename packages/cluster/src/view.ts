import type { Logger } from '@authstate/spi'
import type { ClusterProvider, ClusterView } from './contract.js'
import { changeOf, describeView, orderView } from './rules.js'

type Listener = Parameters<ClusterProvider['onViewChange']>[0]

const nobodyKnown: ReadonlySet<string> = new Set()

/** The view as this node last knew it, and who wants to hear of the next. */
export class ViewKeeper {
  readonly #logger: Logger
  readonly #listeners = new Set<Listener>()
  #view = orderView([], 0)

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get current(): ClusterView {
    return this.#view
  }

  /** @param departed Incarnations that said good-bye. */
  update(view: ClusterView, departed: ReadonlySet<string> = nobodyKnown): void {
    const change = changeOf(this.#view, view, departed)
    this.#view = view
    if (change === undefined) return
    this.#logger.info({ version: view.version, nodes: view.nodes.length }, describeView(view))
    for (const listener of this.#listeners) {
      try {
        listener(view, change)
      } catch (error) {
        this.#logger.error({ error: (error as Error)?.name }, 'cluster: a listener for views failed')
      }
    }
  }

  listen(listener: Listener): () => void {
    const own: Listener = (view, change) => listener(view, change)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  close(): void {
    this.#listeners.clear()
  }
}
