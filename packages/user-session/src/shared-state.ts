/** A value with the stamp of when it was written: 15 digits of a hybrid clock, and the site. `'-'`: there is none any more. */
export type Stamped = readonly [stamp: string, value: string]

/** Values by their names. */
export type StampedParts = Readonly<Record<string, Stamped>>

/** A client session: when it was attached, and what it is since then. Of one that was detached only the first two are there. */
export type SharedClient = readonly [
  stamp: string,
  startedAt: string,
  lastRefreshAt?: string,
  expiresAt?: string,
  parts?: StampedParts,
]

/** What sites agree on of a user session. `src/lua/lib/shared.lua` makes it and joins it as {@link joinShared} does. */
export interface SharedSession {
  /** Stamp of its removal. */
  readonly d?: string
  /** What a restart replaces, with the stamp of the latest. Absent: the session has ended. */
  readonly g?: Stamped
  /** Until when, in millionths of a second, a removal of all sessions of the user has spared it. */
  readonly k?: string
  /** lastRefreshAt, ms since the epoch. */
  readonly r?: string
  /** expiresAt, ms since the epoch. */
  readonly x?: string
  /** State and notes. */
  readonly n?: StampedParts
  /** Client sessions by client. */
  readonly c?: Readonly<Record<string, SharedClient>>
  /** Families of refresh tokens, and until when tokens of a forgotten one are refused. */
  readonly f?: StampedParts
  /** By family, the latest uses of its tokens, the latest first: `'at:maxReuse:startedAt:presented:successor'`. */
  readonly u?: Readonly<Record<string, readonly string[]>>
}

/**
 * What two sites hold together: commutative, associative and idempotent, so that order, repetition and loss on the way do not matter.
 *
 * The later stamp stands, per part. The latest use of both counts, also of a generation that a restart replaced. A removal absorbs
 * everything, unless `revives`: then it absorbs what was begun before it.
 *
 * @param revives An id may come again after its removal: that of an offline session.
 */
export function joinShared(
  a: SharedSession | undefined,
  b: SharedSession | undefined,
  revives: boolean,
): SharedSession | undefined {
  if (a === undefined || b === undefined) return a ?? b
  const d = later(a.d, b.d)
  const g = higher(a.g, b.g)
  const isDead = d !== undefined && !(revives && g !== undefined && g[0] > d)
  if (isDead) return { d }
  const isSame = a.g !== undefined && b.g !== undefined && a.g[0] === b.g[0] && a.g[1] === b.g[1]
  const first = g === a.g ? a : b
  const both = isSame || !revives
  return clean({
    d,
    g,
    k: both ? larger(a.k, b.k) : first.k,
    ...(both ? latestUse(a, b) : { r: first.r, x: first.x }),
    n: isSame ? eachOf(a.n, b.n, (_, x, y) => higher(x, y)) : first.n,
    c: isSame ? eachOf(a.c, b.c, (_, x, y) => higherClient(x, y)) : first.c,
    f: both ? eachOf(a.f, b.f, higherTokens) : first.f,
    u: both ? eachOf(a.u, b.u, (_, x, y) => latestUses(x, y)) : first.u,
  })
}

const clean = (
  state: {
    readonly [Name in keyof SharedSession]: SharedSession[Name] | undefined
  },
): SharedSession =>
  Object.fromEntries(Object.entries(state).filter(([, part]) => part !== undefined)) as SharedSession

const later = (a: string | undefined, b: string | undefined) =>
  a === undefined || (b !== undefined && b > a) ? b : a

const larger = (a: string | undefined, b: string | undefined) =>
  a === undefined || (b !== undefined && Number(b) > Number(a)) ? b : a

function higher<Part extends readonly [string, string, ...unknown[]]>(
  a: Part | undefined,
  b: Part | undefined,
): Part | undefined {
  if (a === undefined || b === undefined) return a ?? b
  if (a[0] !== b[0]) return a[0] > b[0] ? a : b
  return compareBytes(a[1], b[1]) >= 0 ? a : b
}

/** Byte by byte, as Redis compares. */
const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

function higherClient(a: SharedClient, b: SharedClient): SharedClient {
  if (a[0] !== b[0] || a[1] !== b[1] || a[1] === '-') return higher(a, b) as SharedClient
  const [stamp, startedAt, r, x, parts] = a
  const use = latestUse({ r, x }, { r: b[2], x: b[3] })
  return [stamp, startedAt, use.r, use.x, eachOf(parts, b[4], (_, x, y) => higher(x, y))] as SharedClient
}

/** When something was used last, and when it ends because of that. */
interface Use {
  readonly r?: string | undefined
  readonly x?: string | undefined
}

/** Of two uses the later one stands, with the end that follows from it. Of one use the sooner end: time-outs were shortened. */
function latestUse(a: Use, b: Use): { readonly r: string | undefined; readonly x: string | undefined } {
  const [ofA, ofB] = [Number(a.r), Number(b.r)]
  const { r, x } = ofA > ofB || (ofA === ofB && Number(a.x) <= Number(b.x)) ? a : b
  return { r, x }
}

/** A family that ended stays so; of a forgotten one the latest instant counts. */
function higherTokens(field: string, a: Stamped, b: Stamped): Stamped {
  const rank = ([, value]: Stamped) => {
    if (!field.startsWith('g:')) return value.startsWith('0:') ? 1 : 0
    return value === '-' ? -1 : Number(value)
  }
  const [ofA, ofB] = [rank(a), rank(b)]
  if (ofA !== ofB) return ofA > ofB ? a : b
  return higher(a, b) as Stamped
}

/** Four are remembered, and more where more are allowed. */
function latestUses(a: readonly string[], b: readonly string[]): readonly string[] {
  const all = [...new Set([...a, ...b])].sort((x, y) => compareBytes(y, x))
  const most = Math.max(...all.map((use) => Number(use.split(':')[1])))
  return all.slice(0, 4 + Math.min(most, 8))
}

function eachOf<Part>(
  a: Readonly<Record<string, Part>> = {},
  b: Readonly<Record<string, Part>> = {},
  choose: (name: string, a: Part, b: Part) => Part | undefined,
): Readonly<Record<string, Part>> {
  const joined = Object.entries(a).map(([name, part]) => {
    const other = Object.hasOwn(b, name) ? b[name] : undefined
    return [name, other === undefined ? part : choose(name, part, other)] as const
  })
  const rest = Object.entries(b).filter(([name]) => !Object.hasOwn(a, name))
  // Names come from callers: `__proto__` is one like any other.
  return Object.fromEntries([...joined, ...rest]) as Readonly<Record<string, Part>>
}
