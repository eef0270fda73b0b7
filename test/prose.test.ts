// The rules of plain English find what they are for, and leave code and good sentences alone.
import { expect, test } from 'vitest'
import { findingsIn, lineAt, MOST_WORDS, proseOfPage, proseOfSource } from '../tools/prose/rules.mjs'

const rulesOf = (page: string) => findingsIn(proseOfPage(page)).map(({ rule }) => rule)

test.each([
  ['It has nobody to notify, and whoever comes waits.', ['nobody', 'whoever']],
  ['The connection is made anew, and it counts besides.', ['anew', 'besides']],
  ['The others are told of a gap.', ['told']],
  ['It ends what is gone.', ['gone']],
  ['Such a list is slow.', []],
  ['There is no such list.', ['such']],
  ['An outcome such as `used`.', []],
  ['so who uses memory alone loads less', ['who']],
  ['who loses it forgets', ['who']],
  ['A user who signs in, and those who signed out.', []],
  ['It lists who is signed in.', []],
  ['The code `gone`, and\n```ts\nnobody()\n```\n', []],
  ['[a page](nobody.md)', []],
  ['## Who it is for', []],
])('%s', (page, expected) => expect(rulesOf(page)).toEqual(expected))

test('a sentence that is too long, and not one behind a point, in a list or in a table', () => {
  const words = (count: number) => `${'word '.repeat(count - 1)}word.`
  expect(rulesOf(words(MOST_WORDS))).toEqual([])
  expect(rulesOf(words(MOST_WORDS + 1))).toEqual(['length'])
  expect(rulesOf(`A${words(30)} B${words(30)}`)).toEqual([])
  expect(rulesOf(`- ${words(30)}\n- ${words(30)}\n`)).toEqual([])
  expect(rulesOf(`| ${words(30)} | ${words(30)} |\n`)).toEqual([])
})

test('of a source its documentation counts, on the line where it stands', () => {
  const source = 'const nobody = 1 // told\n/**\n * It is gone.\n * `told`\n */\nexport const a = "anew"\n'
  const prose = proseOfSource(source)
  expect(findingsIn(prose).map(({ rule, at }) => [rule, lineAt(prose, at)])).toEqual([['gone', 3]])
})
