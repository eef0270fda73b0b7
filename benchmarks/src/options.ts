import { parseArgs } from 'node:util'

export interface Options {
  readonly rounds: number
  readonly quick: boolean
  readonly check: boolean
  readonly full: boolean
  readonly page: boolean
  readonly json?: string
  readonly wanted: (target: string) => boolean
}

export const USAGE = `npm run bench [-- options]
  --quick         counts only: nothing that depends on how busy the machine is
  --check         exit with 1 when a target is missed or could not be measured
  --only R1,D5    these targets (and 'storms', 'scale') only
  --rounds n      rounds of each comparison; 21 when left out
  --full          growth up to a million sessions, which takes some gigabytes
  --page          write the figures and pictures into docs/performance.md
  --json file     write everything that was measured`

export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      page: { type: 'boolean', default: false },
      only: { type: 'string' },
      rounds: { type: 'string', default: '21' },
      json: { type: 'string' },
    },
  })
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds is a number above 0')
  const only = values.only?.split(',').map((name) => name.trim())
  const { quick, check, full, page, json } = values
  return {
    ...{ rounds, quick, check, full, page },
    ...(json !== undefined && { json }),
    wanted: (target) => only === undefined || only.includes(target),
  }
}
