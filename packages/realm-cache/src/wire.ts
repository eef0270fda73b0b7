import type { Declaration } from './transport.js'

// What one node tells the others: names of keys and tags, never a value.

/** Topic of the work channel. */
export const TOPIC = 'realm-cache'

interface DeclarationOnWire {
  /** Region; absent: every region. */
  readonly r?: string
  readonly k?: readonly string[]
  readonly t?: readonly string[]
  /** Everything in it. */
  readonly c?: 1
  /** Its second level has been notified. */
  readonly s?: 1
}

/** Characters of JSON in one event; below the smallest ceiling that the cluster can be given for long names. */
const MAX_CHARACTERS = 3_500

/** One event per element. */
export function encodeDeclarations(
  declarations: readonly Declaration[] | 'everything',
): DeclarationOnWire[][] {
  if (declarations === 'everything') return [[{ c: 1 }]]
  const events: DeclarationOnWire[][] = []
  for (const { region, invalidated, isShared } of declarations) {
    const about = isShared ? ({ r: region, s: 1 } as const) : { r: region }
    if (invalidated === 'all') {
      events.push([{ ...about, c: 1 }])
      continue
    }
    for (const keys of inChunks(invalidated.keys)) events.push([{ ...about, k: keys }])
    for (const tags of inChunks(invalidated.tags)) events.push([{ ...about, t: tags }])
  }
  return events
}

/** `undefined` for what this version cannot read: it may have said anything. */
export function decodeDeclarations(event: unknown): readonly Declaration[] | 'everything' | undefined {
  if (!Array.isArray(event)) return undefined
  const declarations: Declaration[] = []
  for (const said of event as readonly unknown[]) {
    if (!isDeclaration(said)) return undefined
    const { r: region, k: keys = [], t: tags = [], c, s } = said
    if (region === undefined) return c === 1 ? 'everything' : undefined
    declarations.push({ region, invalidated: c === 1 ? 'all' : { keys, tags }, isShared: s === 1 })
  }
  return declarations
}

function isDeclaration(said: unknown): said is DeclarationOnWire {
  if (typeof said !== 'object' || said === null) return false
  const { r, k, t } = said as Readonly<Record<string, unknown>>
  return (r === undefined || typeof r === 'string') && areNames(k) && areNames(t)
}

const areNames = (said: unknown): boolean =>
  said === undefined || (Array.isArray(said) && said.every((name) => typeof name === 'string'))

function inChunks(names: readonly string[]): string[][] {
  const chunks: string[][] = []
  let room = 0
  for (const name of names) {
    const characters = JSON.stringify(name).length + 1
    if (characters > room) {
      chunks.push([])
      room = MAX_CHARACTERS
    }
    chunks.at(-1)?.push(name)
    room -= characters
  }
  return chunks
}
