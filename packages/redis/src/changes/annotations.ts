import changedLua from '../lua/lib/changed.lua'

/** How a record changed: `touch`, its times only; `removal`, it is gone. */
export type How = 'touch' | 'full' | 'removal'

/** Kinds of records and how they are changed. */
export type Declared = Readonly<Record<string, readonly How[]>>

/** What a line of a script notes. */
export interface Annotation {
  readonly kind: string
  readonly how: How
  /** Whether a session or a client session ends by it. */
  readonly isEnding: boolean
}

/** What decides which lines of a script stand. */
export interface Asked {
  readonly maxNotes: number
  /** Whether some consumer asks for what is gone after an ending. */
  readonly details: boolean
  asksFor(annotation: Annotation): boolean
}

const LINE = /^( *)--@(details)? (.*)\n/gm
const CALL = /\bchanged\('([\w-]+)', (?:[^,]|\.\.)+, '(touch|full|removal)'(, [\w[\]]+)?\)/

/** A script as it is while nobody asks for notes. */
export const withoutNotes = (annotated: string): string => annotated.replaceAll(LINE, '')

/** What the lines of a script note. */
export function annotationsOf(annotated: string): readonly Annotation[] {
  return [...annotated.matchAll(LINE)].flatMap(([, , details, line = '']) => {
    if (details !== undefined || !line.includes('changed(')) return []
    return [annotationIn(line)]
  })
}

/** A script that notes what is asked for; `undefined`: nobody asks for anything that it changes. */
export function withNotes(annotated: string, asked: Asked): string | undefined {
  if (!annotationsOf(annotated).some((annotation) => asked.asksFor(annotation))) return undefined
  const lua = annotated.replaceAll(LINE, (_, indent: string, details: string | undefined, line: string) => {
    if (details !== undefined) return asked.details ? `${indent}${line}\n` : ''
    const stands = !line.includes('changed(') || asked.asksFor(annotationIn(line))
    return stands ? `${indent}${line}\n` : ''
  })
  return `local MOST_NOTES = ${asked.maxNotes}\n${changedLua}\n${lua}`
}

function annotationIn(line: string): Annotation {
  const [, kind, how, gone] = CALL.exec(line) ?? []
  if (kind === undefined || how === undefined) {
    throw new TypeError(
      `a line of a script must say changed('kind', key, 'touch', 'full' or 'removal'): ${line}`,
    )
  }
  return { kind, how: how as How, isEnding: how === 'removal' || gone !== undefined }
}
