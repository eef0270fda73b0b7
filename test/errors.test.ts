// Each code of an error has a page below docs/errors, each page a code, and the error says where its page is.
import { readdirSync, readFileSync } from 'node:fs'
import * as spi from '@authstate/spi'
import { ERRORS_ADDRESS } from '@authstate/spi/internal'
import { expect, test } from 'vitest'
import { CrossSiteError, SiteUnavailableError } from '../packages/cross-site/src/index.js'
import { HTTP_ERROR_CODES, HttpError } from '../packages/http-client/src/index.js'

/** What the page of a code says, in this order. */
const SECTIONS = ['Cause', 'May I repeat the call?', 'What to do']

const overview = readFileSync('docs/errors.md', 'utf8')
const pages = new Map(
  readdirSync('docs/errors').map((file) => [
    file.replace(/\.md$/, ''),
    readFileSync(`docs/errors/${file}`, 'utf8'),
  ]),
)
const headings = (page = '') => [...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title)

type Made = new (given: unknown, options: object) => spi.ProviderError
const classes = [...Object.values(spi), CrossSiteError, SiteUnavailableError].flatMap((item) =>
  typeof item === 'function' && 'code' in item && typeof item.code === 'string'
    ? [{ name: item.name, code: item.code, Made: item as unknown as Made }]
    : [],
)

/** The page that an error leads to. */
const pageOf = ({ docs }: { readonly docs: string }): string | undefined => {
  expect(docs.startsWith(ERRORS_ADDRESS)).toBe(true)
  return docs.slice(ERRORS_ADDRESS.length)
}

test('each code has a page, and each page a code', () => {
  expect(classes.length).toBeGreaterThan(4)
  expect([...pages.keys()].sort()).toEqual([...classes.map(({ code }) => code), 'HttpError'].sort())
})

test.each(classes)('the page of $code: class, cause, repeat, fix', ({ name, code }) => {
  expect(pages.get(code)).toMatch(new RegExp(`^# ${code}\\n\\n\`${name}\`: \\w`))
  expect(headings(pages.get(code))).toEqual(SECTIONS)
})

test.each(classes)('$name leads to its page, and the overview has its row', ({ name, code, Made }) => {
  const error = new Made('of a test', { applied: 'no' })
  expect(pageOf(error)).toBe(code)
  expect(overview).toContain(`\n| [\`${code}\`](errors/${code}.md) | \`${name}\` |`)
})

test('an HttpError leads to the section of its code, and each section is a code', () => {
  expect(headings(pages.get('HttpError'))).toEqual([...HTTP_ERROR_CODES])
  for (const code of HTTP_ERROR_CODES)
    expect(pageOf(new HttpError(code, { sent: 'no' }))).toBe(`HttpError#${code}`)
})
