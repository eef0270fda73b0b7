import { join } from 'node:path'
import ts from 'typescript'
import { root } from '../lib/run.mjs'

/** What the comment of a declaration says: its text, and its `@default`. */
export interface Comment {
  readonly text: string
  readonly whenAbsent: string | undefined
}

const options: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  customConditions: ['@authstate/source'],
}

/** A program of some files, to be asked for types. */
export const programOf = (paths: readonly string[]): ts.Program =>
  ts.createProgram(
    paths.map((path) => join(root, path)),
    options,
  )

/** The comment in front of a node, as one line. */
export function commentOf(node: ts.Node): Comment | undefined {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).slice(-1)
  if (doc === undefined) return undefined
  const tag = doc.tags?.find(({ tagName }) => tagName.text === 'default')
  const flat = (comment: ts.JSDoc['comment']) =>
    (ts.getTextOfJSDocComment(comment) ?? '').replace(/\s+/g, ' ').trim()
  return { text: flat(doc.comment), whenAbsent: tag && flat(tag.comment) }
}

/** The comments of the properties in every object literal of a file, by name; of two with one name, the first. */
export function commentsOfProperties(text: string): Map<string, Comment> {
  const found = new Map<string, Comment>()
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name)) {
      const comment = commentOf(node)
      if (comment !== undefined && !found.has(node.name.text)) found.set(node.name.text, comment)
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('config.ts', text, ts.ScriptTarget.ES2022, true))
  return found
}
