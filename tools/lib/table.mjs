/** Rows in columns as wide as what is in them; numbers to the right. */
export function table(rows) {
  const widths = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, String(cell).length)
    })
  }
  const line = (row) =>
    row
      .map((cell, column) => {
        const width = widths[column]
        return typeof cell === 'number' ? String(cell).padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  return rows.map(line).join('\n')
}
