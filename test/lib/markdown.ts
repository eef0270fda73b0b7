import { posix } from 'node:path'

export interface Block {
  readonly path: string
  /** Line of the opening fence. */
  readonly line: number
  readonly code: string
}

const FENCE = /^```(\S*)[ \t]*(.*)\n([\s\S]*?)^```[ \t]*$/gm

/**
 * The TypeScript blocks of a page. Each is a module of its own; a block whose fence says `ts continues` goes on
 * where the block before it ended.
 */
export function typescriptBlocks(path: string, text: string): Block[] {
  const blocks: Block[] = []
  for (const match of text.matchAll(FENCE)) {
    const [, language, info, code = ''] = match
    if (language !== 'ts') continue
    const line = text.slice(0, match.index).split('\n').length
    const before = blocks.at(-1)
    if (info === 'continues' && before !== undefined)
      blocks[blocks.length - 1] = { ...before, code: before.code + code }
    else blocks.push({ path, line, code })
  }
  return blocks
}

/** What the examples of docstrings may use without saying where it comes from. */
const OF_EXAMPLES = "import type { AuthState } from 'authstate'\ndeclare const state: AuthState\n"

/** The `@example` blocks in the docstrings of a source. Each is a module of its own, in which `state` is there. */
export function exampleBlocks(path: string, text: string): Block[] {
  return [...text.matchAll(/@example\n\s*\* ```ts\n([\s\S]*?)\n\s*\* ```/g)].map((match) => ({
    path,
    line: text.slice(0, match.index).split('\n').length,
    code: OF_EXAMPLES + (match[1] ?? '').replace(/^\s*\* ?/gm, ''),
  }))
}

const withoutCode = (text: string): string => text.replace(FENCE, '').replace(/`[^`\n]*`/g, '')

/** The anchors that a reader's browser knows: headings, lower case, words joined by hyphens, and those that are written out. */
const anchorsOf = (text: string): Set<string> => {
  const titles = [...text.replace(FENCE, '').matchAll(/^#{1,6} (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  )
  return new Set([...titles, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)])
}

/** Relative links of the pages that lead nowhere. `exists` answers for files and folders, from the root. */
export function brokenLinks(pages: ReadonlyMap<string, string>, exists: (path: string) => boolean): string[] {
  return [...pages].flatMap(([path, text]) => {
    const links = [
      ...withoutCode(text).matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s+(\S+)/gm),
    ]
    return links
      .map(([, inline, reference]) => inline ?? reference ?? '')
      .filter((link) => !/^[a-z][a-z0-9+.-]*:/i.test(link))
      .filter((link) => {
        const [file = '', anchor] = link.split('#')
        const target = file === '' ? path : posix.join(posix.dirname(path), decodeURIComponent(file))
        if (!exists(target)) return true
        const page = pages.get(target)
        return anchor !== undefined && page !== undefined && !anchorsOf(page).has(anchor)
      })
      .map((link) => `${path}: ${link}`)
  })
}
