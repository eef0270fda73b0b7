import { pipeline, type Readable, Readable as Readables } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'

/** Why a body was not read to its end. */
export type BodyFault = 'too-large' | 'unreadable'

const DECODERS: Readonly<Record<string, () => ReturnType<typeof createGunzip>>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

/** More than one compression over another is nothing that a server sends. */
const UNCOMPRESSED = new Set(['', 'identity'])

/**
 * Reads a body to its end, or until it is larger than it may be. It holds what it has read and one piece more, so a body
 * that is small while it is compressed does no harm.
 *
 * @param body Ended when this returns, whatever the outcome.
 * @throws what the body throws
 */
export async function readBody(
  body: AsyncIterable<Uint8Array>,
  encoding: string,
  maxBytes: number,
): Promise<Uint8Array | BodyFault> {
  const name = encoding.trim().toLowerCase()
  if (UNCOMPRESSED.has(name)) return collect(body, maxBytes)
  const decoder = Object.hasOwn(DECODERS, name) ? DECODERS[name]?.() : undefined
  if (decoder === undefined) {
    await leave(body)
    return 'unreadable'
  }
  let failure: unknown
  const raw = limited(body, maxBytes, (error) => {
    failure = error
  })
  // The callback is there so that an error is not thrown at nobody: the iteration below throws it.
  pipeline(Readables.from(raw), decoder as unknown as Readable & NodeJS.WritableStream, () => {})
  try {
    return await collect(decoder, maxBytes)
  } catch (error) {
    if (failure === TOO_LARGE) return 'too-large'
    if (failure !== undefined) throw failure
    if (/^(Z_|ERR_)/.test(String((error as { code?: unknown }).code))) return 'unreadable'
    throw error
  }
}

const TOO_LARGE = Symbol('too large')

async function* limited(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  onError: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  let size = 0
  try {
    for await (const piece of body) {
      size += piece.byteLength
      if (size > maxBytes) throw TOO_LARGE
      yield piece
    }
  } catch (error) {
    onError(error)
    throw error === TOO_LARGE ? new Error('too large') : error
  }
}

async function collect(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array | 'too-large'> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.byteLength
    if (size > maxBytes) return 'too-large'
    pieces.push(piece)
  }
  return pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces)
}

/** Ends a body that is not needed. */
async function leave(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of body) return
}
