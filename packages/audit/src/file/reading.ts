import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { entryOf } from '../entry.js'
import type { Following, Scan, StoredLine } from '../store.js'
import { linesBack, linesFrom } from './lines.js'
import { type LineFile, lineFiles } from './names.js'

/** What the clock of a disk may differ from that of the deployment. */
const CLOCKS_MS = 3_600_000

/** A line with what its place among the lines of all files follows from. */
interface Placed extends StoredLine {
  readonly at: number
  readonly name: string
  readonly offset: number
}

/**
 * The lines of all files of a folder, in the order in which they were written: the files of several
 * nodes are merged. The lines of a record stay in order, since another node writes the next line
 * only when the earlier ones are on the disk.
 */
export async function* scanFiles(
  directory: string,
  { first, since, place }: Scan,
): AsyncGenerator<StoredLine> {
  const isNewest = first === 'newest'
  const behind = place === undefined ? undefined : placeOf(place)
  const files = await filesSince(directory, since)
  const readers = files.map((file) => linesOf(join(directory, file.name), file, isNewest))
  try {
    const heads = await Promise.all(readers.map((reader) => nextOf(reader)))
    for (;;) {
      let best = -1
      for (const [n, head] of heads.entries()) {
        const leader = heads[best]
        if (head === undefined) continue
        if (leader === undefined || compare(head, leader) < 0 !== isNewest) best = n
      }
      const line = heads[best]
      const reader = readers[best]
      if (line === undefined || reader === undefined) return
      if (isNewest && line.at < since) return
      const isBehind =
        behind === undefined || (isNewest ? compare(line, behind) < 0 : compare(line, behind) > 0)
      if (isBehind && line.at >= since) yield line
      heads[best] = await nextOf(reader)
    }
  } finally {
    await Promise.all(readers.map((reader) => reader.return(undefined)))
  }
}

/** Lines that come behind the present ends of the files, and those of new files. */
export async function followFiles(directory: string): Promise<Following> {
  const offsets = new Map<string, number>()
  for (const { name } of await filesIn(directory)) offsets.set(name, await sizeOf(join(directory, name)))
  return {
    async next() {
      const found: Placed[] = []
      for (const { name } of await filesIn(directory)) {
        const path = join(directory, name)
        const size = await sizeOf(path)
        const from = Math.min(offsets.get(name) ?? 0, size)
        offsets.set(name, from)
        if (size === from) continue
        const file = await open(path, 'r')
        try {
          for await (const { text, offset } of linesFrom(file, from)) {
            offsets.set(name, offset + Buffer.byteLength(text) + 1)
            const line = placed(name, text, offset)
            if (line !== undefined) found.push(line)
          }
        } finally {
          await file.close()
        }
      }
      return found.sort(compare)
    },
    close: async () => {},
  }
}

/** Files of a folder, the oldest first; none where there is no folder. */
export async function filesIn(directory: string): Promise<LineFile[]> {
  try {
    return lineFiles(await readdir(directory))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

async function filesSince(directory: string, since: number): Promise<LineFile[]> {
  const files = await filesIn(directory)
  const changed = await Promise.all(files.map(({ name }) => changedAt(join(directory, name))))
  return files.filter((_, n) => (changed[n] ?? 0) >= since - CLOCKS_MS)
}

async function changedAt(path: string): Promise<number> {
  // One that was taken away meanwhile has no lines.
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? 0
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0
}

async function* linesOf(path: string, { name }: LineFile, isNewest: boolean): AsyncGenerator<Placed> {
  const file = await open(path, 'r').catch(() => undefined)
  if (file === undefined) return
  try {
    const { size } = await file.stat()
    for await (const { text, offset } of isNewest ? linesBack(file, size) : linesFrom(file, 0)) {
      const line = placed(name, text, offset)
      if (line !== undefined) yield line
    }
  } finally {
    await file.close()
  }
}

const nextOf = async (reader: AsyncGenerator<Placed>): Promise<Placed | undefined> => {
  const { value, done } = await reader.next()
  return done === true ? undefined : value
}

function placed(name: string, text: string, offset: number): Placed | undefined {
  const entry = entryOf(text)
  return entry && { entry, at: entry.writtenAt, name, offset, place: `${entry.writtenAt}~${name}~${offset}` }
}

type Position = Pick<Placed, 'at' | 'name' | 'offset'>

function placeOf(place: string): Position {
  const [at = '', name = '', offset = ''] = place.split('~')
  if (/^\d+$/.test(at) && /^\d+$/.test(offset)) return { at: Number(at), name, offset: Number(offset) }
  throw new TypeError('"query.cursor" must be the cursor of a page of the same lines')
}

const compare = (a: Position, b: Position): number =>
  a.at - b.at || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.offset - b.offset)
