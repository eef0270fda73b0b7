import { KEY_GRACE_MS } from './key-space.js'
import besideLua from './lua/lib/beside.lua'
import digestsLua from './lua/lib/digests.lua'
import enterLua from './lua/lib/enter.lua'
import followsLua from './lua/lib/follows.lua'
import joinsLua from './lua/lib/joins.lua'
import keepLua from './lua/lib/keep.lua'
import livingBehindLua from './lua/lib/living-behind.lua'
import momentsLua from './lua/lib/moments.lua'
import pruneLua from './lua/lib/prune.lua'
import raiseLua from './lua/lib/raise.lua'
import rankBehindLua from './lua/lib/rank-behind.lua'
import walkLua from './lua/lib/walk.lua'

/** Pieces of Lua by name, for `-- include: name` in a script. */
export type Snippets = Readonly<Record<string, string>>

/** What scripts of every package may include. A package that has a snippet of the same name gets its own. */
const shared: Snippets = {
  beside: besideLua,
  digests: digestsLua,
  enter: enterLua,
  follows: followsLua,
  grace: `-- Redis keeps a record this long behind its end, ms.\nlocal GRACE = ${KEY_GRACE_MS}`,
  joins: joinsLua,
  keep: keepLua,
  'living-behind': livingBehindLua,
  moments: momentsLua,
  prune: pruneLua,
  raise: raiseLua,
  'rank-behind': rankBehindLua,
  walk: walkLua,
}

/**
 * A script with snippets in the place of `-- include: name, other`. They stand where they are needed: a function costs
 * each run that defines it.
 *
 * @throws TypeError when a snippet is unknown, or includes itself
 */
export function withSnippets(script: string, lua: string, snippets: Snippets = {}): string {
  const complete = (text: string, within: readonly string[]): string =>
    text.replaceAll(/^ *-- include: (.+)$/gm, (_, names: string) =>
      names
        .split(', ')
        .map((name) => {
          const snippet = find(name, snippets) ?? find(name, shared)
          if (snippet === undefined) {
            const known = [...new Set([...Object.keys(snippets), ...Object.keys(shared)])].sort()
            throw new TypeError(`${script} includes '${name}'. A snippet is one of: ${known.join(', ')}`)
          }
          if (within.includes(name))
            throw new TypeError(`${script} includes '${name}', which includes itself`)
          return complete(snippet, [...within, name])
        })
        .join('\n'),
    )
  return complete(lua, [])
}

function find(name: string, snippets: Snippets): string | undefined {
  return Object.hasOwn(snippets, name) ? snippets[name] : undefined
}
