import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../build.js'
import { picturesOf } from './pictures.js'
import { byGroup, type Result, tableOf } from './result.js'
import { COLUMNS, markdownTable, missedOf, rowsOf } from './table.js'

const PAGE = join(root, 'docs', 'performance.md')
const PICTURES = join(root, 'docs', 'performance')
const [BEGIN, END] = ['<!-- figures: begin, written by npm run bench -- --page -->', '<!-- figures: end -->']

/** Writes the figures between their two marks into the page, and the pictures beside it. */
export function writePage(result: Result): void {
  const page = readFileSync(PAGE, 'utf8')
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error('docs/performance.md has lost its marks')
  const pictures = picturesOf(result)
  mkdirSync(PICTURES, { recursive: true })
  for (const { file, svg } of pictures) writeFileSync(join(PICTURES, file), `${svg}\n`)
  const images = pictures.map(({ file, says }) => `![${says}](performance/${file})`)
  const tables = [...byGroup(result.facts)].map(([group, facts]) => {
    const { columns, rows } = tableOf(facts)
    return `### ${group}\n\n${markdownTable(columns, rows)}`
  })
  const missed = missedOf(result.findings)
  const block = [
    `${result.machine}; ${result.rounds} rounds.`,
    markdownTable(COLUMNS, rowsOf(result.findings, result.missing)),
    ...(missed.length > 0
      ? ['### Why targets were probably missed', missed.map((line) => `- ${line}`).join('\n')]
      : []),
    ...images,
    ...tables,
  ]
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${block.join('\n\n')}\n\n${END}${after}`)
}
