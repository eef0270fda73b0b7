/** What a source may also begin with: it names no row of the page. */
const WORDS =
  /^(contract|issue|house rules|architecture|performance|peers:|RFC \d+|CVE-\d+-\d+|(§8 )?D\d+$|[VC]\d+$)/

/** The parts of a case's source that `docs/sources.md` does not explain. */
export function unknownSources(source: string, page: string): string[] {
  let before = ''
  return source
    .replace(/\s*\([^)]*\)/g, '')
    .split(/\s*[,;]\s*/)
    .flatMap((part) => {
      // A number alone is one more row of §19.
      const text = /^\d+$/.test(part) ? `${before} ${part}`.trim() : part
      before = /^§19 rows?/.test(text) ? '§19 row' : ''
      return unknownPart(text, page)
    })
}

function unknownPart(text: string, page: string): string[] {
  const missing = (heading: string, names: readonly string[], prefix = ''): string[] =>
    names.filter((name) => !hasRow(page, heading, name)).map((name) => `${prefix}${name}`)
  const [, chapter, number] = /^(A\d+)\/(\d+)$/.exec(text) ?? []
  if (chapter !== undefined && number !== undefined) {
    const known = missing('Scenarios', [number], 'scenario ')
    return known.length > 0 || hasRow(page, `${chapter}\\.`, number)
      ? known
      : [`scenario ${number} is not of ${chapter}`]
  }
  const [, rows] = /^§19(?:\.| rows? )(\d.*)$/.exec(text) ?? []
  if (rows !== undefined) return missing('Known failures', rows.match(/\d+/g) ?? [], '§19 row ')
  const [, peer] = /^peers (?:B )?(\d+)$/.exec(text) ?? []
  if (peer !== undefined) return missing('Peers', [peer], 'peers ')
  const [, node] = /^nodes (\d+)$/.exec(text) ?? []
  if (node !== undefined) return missing('Application nodes', [node], 'nodes ')
  const [vector] = /^B\d+(?=\/|$)/.exec(text) ?? []
  if (vector !== undefined) return missing('Vectors', [vector])
  if (WORDS.test(text)) return []
  const [section] = /^§\d+(\.\d+)?/.exec(text) ?? []
  return section === undefined ? [text] : missing('Sections', [section])
}

/** Numbers of the scenarios that a source names. */
export function scenariosOf(source: string): number[] {
  return [...source.matchAll(/\bA\d+\/(\d+)/g)].map(([, number]) => Number(number))
}

/** Numbers in the first column of the tables under a heading and those below it. */
export function rowsOf(heading: string, page: string): number[] {
  const [, level = '', body = ''] = new RegExp(`^(#+) ${heading}.*\\n([\\s\\S]*)`, 'm').exec(page) ?? []
  const [own = ''] = body.split(new RegExp(`^#{1,${level.length}} `, 'm'))
  return [...own.matchAll(/^\| (\d[\d, ]*) \|/gm)].flatMap(([, numbers = '']) =>
    numbers.split(', ').map(Number),
  )
}

/** Whether the table under a heading, or under a heading below that, has a row of that name. */
function hasRow(page: string, heading: string, name: string): boolean {
  const [, level = '', body = ''] = new RegExp(`^(#+) ${heading}.*\\n([\\s\\S]*)`, 'm').exec(page) ?? []
  const [own = ''] = body.split(new RegExp(`^#{1,${level.length}} `, 'm'))
  return own.includes(`\n| ${name} |`)
}
