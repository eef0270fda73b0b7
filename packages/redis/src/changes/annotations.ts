import changedLua from '../lua/lib/changed.lua'

/** How a record changed: `touch`, its times only; `removal`, it was removed. */
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

/** What consumers ask for. */
export interface Wanted {
  /** Whether a consumer asks for what ended. */
  readonly details: boolean
  /** Whether notes of such a change are asked for. */
  asksFor(change: Pick<Annotation, 'kind' | 'isEnding'>): boolean
}

/** What decides which lines of a script stand. */
export interface Asked extends Wanted {
  readonly maxNotes: number
}

const LINE = /^( *)--@(details)? ( *\S.*)\n/gm
const CALL = /\bchanged\('([\w-]+)', [^,]+, '(touch|full|removal)'(, [\w[\]]+)?\)/g

/** A script in its form without notes. */
export const withoutNotes = (annotated: string): string => annotated.replaceAll(LINE, '')

/**
 * What the lines of a script note.
 *
 * @throws TypeError when a line `--@` is none, or does not say what it notes
 */
export function annotationsOf(annotated: string): readonly Annotation[] {
  const strange = withoutNotes(annotated).match(/^.*--@.*$/m)
  if (strange) {
    throw new TypeError(
      `a line of notes begins with '--@ ' or '--@details ', and another line follows it: ${strange[0].trim()}`,
    )
  }
  return [...annotated.matchAll(LINE)].flatMap(([, , details, line = '']) =>
    details === undefined ? annotationsIn(line) : [],
  )
}

/** A script that notes what is asked for; `undefined`: no consumer asks for anything that it changes. */
export function withNotes(annotated: string, asked: Asked): string | undefined {
  if (!annotationsOf(annotated).some((annotation) => asked.asksFor(annotation))) return undefined
  const lua = annotated.replaceAll(LINE, (_, indent: string, details: string | undefined, line: string) => {
    if (details !== undefined) return asked.details ? `${indent}${line}\n` : ''
    const annotations = annotationsIn(line)
    const stands = annotations.length === 0 || annotations.some((annotation) => asked.asksFor(annotation))
    return stands ? `${indent}${line}\n` : ''
  })
  return `local MOST_NOTES = ${asked.maxNotes}\n${changedLua}\n${lua}`
}

function annotationsIn(line: string): readonly Annotation[] {
  const calls = [...line.matchAll(CALL)]
  if (calls.length < line.split('changed(').length - 1) {
    throw new TypeError(
      `a line of a script must say changed('kind', key, 'touch', 'full' or 'removal'): ${line}`,
    )
  }
  return calls.map(([, kind = '', how, gone]) => ({
    kind,
    how: how as How,
    isEnding: how === 'removal' || gone !== undefined,
  }))
}
