import type { Action } from './action.js'
import { ACTIONS } from './actions.js'
import type { AnyScreen } from './screen.js'
import { audit } from './screens/audit.js'
import { caches } from './screens/caches.js'
import { clients } from './screens/clients.js'
import { cluster } from './screens/cluster.js'
import { configuration } from './screens/configuration.js'
import { failures } from './screens/failures.js'
import { overview } from './screens/overview.js'
import { redis } from './screens/redis.js'
import { session } from './screens/session.js'
import { sessions } from './screens/sessions.js'
import { sites } from './screens/sites.js'
import { user } from './screens/user.js'

/** All screens, in the order of the menu. */
export const SCREENS: readonly AnyScreen[] = [
  overview,
  sessions,
  session,
  user,
  clients,
  failures,
  caches,
  cluster,
  sites,
  redis,
  configuration,
  audit,
]

/** Where a path leads, with what stands in it. */
export interface Found<T> {
  readonly target: T
  /** Of the path; absent where it names none. */
  readonly realmId?: string
  readonly rest: readonly string[]
}

function match<T>(
  targets: readonly T[],
  patternOf: (target: T) => string,
  parts: readonly string[],
): Found<T> | undefined {
  for (const target of targets) {
    const pattern = patternOf(target).split('/')
    if (pattern.length !== parts.length) continue
    if (!pattern.every((part, n) => part.startsWith(':') || part === parts[n])) continue
    const [realmId, ...rest] = parts.filter((_, n) => pattern[n]?.startsWith(':'))
    return { target, ...(realmId !== undefined && { realmId }), rest }
  }
  return undefined
}

/** The screen of a page. */
export const screenAt = (parts: readonly string[]): Found<AnyScreen> | undefined =>
  match(SCREENS, ({ path }) => path, parts)

/** The screen whose data are asked for. */
export const dataAt = (parts: readonly string[]): Found<AnyScreen> | undefined =>
  match(SCREENS, ({ api }) => api, parts)

/** The action that a form is sent to. */
export const actionAt = (parts: readonly string[]): Found<Action> | undefined =>
  match(ACTIONS, ({ path }) => path, parts)

/** Parts of a path, each as it was before it was spelt for an address; `undefined` where one is misspelt. */
export function partsOf(path: string): readonly string[] | undefined {
  try {
    return path.split('/').map(decodeURIComponent)
  } catch {
    return undefined
  }
}
