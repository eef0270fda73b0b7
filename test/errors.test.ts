import { readFileSync } from 'node:fs'
import * as spi from '@authstate/spi'
import { expect, test } from 'vitest'

const page = readFileSync('docs/errors.md', 'utf8')
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section] as const),
)
const classes = Object.values(spi).flatMap((item) =>
  typeof item === 'function' && 'code' in item && typeof item.code === 'string'
    ? [{ name: item.name, code: item.code }]
    : [],
)

test('docs/errors.md has a heading for every code, and no other', () => {
  expect(classes.length).toBeGreaterThan(4)
  expect([...sections.keys()].sort()).toEqual(classes.map(({ code }) => code).sort())
})

test.each(classes)('the section of $code starts with its class', ({ name, code }) => {
  expect(sections.get(code)).toMatch(new RegExp(`^${code}\\n\\n\`${name}\``))
})
