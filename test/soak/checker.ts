// What must not be in any history, whatever failed while it was made.
import type { Entry } from './history.js'

/** What the store holds when everybody has stopped. */
export interface FinalState {
  /** Sessions that a look-up finds. */
  readonly alive: ReadonlySet<string>
  /** Sessions that a listing of their user has. */
  readonly listed: ReadonlySet<string>
  /** What the realm says that it has. */
  readonly count: number
  readonly failures: ReadonlyMap<string, number>
}

/** What a history must not have, in words; none when it has nothing of that. */
export function violations(history: readonly Entry[], end: FinalState, staleAfterMs: number): string[] {
  return [
    ...sessions(history, end),
    ...tokens(history),
    ...loginFailures(history, end),
    ...cache(history, staleAfterMs),
    ...history.flatMap((item) => (item.type === 'error' ? errors(item) : [])),
  ]
}

/** Verbs that end, revoke or forget: they work on a full server. */
const WAYS_OUT = ['remove', 'removeByUser', 'sweep']

function errors({ verb, message, isExpected }: Of<'error'>): string[] {
  if (!isExpected) return [`${verb}: an error of the wrong class: ${message}`]
  if (WAYS_OUT.includes(verb) && message.includes('OOM')) return [`${verb} was refused by a full server`]
  return []
}

type Of<T extends Entry['type']> = Extract<Entry, { readonly type: T }>

const all = <T extends Entry['type']>(history: readonly Entry[], type: T): Of<T>[] =>
  history.filter((item): item is Of<T> => item.type === type)

function by<E>(entries: readonly E[], nameOf: (entry: E) => string): Map<string, E[]> {
  const groups = new Map<string, E[]>()
  for (const item of entries) {
    const group = groups.get(nameOf(item))
    if (group === undefined) groups.set(nameOf(item), [item])
    else group.push(item)
  }
  return groups
}

/** A login that was authenticated so long after a sign-out ended, in ms, is in doubt for no clock. */
const DOUBT_MS = 2_000

interface Ending {
  readonly began: number
  readonly ended: number
  readonly failed?: 'no' | 'unknown'
}

/** The removals of a session, and the sign-outs that must end it or may. */
function endingsOf(
  { userId, began, authenticated = [began, began] }: Of<'create'>,
  removals: readonly Ending[],
  signOuts: ReadonlyMap<string, readonly Ending[]>,
): Ending[] {
  const [from, to] = authenticated
  const ofUser = userId === undefined ? [] : (signOuts.get(userId) ?? [])
  return [
    ...removals,
    ...ofUser.flatMap((item): Ending[] => {
      if (from > item.ended + DOUBT_MS) return []
      // Authenticated while it went on, or shortly after: it may have ended the session, or not.
      return [to < item.began ? item : { ...item, failed: item.failed ?? 'unknown' }]
    }),
  ]
}

function sessions(history: readonly Entry[], end: FinalState): string[] {
  const found: string[] = []
  const removals = by(all(history, 'remove'), ({ id }) => id)
  const signOuts = by(all(history, 'sign-out'), ({ userId }) => userId)
  const looks = by(all(history, 'look'), ({ id }) => id)
  const created = new Map(all(history, 'create').map((item) => [item.id, item]))
  for (const [id, login] of created) {
    const { ended } = login
    const tried = endingsOf(login, removals.get(id) ?? [], signOuts)
    const gone = Math.min(
      ...tried.map((item) => (item.failed === undefined ? item.ended : Number.POSITIVE_INFINITY)),
    )
    const mayGo = Math.min(
      ...tried.map((item) => (item.failed === 'no' ? Number.POSITIVE_INFINITY : item.began)),
    )
    for (const look of looks.get(id) ?? []) {
      if (look.isThere && look.began > gone) found.push(`session ${id} came back after its removal`)
      if (!look.isThere && look.began > ended && look.ended < mayGo) found.push(`session ${id} was lost`)
    }
    if (end.alive.has(id) && gone < Number.POSITIVE_INFINITY) found.push(`session ${id} is there at the end`)
    if (!end.alive.has(id) && mayGo === Number.POSITIVE_INFINITY)
      found.push(`session ${id} is lost at the end`)
  }
  for (const id of end.alive) if (!end.listed.has(id)) found.push(`session ${id} is alive and not listed`)
  for (const id of end.listed) {
    if (created.has(id) && !end.alive.has(id)) found.push(`session ${id} is listed and not alive`)
  }
  if (end.count !== end.listed.size) {
    found.push(`${end.count} sessions are counted, ${end.listed.size} are listed`)
  }
  return found
}

function tokens(history: readonly Entry[]): string[] {
  const found: string[] = []
  const consumed = by(all(history, 'consume'), ({ token }) => token)
  for (const [token, tries] of consumed) {
    const redeemed = tries.filter(({ outcome }) => outcome === 'consumed').length
    if (redeemed > 1) found.push(`token ${token} was redeemed ${redeemed} times`)
  }
  for (const { token, ended } of all(history, 'put')) {
    for (const { began, outcome } of consumed.get(token) ?? []) {
      if (outcome === 'unknown' && began > ended) found.push(`token ${token} was lost`)
    }
  }
  return found
}

function loginFailures(history: readonly Entry[], end: FinalState): string[] {
  const found: string[] = []
  for (const [userId, tries] of by(all(history, 'fail'), (item) => item.userId)) {
    const least = tries.filter(({ failed }) => failed === undefined).length
    const most = tries.filter(({ failed }) => failed !== 'no').length
    const counted = end.failures.get(userId) ?? 0
    if (counted < least) found.push(`${least} failures of ${userId} were confirmed, ${counted} are counted`)
    if (counted > most) found.push(`${most} failures of ${userId} were tried, ${counted} are counted`)
  }
  return found
}

function cache(history: readonly Entry[], staleAfterMs: number): string[] {
  const found: string[] = []
  const writes = by(all(history, 'write'), ({ key }) => key)
  for (const { key, version, began } of all(history, 'read')) {
    const known = Math.max(
      0,
      ...(writes.get(key) ?? [])
        .filter((item) => item.ended + staleAfterMs < began)
        .map((item) => item.version),
    )
    if (version < known) {
      found.push(`${key} was read as version ${version}, ${staleAfterMs} ms after ${known} was announced`)
    }
  }
  return found
}
