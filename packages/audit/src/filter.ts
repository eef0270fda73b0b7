import type { AuditEntry, AuditFilter } from './contract.js'

/** Whether a line is asked for. */
export type Matches = (entry: AuditEntry) => boolean

/** @param names Those that the record of the filter may have. */
export function filterOf(
  { since = 0, realm, events, only }: AuditFilter,
  names: readonly string[] | undefined,
): Matches {
  return (entry) =>
    entry.writtenAt >= since &&
    (realm === undefined || entry.realm === realm) &&
    (only === undefined || (entry.actor !== undefined) === (only === 'actions')) &&
    (events === undefined ||
      events.some((event) => entry.event === event || entry.event.startsWith(`${event}.`))) &&
    (names === undefined || entry.records.some(({ name }) => names.includes(name)))
}
