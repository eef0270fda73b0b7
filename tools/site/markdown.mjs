// The pages of the repository as the site shows them: the text stays, links lead to where the pages are on the site.
import { posix } from 'node:path'
import { sitePathOf } from './contents.mjs'

const FENCE = /^```[\s\S]*?^```[ \t]*$/gm
const LINK = /\[((?:[^\][]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g
const INLINE_CODE = /`[^`\n]*`/g

/** The anchor of a heading, as GitHub spells it. */
export const anchorOf = (title) =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')

/** Stands for a piece of code that was taken out. */
const TAKEN = /\uE000(\d+)\uE000/g

/** Gives what is not code to `change`, and leaves code as it is. A link around code is a link all the same. */
function outsideOfCode(text, change) {
  const taken = []
  const take = (code) => `\uE000${taken.push(code) - 1}\uE000`
  const giveBack = (_, at) => taken[Number(at)].replace(TAKEN, giveBack)
  const coloured = text.replace(/^```(?:acl|haproxy)\b/gm, '```text') // nothing here knows their grammar
  return change(coloured.replace(FENCE, take).replace(INLINE_CODE, take)).replace(TAKEN, giveBack)
}

/** What a link of a page leads to on the site: a page, a picture, or nothing where the site does not show it. */
function targetOf(path, link, pages) {
  const [file, anchor] = link.split('#')
  if (file === '' || /^[a-z][a-z0-9+.-]*:/i.test(link)) return link
  const target = posix.normalize(posix.join(posix.dirname(path), decodeURIComponent(file)))
  if (/\.(svg|png)$/.test(target)) return `/${target.replace(/^docs\//, '')}`
  const page = [target, posix.join(target, 'README.md')].find((file) => pages.has(file))
  return page === undefined ? undefined : `/${sitePathOf(page)}${anchor === undefined ? '' : `#${anchor}`}`
}

/** A page for the site. What leads to a file that the site does not show becomes text. */
export const sitePage = (path, text, pages) =>
  outsideOfCode(text, (prose) =>
    prose.replace(LINK, (whole, label, link) => {
      const target = targetOf(path, link, pages)
      return target === undefined ? label : whole.replace(`](${link})`, `](${target})`)
    }),
  )

export const titleOf = (text) => /^# (.+)$/m.exec(text)?.[1] ?? ''

/** The first sentence of a page. */
export function summaryOf(text) {
  const prose = text.replace(FENCE, '').replace(/^#.*$/gm, '')
  const paragraph = prose.split(/\n{2,}/).find((part) => /^[\w`[]/.test(part.trim())) ?? ''
  const line = paragraph.trim().replace(/\s+/g, ' ').replace(LINK, '$1')
  return /^.*?[.!?](?= |$)/.exec(line)?.[0] ?? line
}

/** A page for language models: what there is, with an address for each page. */
export function llmsText(sections, pages) {
  const lines = sections.flatMap(({ title, pages: paths }) => [
    `## ${title}`,
    '',
    ...paths.map(
      (path) => `- [${titleOf(pages.get(path))}](/${sitePathOf(path)}.md): ${summaryOf(pages.get(path))}`,
    ),
    '',
  ])
  const readme = pages.get('README.md')
  return [`# ${titleOf(readme)}`, '', `> ${summaryOf(readme)}`, '', ...lines].join('\n')
}
