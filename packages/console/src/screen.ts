import type { Operations } from '@authstate/operations'
import type { Clock } from '@authstate/spi'
import type { Examiner } from './examiner.js'
import type { Figures } from './figures.js'
import type { Html } from './html.js'
import type { Operator } from './operator.js'
import type { CheckedOptions } from './options.js'
import type { Page } from './page.js'
import type { Seals } from './seals.js'
import type { Watch } from './watch.js'

/** What the screens read from. */
export interface Sources {
  readonly options: CheckedOptions
  readonly operations: Operations
  readonly clock: Clock
  readonly seals: Seals
  readonly figures: Figures
  readonly watch: Watch
  readonly examiner: Examiner
}

/** What is asked for. */
export interface Asked {
  readonly operator: Operator
  /** Those that the operator sees. */
  readonly realms: readonly string[]
  /** The realm that is looked at; `''` where the screen is of none. */
  readonly realmId: string
  /** Parts of the path behind the realm. */
  readonly rest: readonly string[]
  readonly query: URLSearchParams
}

/** Whose screen it is: of one realm, of the deployment and so not for an operator of some realms, or of everybody. */
export type Scope = 'realm' | 'deployment' | 'all'

/** A screen: its data are what the API answers, and its view shows them. */
export interface Screen<Data> {
  /** `'sessions'`; `'sessions/:realm/:reference'` where it is about one. */
  readonly path: string
  readonly api: string
  readonly title: string
  readonly scope: Scope
  /** Seconds after which an open page shows what is new. */
  readonly liveSeconds?: number
  /** Its data; `undefined` when it is about something that is not there. */
  load(asked: Asked, sources: Sources): Promise<Data | undefined>
  view(data: Data, page: Page): Html
}

/** A screen whose data only the screen itself knows. */
export type AnyScreen = Screen<unknown>

/** A request that cannot be fulfilled. The operator sees the message. */
export class BadRequest extends Error {}
