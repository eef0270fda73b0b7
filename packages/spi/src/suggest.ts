const LONGEST_SHOWN = 64

/** A name as environment variables and people spell it: without case, `-` and `_`. */
export function fold(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '')
}

/** A name from outside, fit for a message: quoted, on one line, not longer than a name needs to be. */
export function quote(name: string): string {
  const shown = name.replace(/[^\x20-\x7e\xa1-\u{10ffff}]/gu, '?')
  return `'${shown.length > LONGEST_SHOWN ? `${shown.slice(0, LONGEST_SHOWN)}…` : shown}'`
}

/** "Known: 'a', 'b'." */
export function listNames(known: readonly string[]): string {
  return known.length === 0 ? 'None is known.' : `Known: ${known.map(quote).join(', ')}.`
}

/** The known names and, when one of them is near, "Did you mean 'a'?" */
export function knownNames(name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  return near === undefined ? listNames(known) : `${listNames(known)} Did you mean ${quote(near)}?`
}

/** The known name that was probably meant: at most one slip in three characters, two or three in all. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = fold(name)
  let best: string | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    const folded = fold(candidate)
    const allowed = Math.min(folded.length < 12 ? 2 : 3, Math.floor(folded.length / 3))
    if (Math.abs(folded.length - wanted.length) > allowed) continue
    const distance = editDistance(wanted, folded)
    if (distance <= allowed && distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let cost = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      )
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) cost = Math.min(cost, at(beforeLast, column - 2) + 1)
      current.push(cost)
    }
    beforeLast = last
    last = current
  }
  return at(last, b.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
