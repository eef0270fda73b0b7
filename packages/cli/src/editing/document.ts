import { applyEdits, modify, type ParseError, parse, printParseErrorCode } from 'jsonc-parser'
import { isCollection, isScalar, parseDocument } from 'yaml'
import { CommandError, EXIT } from '../exit-codes.js'

/** Names that lead to a value, from the outermost. */
export type Path = readonly string[]

/** A file of configuration that is changed in place: comments and order stay. */
export interface ConfigDocument {
  readonly text: string
  /** What it says. */
  value(): unknown
  /** With another value there; a new one goes behind its neighbours. */
  with(path: Path, value: unknown): ConfigDocument
  /** Without the value there. */
  without(path: Path): ConfigDocument
}

/**
 * Reads a file of configuration: YAML by its name, else JSON with or without comments.
 *
 * @throws {CommandError} the text is damaged; names the line
 */
export function openDocument(name: string, text: string): ConfigDocument {
  return /\.ya?ml$/.test(name) ? openYaml(name, text) : openJson(name, text)
}

function openJson(name: string, text: string): ConfigDocument {
  const errors: ParseError[] = []
  const value: unknown = parse(text, errors, { allowTrailingComma: true })
  const [error] = errors
  if (error !== undefined) {
    throw damaged(name, text.slice(0, error.offset).split('\n').length, printParseErrorCode(error.error))
  }
  const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? '  '
  const formattingOptions = { insertSpaces: !indent.startsWith('\t'), tabSize: indent.length, eol: '\n' }
  const change = (path: Path, to: unknown) =>
    openJson(name, applyEdits(text, modify(text, [...path], to, { formattingOptions })))
  return {
    text,
    value: () => value,
    with: change,
    without: (path) => (valueAt(value, path) === undefined ? openJson(name, text) : change(path, undefined)),
  }
}

function openYaml(name: string, text: string): ConfigDocument {
  const document = parseDocument(text)
  const [error] = document.errors
  if (error !== undefined) throw damaged(name, error.linePos?.[0].line ?? 1, error.code)
  return {
    text,
    value: () => document.toJS() ?? {},
    with(path, to) {
      const changed = document.clone()
      if (!isCollection(changed.contents)) changed.contents = changed.createNode({}) as never
      const held = changed.getIn([...path], true)
      // A value that is replaced keeps the comment beside it.
      if (isScalar(held) && (typeof to !== 'object' || to === null)) held.value = to
      else changed.setIn([...path], changed.createNode(to))
      return openYaml(name, String(changed))
    },
    without(path) {
      const changed = document.clone()
      if (changed.hasIn([...path])) changed.deleteIn([...path])
      return openYaml(name, String(changed))
    },
  }
}

/** The value that a path leads to. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (found, name) =>
      typeof found === 'object' && found !== null && Object.hasOwn(found, name)
        ? (found as Record<string, unknown>)[name]
        : undefined,
    value,
  )
}

const damaged = (name: string, line: number, what: string): CommandError =>
  new CommandError(EXIT.configuration, `${name}: line ${line} is damaged (${what}); nothing was changed`)
