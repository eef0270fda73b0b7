import { createHash } from 'node:crypto'
import { assertOptions, type Known } from '@authstate/spi'
import { annotationsOf, type Declared, withoutNotes } from './changes/annotations.js'
import { concealScript } from './conceal.js'
import { type Snippets, withSnippets } from './include.js'
import { absentBeside } from './key-space.js'
import { noteSource } from './rights.js'

/** What a script does to the record it is about: `touch` changes times only, `removal` ends it. */
export type Change = 'none' | 'touch' | 'full' | 'removal'

/** A Lua script together with the names of its KEYS and ARGV, in order. */
export interface Script<K extends string = string, A extends string = string, R = unknown> {
  /** SPI and verb: `'action-token.consume'`. Named in errors and counts. */
  readonly name: string
  readonly lua: string
  readonly sha1: string
  /** The same with the lines that note changes, see {@link Script.changes}. */
  readonly annotated: string
  /** The kind of record the script is about: `'action-token'`. */
  readonly record: string
  readonly change: Change
  /**
   * Kinds of records that the script changes, each with the ways in which it does; or, of one that writes, why it changes no
   * record. Its lines `--@ changed('kind', key, 'how')` note the same; a test holds both equal. See docs/changes.md.
   */
  readonly changes?: Declared | string
  readonly keys: readonly K[]
  readonly args: readonly A[]
  /** An empty last argument is not sent, so that what is seldom asked for costs nothing: the script finds nil. */
  readonly lastIsOptional?: boolean
  readonly decode: (reply: unknown) => R
}

/** What {@link defineScript} makes a script of. */
export type ScriptDefinition<K extends string = string, A extends string = string, R = unknown> = Omit<
  Script<K, A, R>,
  'sha1' | 'annotated'
> & {
  /** Lua by the name under which the script includes it. */
  readonly include?: Snippets | undefined
}

// A script that is there may be what another is made of.
const DEFINITION: Known<ScriptDefinition & Script> = {
  name: true,
  lua: true,
  sha1: true,
  annotated: true,
  changes: true,
  record: true,
  change: true,
  keys: true,
  args: true,
  lastIsOptional: true,
  decode: true,
  include: true,
}

/** Values of a script's ARGV by name. */
export type ScriptArgs<A extends string> = Readonly<Record<A, string | number>>

/**
 * Describes a Lua script: the only way to write to Redis in this library.
 *
 * One script is one atomic step on one partition, with a fixed number of keys. `keys` and `args` are held equal to
 * the header of the `.lua` file by a test. On a Cluster KEYS has one more at its end, which is never there and must
 * not be written: see docs/storage.md, "A Cluster that changes".
 *
 * A line `-- include: name, other` of the Lua stands for snippets: those of `include`, and those that every package may
 * include (src/lua/lib, and `grace`). A snippet may include others.
 *
 * A line that begins with `--@` is there only if some consumer asks for its note: `--@ changed(…)`
 * notes that a record changed, `--@details …` collects what will have ended. Without a consumer the
 * line costs nothing.
 *
 * @throws TypeError when a snippet is unknown, or includes itself; when a property is unknown; when a line `--@` with `changed` does
 *   not say what it notes
 */
export function defineScript<const K extends string, const A extends string, R>(
  definition: ScriptDefinition<K, A, R>,
): Script<K, A, R> {
  assertOptions<ScriptDefinition & Script>(definition, 'definition', DEFINITION)
  const { include, ...script } = definition as ScriptDefinition<K, A, R>
  const annotated = withSnippets(script.name, script.lua, include)
  annotationsOf(annotated)
  const lua = withoutNotes(annotated)
  return Object.freeze({ ...script, annotated, lua, sha1: known(lua) })
}

/** The same script in other words: keys, arguments and answer stay. */
export function scriptSaying<S extends Script>(script: S, lua: string): S {
  return Object.freeze({ ...script, lua, sha1: known(lua) })
}

/** Losing a touch in a failover never ends a session, so it need not wait for replicas. */
export const isDurable = ({ change }: Script): boolean => change === 'full' || change === 'removal'

/** The hash of a source that errors and traces know from now on. */
function known(lua: string): string {
  const sha1 = createHash('sha1').update(lua).digest('hex')
  concealScript(sha1, lua)
  noteSource(sha1, lua)
  return sha1
}

/**
 * What goes behind EVALSHA: the hash, the number of keys, and the values in the order of the script's KEYS and ARGV.
 *
 * @param isForCluster With one more key that is never there. While a slot moves, a Cluster refuses what names several keys of
 *   which one is absent (TRYAGAIN). Without it, a script would run where a key that it derives is no more, and be ended
 *   there halfway.
 */
export function scriptParameters<K extends string, A extends string>(
  script: Script<K, A>,
  keys: Readonly<Record<K, string>>,
  args: ScriptArgs<A>,
  isForCluster = false,
): [sha1: string, numberOfKeys: number, ...keysAndArgs: (string | number)[]] {
  const parameters: [string, number, ...(string | number)[]] = [script.sha1, script.keys.length]
  let index = 2
  for (const name of script.keys) parameters[index++] = keys[name]
  const absent = isForCluster && index > 2 ? absentBeside(parameters[2] as string) : undefined
  if (absent !== undefined) {
    parameters[1] += 1
    parameters[index++] = absent
  }
  for (const name of script.args) parameters[index++] = args[name]
  if (script.lastIsOptional && parameters[index - 1] === '') parameters.length -= 1
  return parameters
}
