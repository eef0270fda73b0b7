/**
 * The body of a request as text. No more is read of it than it may be long.
 *
 * @returns `undefined` when it is longer than `mostBytes`, not UTF-8, or broken off
 */
export async function bodyText(request: Request, mostBytes: number): Promise<string | undefined> {
  if (Number(request.headers.get('content-length') ?? 0) > mostBytes) return undefined
  const parts: Uint8Array[] = []
  let bytes = 0
  try {
    const reader = request.body?.getReader()
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
      bytes += part.value.byteLength
      if (bytes > mostBytes) {
        void reader?.cancel().catch(() => {})
        return undefined
      }
      parts.push(part.value)
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts))
  } catch {
    return undefined
  }
}
