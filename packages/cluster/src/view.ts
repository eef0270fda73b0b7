import { Emitter, type Logger } from '@authstate/spi'
import type { ClusterProvider, ClusterView, ViewChange } from './contract.js'
import { changeOf, describeView, orderView } from './rules.js'

interface ViewEvents {
  readonly view: { readonly type: 'view'; readonly view: ClusterView; readonly change: ViewChange }
}

const nobodyKnown: ReadonlySet<string> = new Set()

/** The view as this node last knew it, and who wants to hear of the next. */
export class ViewKeeper {
  readonly #logger: Logger
  readonly #emitter: Emitter<ViewEvents>
  #view = orderView([], 0)

  constructor(logger: Logger) {
    this.#logger = logger
    this.#emitter = new Emitter<ViewEvents>({ owner: 'cluster', events: ['view'], logger })
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
    this.#emitter.emit('view', { view, change })
  }

  listen(listener: Parameters<ClusterProvider['onViewChange']>[0]): () => void {
    return this.#emitter.on('view', ({ view, change }) => listener(view, change))
  }

  close(): void {
    this.#emitter.clear()
  }
}
