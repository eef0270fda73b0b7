import { expect, test } from 'vitest'
import { Changes, table } from '../tools/sync/changes.js'
import { kindsTable } from '../tools/sync/kinds.js'
import { commentsOfProperties } from '../tools/sync/source.js'

const missing = (): never => {
  throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
}
const reading = (files: Readonly<Record<string, string>>) => new Changes((path) => files[path] ?? missing())
const page = '# Page\n\n<!-- generated: x -->\n\nold\n\n<!-- end of generated -->\n\nmore\n'

test('what stands between the marks is replaced, and nothing else', () => {
  const changes = reading({ 'a.md': page })
  changes.fill('a.md', 'x', ['new'])
  expect([...changes]).toEqual([['a.md', page.replace('old', 'new')]])
})

test('a file that has the text already is no change', () => {
  const changes = reading({ 'a.md': page })
  changes.fill('a.md', 'x', ['old'])
  expect(changes.paths).toEqual([])
})

test('a page without the marks is told', () => {
  const changes = reading({ 'a.md': '# Page\n' })
  expect(() => changes.fill('a.md', 'x', [])).toThrow('a.md: needs one "<!-- generated: x -->"')
  expect(() => changes.fill('none.md', 'x', [])).toThrow('none.md: needs one')
})

test('a page gets a section for what has none, once, where it belongs', () => {
  const changes = reading({ 'a.md': '# Page\n\n## Last\n' })
  changes.addPlace('a.md', 'x', '### X', '## Last')
  changes.addPlace('a.md', 'x', '### X', '## Last')
  changes.fill('a.md', 'x', ['row'])
  expect(changes.text('a.md')).toBe(
    '# Page\n\n### X\n\n<!-- generated: x -->\n\nrow\n\n<!-- end of generated -->\n\n## Last\n',
  )
  changes.addPlace('a.md', 'y', '## Y')
  expect(changes.text('a.md')).toMatch(
    /\n## Last\n\n## Y\n\n<!-- generated: y -->\n<!-- end of generated -->\n$/,
  )
})

test('a cell may hold a bar', () => {
  expect(table(['a', 'b'], [['x|y', '']])).toEqual(['| a | b |', '|---|---|', '| x\\|y | |'])
})

test('the words of a property are its comment, and its default where the schema has none', () => {
  const text = 'const s = {\n  /** How many.\n   * At most 9. @default none */\n  limit: 1,\n  silent: 2,\n}'
  expect([...commentsOfProperties(text)]).toEqual([
    ['limit', { text: 'How many. At most 9.', whenAbsent: 'none' }],
  ])
})

test('a kind of key without a heading is told, and a heading without a kind', () => {
  const service = { name: 'x', keys: { xa: 'a record', xb: 'a mark' } }
  const files = { 'docs/storage/x.md': '## `xa`: a record\n\n## `xc`: gone\n' }
  expect(() => kindsTable(reading(files), [service as never])).toThrow(
    'docs/storage/x.md: no heading for xb: a mark; service.ts does not name xc: gone',
  )
})
