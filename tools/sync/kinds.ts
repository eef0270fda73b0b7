import type { Service } from '@authstate/spi'
import { type Changes, table } from './changes.js'

/**
 * The table of the kinds of keys, and a check that each has its heading on the page of its service. One that lives for a moment
 * only may be told under the heading of another.
 */
export function kindsTable(changes: Changes, services: readonly Service[]): void {
  const storing = services.filter(({ keys }) => Object.keys(keys).length > 0)
  for (const { name, keys } of storing) {
    const page = `docs/storage/${name}.md`
    const text = changes.text(page)
    const headings = [...text.matchAll(/^## `([^`]+)`: (.+)$/gm)].map(([, kind, what]) => `${kind}: ${what}`)
    const declared = Object.entries(keys).map(([kind, what]) => `${kind}: ${what}`)
    const wrong = [
      ...declared
        .filter((kind) => !headings.includes(kind) && !text.includes(`:${kind.split(':')[0]}\``))
        .map((kind) => `no heading for ${kind}`),
      ...headings
        .filter((kind) => !declared.includes(kind))
        .map((kind) => `service.ts does not name ${kind}`),
    ]
    if (wrong.length > 0) throw new Error(`${page}: ${wrong.join('; ')}`)
  }
  const rows = storing.map(({ name, keys }) => [
    `[${name}](storage/${name}.md)`,
    Object.keys(keys)
      .map((kind) => `\`${kind}\``)
      .join(' '),
  ])
  changes.fill('docs/storage.md', 'kinds of keys', table(['SPI', 'kinds'], rows))
}
