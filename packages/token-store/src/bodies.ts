import { bodyText } from '@authstate/spi/internal'

/** Longest body of a message, bytes. */
const MAX_BODY = 65_536

/** The body of a request as text; `undefined` when it is longer than a message can be, or no text. */
export const bodyOf = (request: Request): Promise<string | undefined> => bodyText(request, MAX_BODY)

/** Whether a request says that its body is of a media type. */
export const isOfType = (request: Request, type: string): boolean =>
  (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() === type

const NO_STORE = { 'cache-control': 'no-store' }

/** An answer that tells nothing. */
export const answer = (status: number, headers: Record<string, string> = {}): Response =>
  new Response(null, { status, headers: { ...NO_STORE, ...headers } })

/** What every message gets that is not to be heeded, whatever is wrong with it. */
export const invalidRequest = (): Response =>
  new Response('{"error":"invalid_request"}', {
    status: 400,
    headers: { ...NO_STORE, 'content-type': 'application/json' },
  })

/** The message may be good, and could not be done: worth sending again. */
export const unavailable = (status: 400 | 503, retryAfterSeconds: number): Response =>
  answer(status, { 'retry-after': String(retryAfterSeconds) })
