import type { HttpResponse } from './contract.js'
import { HttpError } from './errors.js'
import type { TransportAnswer } from './transport.js'

/** An answer for the caller, from what was read of it. */
export function answerOf(head: TransportAnswer, body: Uint8Array, host: string): HttpResponse {
  const { status, remoteAddress } = head
  const headers = Object.fromEntries(
    Object.entries(head.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), value] as const],
    ),
  )
  const text = (): string => new TextDecoder().decode(body)
  return {
    status,
    headers,
    bytes: () => body,
    text,
    json: () => {
      try {
        return JSON.parse(text()) as unknown
      } catch {
        // The parser's own message quotes the body.
        throw new HttpError('protocol', { sent: 'unknown', host, detail: 'the body is no JSON' })
      }
    },
    ...(remoteAddress !== undefined && { remoteAddress }),
  }
}
