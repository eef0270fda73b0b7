// The rules of our prose: plain English, subject and verb early, one idea a sentence. Each finding says what to write instead.
// `cannot` in one word is a rule of test/source-rules.test.ts.

/** Longest sentence, in words. */
export const MOST_WORDS = 45

/** A relative "who" has its noun before it, and "who is signed in" may be what a verb asks for. */
const BEFORE_WHO =
  /(?:\b(?:users?|person|persons|people|attackers?|visitors?|administrators?|callers?|readers?|authors?|operators?|owners?|thief|somebody|someone|anyone|anybody|those|everyone|stranger|listeners?|says?|said|shows?|lists?|knows?|known|see|sees|asks?|asked|decides?|finds?|tells?|and|of|is|clear|matter|depends on|or)[,)]? )$/i

const RULES = [
  { name: 'nobody', pattern: /\bnobody\b/gi, instead: '"no" with a noun: no caller, no node, no one' },
  { name: 'whoever', pattern: /\bwhoever\b/gi, instead: 'the person or the caller that is meant' },
  { name: 'anew', pattern: /\banew\b/gi, instead: '"again", or "a new …"' },
  { name: 'besides', pattern: /\bbesides\b/gi, instead: '"also", or "more"' },
  { name: 'told', pattern: /\btold\b/gi, instead: '"notified", "reported", "emitted", "described"' },
  { name: 'gone', pattern: /\bgone\b/gi, instead: '"ended", "expired", "removed", "absent"' },
  {
    name: 'such',
    pattern: /\b(?:no |any |each |one )?such\b(?! as\b)(?! a\b)(?! an\b)/gi,
    instead: '"this", "these", or the noun',
  },
  {
    name: 'who',
    pattern: /\bwho\b/gi,
    instead: 'a noun before it: "a user who", "the node that"',
    isFine: (before, after) => BEFORE_WHO.test(before.replace(/\s+/g, ' ')) || /^[^.!?]*\?/.test(after),
  },
]

const words = (sentence) => sentence.split(/\s+/).filter((word) => /\w/.test(word)).length

/** Sentences of a paragraph. A list item is a paragraph of its own, and a tag such as `@throws` begins a sentence. */
const sentencesOf = (paragraph) => paragraph.split(/(?<=[.!?:;])\s+(?=[A-Z`"(\uE000*[])|\s+(?=@\w)/)

/** What the rules find in a text without code. Each finding has the offset at which it stands. */
export function findingsIn(prose) {
  const findings = RULES.flatMap(({ name, pattern, instead, isFine }) =>
    [...prose.matchAll(pattern)]
      .filter((match) => {
        const before = prose.slice(Math.max(0, match.index - 60), match.index)
        return !isFine?.(before, prose.slice(match.index, match.index + 200))
      })
      .map((match) => ({ rule: name, at: match.index, text: match[0], instead })),
  )
  for (const match of prose.matchAll(/(?:^|\n)(?!\s*\|)(?:[^\n]+\n?)+/g)) {
    let at = match.index
    for (const part of match[0].split(/\n(?=\s*(?:[-*]|\d+\.|\|) )/)) {
      if (!/^\s*\|/.test(part))
        for (const sentence of sentencesOf(part))
          if (words(sentence) > MOST_WORDS)
            findings.push({
              rule: 'length',
              at: at + part.indexOf(sentence),
              text: `${sentence.trim().split(/\s+/).slice(0, 5).join(' ')} …`,
              instead: `a sentence of ${words(sentence)} words: at most ${MOST_WORDS}`,
            })
      at += part.length + 1
    }
  }
  return findings.sort((a, b) => a.at - b.at)
}

const blank = (text) => text.replace(/[^\n]/g, ' ')
/** In place of code, so that a sentence keeps its length and its place. */
const codeWord = (text) => `X${' '.repeat(Math.max(0, text.length - 1))}`

/** A page without what is no prose: code, addresses of links, and what is generated from sources. */
export const proseOfPage = (text) =>
  text
    .replace(/^```[\s\S]*?^```[ \t]*$/gm, blank)
    .replace(/<!-- generated[\s\S]*?<!-- end of generated -->/g, blank)
    .replace(/<[^>\n]+>/g, blank)
    .replace(/`[^`\n]*`/g, codeWord)
    .replace(/\]\([^)\s]*\)/g, (link) => `]${' '.repeat(link.length - 1)}`)
    .replace(/^#.*$/gm, blank) // a title may be a question

/** The comments of a source: what stands between the marks, with the lines where they stand. A comment ends its last sentence. */
export function proseOfSource(text) {
  const kept = text.replace(/\/\*\*[\s\S]*?\*\/|[^\n]/g, (part) =>
    part.length > 1 ? part.replace(/\*\/$/, '. ').replace(/^\/\*\*|^[ \t]*\*(?!\/)/gm, blank) : ' ',
  )
  return kept
    .replace(/\{@\w+ [^}]*\}/g, codeWord)
    .replace(/(?<=@param )[\w.]+/g, codeWord)
    .replace(/`[^`\n]*`/g, codeWord)
    .replace(/```[\s\S]*?```/g, blank)
    .replace(/^[ \t]*@example[\s\S]*?(?=^[ \t]*@|\n\s*\n\s*\n)/gm, blank)
}

/** The number of the line at an offset. */
export const lineAt = (text, at) => text.slice(0, at).split('\n').length
