import { drawBars } from './bars.js'
import { drawRatios } from './ratios-picture.js'
import type { Result } from './result.js'

const SETTING = '64 callers over one connection, each implementation in a process of its own'

/** A picture in a file of the page, and what it says to those who do not see it. */
export interface Picture {
  readonly file: string
  readonly says: string
  readonly svg: string
}

/** Pictures of a result. What was not measured is not drawn. */
export function picturesOf({ facts, findings }: Result): readonly Picture[] {
  const cpu = drawBars(
    facts,
    'client CPU us/op',
    'client CPU of one operation, in microseconds: less is better',
    SETTING,
  )
  const throughput = drawBars(facts, 'ops/s', 'operations per second: more is better', SETTING)
  return [
    { file: 'ratios.svg', says: 'each ratio over its target', svg: drawRatios(findings) },
    { file: 'cpu.svg', says: 'client CPU per operation', svg: cpu },
    { file: 'throughput.svg', says: 'operations per second', svg: throughput },
  ].flatMap(({ svg, ...picture }) => (svg === undefined ? [] : [{ ...picture, svg }]))
}
