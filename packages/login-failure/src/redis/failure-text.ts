import { RecordVersions } from '@authstate/spi'
import type { FailureState } from '../rules.js'
import { decodeState } from '../scripts.js'

/** Fields of a stored record, as Redis answers them. */
type Fields = Readonly<Record<string, string>>

/** What is asked for of a record, in this order. */
export const FIELDS: readonly string[] = ['_v', 's', 'i']

/** The same, and what version 1 has. */
export const FIELDS_OF_BOTH: readonly string[] = [...FIELDS, 'n', 't', 'o', 'l', 'u', 'p', 'x', 'w']

/** Of the hash of a record. Since version 2 a text says what changes with every failure. The scripts read both. */
export const recordVersions = new RecordVersions<Fields>({
  current: '2',
  versionOf: ({ _v }) => _v?.split(' ', 1)[0],
  upcasters: { '1': ofVersion1 },
})

const COUNTED = /^2 (\d+) (\d+) (\d+)$/
const SELDOM = /^(\d+) (\d+) (\d+) (\d+) (.*)$/s
const NO_SELDOM = '0 0 0 0 '

/** What a record of this version says; `undefined` for what no version wrote. */
export function readState([counted, seldom, ip]: readonly (string | null | undefined)[]):
  | FailureState
  | undefined {
  const usual = COUNTED.exec(counted ?? '')
  const rest = SELDOM.exec(seldom ?? NO_SELDOM)
  if (usual === null || rest === null) return undefined
  const [[, x, n, l], [, t, o, u, p, w]] = [usual, rest]
  const state = decodeState([n, t, o, l, u, p, x, w, ip], Number.NaN)
  return Object.values(state).some(Number.isNaN) ? undefined : state
}

/** As lua/lib/record.lua writes what it finds in version 1. */
function ofVersion1(fields: Fields): Fields {
  const { n = '0', t = '0', o = '0', l = '0', u = '0', p = '0', x = '0', w = '', i = '' } = fields
  return { _v: `2 ${x} ${n} ${l}`, s: `${t} ${o} ${u} ${p} ${w}`, i }
}
