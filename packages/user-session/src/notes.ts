import type { Notes, NotesPatch } from './checks.js'

/**
 * Merges a patch into notes.
 *
 * @throws {RangeError} together they would be larger than `maxBytes`
 * @see RFC 7396
 */
export function mergeNotes(notes: Notes, patch: NotesPatch, maxBytes: number): Notes {
  const merged: Record<string, string> = { ...notes }
  for (const [name, note] of Object.entries(patch)) {
    if (note === null) delete merged[name]
    else merged[name] = note
  }
  if (notesBytes(merged) > maxBytes) throw notesTooLarge(maxBytes)
  return merged
}

export function notesTooLarge(maxBytes: number): RangeError {
  return new RangeError(`"patch.notes" would make the notes larger than ${maxBytes} bytes of UTF-8 in all`)
}

function notesBytes(notes: Notes): number {
  return Object.entries(notes).reduce(
    (bytes, [name, note]) => bytes + Buffer.byteLength(name) + Buffer.byteLength(note),
    0,
  )
}
