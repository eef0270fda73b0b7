import { parseDuration } from '@authstate/spi'
import type { Context } from '../commands/context.js'
import type { SizeOptions } from '../commands/size.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { jsonOf } from '../output.js'
import { type Size, sizeOf } from '../size/size.js'

/** Says what a load takes. */
export async function size({ surroundings }: Context, options: SizeOptions): Promise<void> {
  const { sessions = '', clients = '1', notes = '0', life = '10h', refresh = '5m' } = options
  const found = sizeOf({
    sessions: countOf(sessions, '--sessions', 1, 1e10),
    clients: countOf(clients, '--clients', 0, 1_000),
    notes: countOf(notes, '--notes', 0, 1e6),
    lifeMs: spanOf(life, '--life'),
    refreshMs: spanOf(refresh, '--refresh'),
  })
  surroundings.stdout.write(options.json ? jsonOf(found) : textOf(found))
}

function countOf(text: string, name: string, least: number, most: number): number {
  const value = /^\d+(\.\d+)?(e\d+)?$/i.test(text) ? Number(text) : Number.NaN
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new CommandError(
    EXIT.usage,
    `${name} must be a whole number from ${least} to ${most}, such as 1e6, got ${JSON.stringify(text)}`,
  )
}

function spanOf(text: string, name: string): number {
  let ms = 0
  try {
    ms = Number(parseDuration(text))
  } catch {
    // Said below.
  }
  if (ms >= 1_000) return ms
  throw new CommandError(
    EXIT.usage,
    `${name} must be a span from 1s, such as 10h, got ${JSON.stringify(text)}`,
  )
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']

function bytesOf(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1)
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${UNITS[power]}`
}

const rateOf = (rate: number): string => `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} per second`

function textOf({
  load,
  bytesPerSession,
  bytes,
  maxmemory,
  loginsPerSecond,
  refreshesPerSecond,
  processors,
  masters,
}: Size): string {
  const rows = [
    ['a session', `${bytesPerSession} bytes, with ${load.clients} client sessions and its indexes`],
    ['all of them', `${bytesOf(bytes)}, with the logins that are under way`],
    ['maxmemory', `${bytesOf(maxmemory)}, of which 60 % are planned with`],
    ['logins', rateOf(loginsPerSecond)],
    ['refreshes', rateOf(refreshesPerSecond)],
    ['processors', `${processors.toFixed(2)} of masters, on average`],
    ['masters', `${masters}, each of one processor of which 60 % are planned with`],
  ]
  return `${rows.map(([name = '', value = '']) => `${name.padEnd(12)}  ${value}\n`).join('')}An estimate: prove it with authstate load, see docs/load.md.\n`
}
