import type { CaseResult } from '../check-suite.js'
import { type Run, totalsOf } from './results.js'

/** What XML 1.0 cannot hold in whatever form: most control characters, lone surrogates, two code points. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones
const IMPOSSIBLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
}

const escaped = (text: string): string =>
  text.replace(IMPOSSIBLE, '\ufffd').replace(/[&<>"\r]/g, (found) => ENTITIES[found] ?? found)

type Attributes = Readonly<Record<string, string | number>>

function element(name: string, attributes: Attributes, content = ''): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`)
  return content === '' ? `<${name}${written.join('')}/>` : `<${name}${written.join('')}>${content}</${name}>`
}

/** A JUnit report as continuous integration reads it: a suite per target, a test case per guarantee. */
export function junitReport(runs: readonly Run[]): string {
  const suites = runs.map(({ spi, target, results }) =>
    element(
      'testsuite',
      { name: `${spi} conformance: ${target}`, ...counts(results) },
      results.map((item) => testCase(item)).join(''),
    ),
  )
  const all = { name: 'authstate conformance', ...counts(runs.flatMap(({ results }) => results)) }
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', all, suites.join(''))}\n`
}

function counts(results: readonly CaseResult[]): Attributes {
  const { passed, failed, leftOut } = totalsOf(results)
  const time = secondsOf(results.reduce((sum, { durationMs }) => sum + durationMs, 0))
  return { tests: passed + failed + leftOut, failures: failed, errors: 0, skipped: leftOut, time }
}

function testCase(result: CaseResult): string {
  const { spi, target, level, guarantee, source, durationMs } = result
  const attributes = {
    classname: `${spi}.${target}.${level}`,
    name: `${guarantee} [${source}]`,
    time: secondsOf(durationMs),
  }
  if (result.outcome === 'passed') return element('testcase', attributes)
  if (result.outcome === 'left out')
    return element('testcase', attributes, element('skipped', { message: result.reason }))
  const { message, cause } = result.failure
  const type = cause instanceof Error ? cause.name : 'Error'
  return element('testcase', attributes, element('failure', { type, message: guarantee }, escaped(message)))
}

const secondsOf = (ms: number): string => (ms / 1_000).toFixed(3)
