import type { FileHandle } from 'node:fs/promises'

/** A line of a file, and where it begins. */
export interface FileLine {
  readonly text: string
  readonly offset: number
}

const CHUNK = 64 * 1024
const NEWLINE = 10

/** Whole lines from an offset on. A last one without its end is none: it is being written, or was torn. */
export async function* linesFrom(file: FileHandle, from: number): AsyncGenerator<FileLine> {
  let rest = Buffer.alloc(0)
  let start = from
  for (let position = from; ; ) {
    const chunk = Buffer.alloc(CHUNK)
    const { bytesRead } = await file.read(chunk, 0, CHUNK, position)
    if (bytesRead === 0) return
    position += bytesRead
    const data = Buffer.concat([rest, chunk.subarray(0, bytesRead)])
    let begin = 0
    for (let end = data.indexOf(NEWLINE); end !== -1; end = data.indexOf(NEWLINE, begin)) {
      yield { text: data.toString('utf8', begin, end), offset: start + begin }
      begin = end + 1
    }
    rest = data.subarray(begin)
    start += begin
  }
}

/** Whole lines from the end of a file on, the last first. */
export async function* linesBack(file: FileHandle, size: number): AsyncGenerator<FileLine> {
  let rest = Buffer.alloc(0)
  let isTorn = true
  for (let position = size; position > 0; ) {
    const length = Math.min(CHUNK, position)
    position -= length
    const chunk = Buffer.alloc(length)
    await file.read(chunk, 0, length, position)
    let data = Buffer.concat([chunk, rest])
    if (isTorn) {
      const end = data.lastIndexOf(NEWLINE)
      isTorn = end === -1
      data = isTorn ? Buffer.alloc(0) : data.subarray(0, end + 1)
      if (isTorn) continue
    }
    // What lies before the first end of a line belongs to a line that begins further ahead.
    while (data.length > 0) {
      const begin = data.length < 2 ? 0 : data.lastIndexOf(NEWLINE, data.length - 2) + 1
      if (begin === 0 && position > 0) break
      yield { text: data.toString('utf8', begin, data.length - 1), offset: position + begin }
      data = data.subarray(0, begin)
    }
    rest = data
  }
}
