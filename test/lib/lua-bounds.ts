const UNPACK = /\bunpack\(/
const SAYS_ITS_BOUND = /unpack\([^\n]*math\.min\(|-- at most \d+/

/**
 * `path:line` for every `unpack` in a script that has no bound: Lua's stack holds some thousands of values, and a record
 * or an index that has grown beyond that could not be served any more.
 *
 * A bound is a `math.min` in the call, the `LIMIT` of the command that filled the list, or a remark that says it.
 */
export const unboundedUnpacks = (files: ReadonlyMap<string, string>): string[] =>
  [...files].flatMap(([path, text]) => {
    const lines = text.split('\n')
    return lines.flatMap((line, i) => {
      const code = line.replace(/^\s*--.*$/, '')
      if (!UNPACK.test(code) || SAYS_ITS_BOUND.test(code)) return []
      const list = /\bunpack\((\w+)\)/.exec(code)?.[1]
      const filled = lines.slice(0, i).findLast((item) => new RegExp(`\\blocal ${list} = `).test(item))
      return filled !== undefined && /'LIMIT', 0, \d+\)/.test(filled) ? [] : [`${path}:${i + 1}`]
    })
  })
