/** A file of lines, by its name. */
export interface LineFile {
  readonly name: string
  /** When its first line was written, ms since the epoch. */
  readonly startedAt: number
}

const NAME = /^audit-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-[0-9a-f]{8}\.jsonl$/

/** The name of a file that begins now. No two processes make the same. */
export function fileName(startedAt: number, random: string): string {
  return `audit-${new Date(startedAt).toISOString().replace(/[-:.]/g, '')}-${random}.jsonl`
}

/** What is a file of ours, the oldest first. */
export function lineFiles(names: readonly string[]): LineFile[] {
  return names
    .flatMap((name) => {
      const [, year, month, day, hours, minutes, seconds, ms] = NAME.exec(name) ?? []
      const startedAt = Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}.${ms}Z`)
      return Number.isNaN(startedAt) ? [] : [{ name, startedAt }]
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
