import { isPlainObject } from '@authstate/spi/internal'
import type { AuditEntry } from './contract.js'

/**
 * A line as it is read; `undefined` for one that is torn, or of a version that this one does not know.
 *
 * @param writtenAt Left out: the line says it.
 */
export function entryOf(text: string, writtenAt?: number): AuditEntry | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isPlainObject(value) || value['v'] !== 1 || typeof value['event'] !== 'string') return undefined
  const at = writtenAt ?? value['writtenAt']
  if (!Array.isArray(value['records']) || !Number.isSafeInteger(at)) return undefined
  return { ...value, writtenAt: at } as unknown as AuditEntry
}
