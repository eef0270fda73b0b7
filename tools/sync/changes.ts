/** Files whose text shall be another one. Nothing is written here. */
export class Changes implements Iterable<[path: string, text: string]> {
  readonly #read: (path: string) => string
  readonly #texts = new Map<string, string>()

  constructor(read: (path: string) => string) {
    this.#read = read
  }

  /** The text that a file will have; empty when there is no such file. */
  text(path: string): string {
    const changed = this.#texts.get(path)
    if (changed !== undefined) return changed
    try {
      return this.#read(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
      throw error
    }
  }

  /** @param text Empty: the file goes. */
  set(path: string, text: string): void {
    this.#texts.set(path, text)
  }

  /**
   * Puts lines between `<!-- generated: name -->` and `<!-- end of generated -->`.
   *
   * @throws {Error} the file has no such place, or has it twice
   */
  fill(path: string, name: string, lines: readonly string[]): void {
    const start = `<!-- generated: ${name} -->\n`
    const end = '<!-- end of generated -->'
    const [before, rest, twice] = this.text(path).split(start)
    const at = rest?.indexOf(end) ?? -1
    if (before === undefined || rest === undefined || at < 0 || twice !== undefined)
      throw new Error(`${path}: needs one "${start.trim()}" with one "${end}" after it`)
    this.set(path, `${before}${start}\n${lines.join('\n')}\n\n${rest.slice(at)}`)
  }

  /**
   * Adds a section with a place for lines to a page that has none yet, so that a new service needs no edit there.
   *
   * @param before The heading in front of which the section comes. Left out: the end of the page
   */
  addPlace(path: string, name: string, heading: string, before?: string): void {
    if (this.hasPlace(path, name)) return
    const text = this.text(path)
    const at = before === undefined ? text.length : text.indexOf(`${before}\n`)
    if (at < 0) throw new Error(`${path}: has no heading "${before}"`)
    const section = `${heading}\n\n<!-- generated: ${name} -->\n<!-- end of generated -->\n`
    const start = text.slice(0, at)
    this.set(path, before === undefined ? `${start}\n${section}` : `${start}${section}\n${text.slice(at)}`)
  }

  /** Whether a file has a place for lines of this name. */
  hasPlace(path: string, name: string): boolean {
    return this.text(path).includes(`<!-- generated: ${name} -->\n`)
  }

  /** The files that differ from what is on disk. */
  get paths(): string[] {
    return [...this].map(([path]) => path)
  }

  *[Symbol.iterator](): IterableIterator<[path: string, text: string]> {
    for (const [path, text] of this.#texts) {
      if (new Changes(this.#read).text(path) !== text) yield [path, text]
    }
  }
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].map((row) =>
    row.replaceAll('|  |', '| |'),
  )
}
