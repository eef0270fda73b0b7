import { knownNames } from '@authstate/spi/internal'

/** What valibot says of a value that it refuses, as far as it is read here. */
export interface SchemaIssue {
  readonly type: string
  readonly message: string
  readonly expected: string | null
  readonly received: string
  readonly path?: readonly { readonly key: unknown }[] | undefined
}

/** Parts of a schema of valibot that hold other schemas. */
interface Node {
  readonly entries?: Readonly<Record<string, Node>>
  readonly wrapped?: Node
  /** Of the values of a record. */
  readonly value?: Node
  readonly item?: Node
  readonly options?: readonly unknown[]
}

/**
 * One sentence about options that a schema refuses: the place, and what is allowed there. It contains names and types, and no value.
 *
 * @param root What the options are called: `'redis'`.
 */
export function describeMistake(root: string, schema: unknown, issue: SchemaIssue): string {
  const path = (issue.path ?? []).map(({ key }) => String(key))
  const place = [root, ...path].join('.')
  if (issue.type === 'strict_object' && issue.expected === 'never') return unknownOption(root, schema, path)
  if (issue.type === 'strict_object' && issue.received === 'undefined') return `${place}: is missing`
  if (!issue.message.startsWith('Invalid ') || issue.expected === null) return `${place}: ${issue.message}`
  const expected = issue.expected.replace(/^\((.*)\)$/, '$1').replaceAll(' | ', ' or ')
  return `${place}: must be ${expected}`
}

/** The sentence about an option that does not exist. It names those that do, and the one that was probably meant. */
export function unknownOption(root: string, schema: unknown, path: readonly string[]): string {
  const known = path.slice(0, -1).reduce<readonly Node[]>(below, [schema as Node])
  const names = known.flatMap((node) => entriesOf(node).flatMap(Object.keys))
  return `${[root, ...path].join('.')}: this property does not exist. ${knownNames(path.at(-1) ?? '', names)}`
}

/** Schemas of what lies below `name`, whichever of a union is meant. */
const below = (nodes: readonly Node[], name: string): readonly Node[] =>
  nodes.flatMap(branches).flatMap(({ entries, value, item }) => entries?.[name] ?? value ?? item ?? [])

const entriesOf = (node: Node) => branches(node).flatMap(({ entries }) => entries ?? [])

function branches(node: Node): readonly Node[] {
  if (node.wrapped !== undefined) return branches(node.wrapped)
  const inner = (node.options ?? []).filter((option): option is Node => typeof option === 'object')
  return inner.length === 0 ? [node] : inner.flatMap(branches)
}
