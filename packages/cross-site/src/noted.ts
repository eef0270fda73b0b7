import { type ChangedRecord, type ChangeNote, escapePart, type SiteJoiner } from '@authstate/redis'

/** The part of a note that matters to other sites. */
export interface Noted {
  readonly id: string
  readonly name: string
  readonly at: number
  readonly isRemoved: boolean
  readonly isTouch: boolean
}

/** Reads a note as a consumer receives it. */
export const notedOf = ({ id, key, how, at, ended }: ChangeNote): Noted => ({
  id,
  name: key.map(escapePart).join(':'),
  at,
  // An expiry is not a removal: another site may know of a later use.
  isRemoved: how === 'removal' && ended?.reason !== 'expired',
  isTouch: how === 'touch',
})

/** Reads a note as it is stored in the outbox; `undefined`: it is empty. */
export function readNoted([id, fields]: readonly [string, readonly string[]]): Noted | undefined {
  const [, text = '', , gone] = fields
  if (text === '') return undefined
  return {
    id,
    name: text.slice(1),
    at: Number(id.slice(0, id.indexOf('-'))),
    isRemoved: text.startsWith('r') && reasonIn(gone) !== 'expired',
    isTouch: text.startsWith('t'),
  }
}

function reasonIn(gone: string | undefined): unknown {
  if (gone === undefined || gone === '') return undefined
  try {
    return (JSON.parse(gone) as readonly unknown[])[1]
  } catch {
    return undefined
  }
}

/** A record that changed, and the notes of its changes. */
export interface NotedRecord {
  readonly record: ChangedRecord
  readonly ids: readonly string[]
}

/** The records that notes of a partition are about, each once. */
export function recordsOf(
  partition: number,
  notes: readonly Noted[],
  joiners: readonly SiteJoiner[],
  now: number,
): readonly NotedRecord[] {
  const changed = new Map<string, NotedRecord>()
  for (const { id, name, at, isRemoved, isTouch } of notes) {
    if (!joiners.some((joiner) => joiner.owns(name))) continue
    const before = changed.get(name)
    changed.set(name, {
      record: {
        partition,
        name,
        at: Math.min(at, now),
        isRemoved: isRemoved || (before?.record.isRemoved ?? false),
        isTouch: isTouch && (before?.record.isTouch ?? true),
      },
      ids: [...(before?.ids ?? []), id],
    })
  }
  return [...changed.values()]
}
