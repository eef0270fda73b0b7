import type { IncomingMessage, ServerResponse } from 'node:http'

/** A handler of requests, such as a console. */
export type FetchHandler = (request: Request) => Promise<Response>

/** The request as Express and Koa know it: the path before they cut off where they mounted, and a body that was read already. */
type Incoming = IncomingMessage & { readonly originalUrl?: string; readonly body?: unknown }

/**
 * A handler for `node:http`, and for frameworks that hand out what it hands out: Express, Fastify, Koa.
 *
 * A body that a parser has read before is taken from `request.body`. When the client goes away, so does the stream of events.
 *
 * @param handler A console.
 */
export function toNode(
  handler: FetchHandler,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (incoming, outgoing) => {
    const aborted = new AbortController()
    outgoing.once('close', () => aborted.abort())
    try {
      await send(await handler(requestOf(incoming, aborted.signal)), outgoing, incoming.method === 'HEAD')
    } catch {
      if (!outgoing.headersSent) outgoing.writeHead(500)
      outgoing.end()
    }
  }
}

function requestOf(incoming: Incoming, signal: AbortSignal): Request {
  const { headers, method = 'GET', originalUrl, url = '/' } = incoming
  const host = String(headers[':authority'] ?? headers.host ?? 'localhost')
  const scheme = 'encrypted' in incoming.socket ? 'https' : 'http'
  const path = originalUrl ?? url
  const base = `${scheme}://${/^[\w.:[\]-]+$/.test(host) ? host : 'localhost'}`
  const given = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(':') && value !== undefined) {
      for (const line of [value].flat()) given.append(name, line)
    }
  }
  const hasBody = method !== 'GET' && method !== 'HEAD'
  // As it is: what an address of the form `//host` means is for the console to refuse.
  return new Request(base + (path.startsWith('/') ? path : '/'), {
    method,
    headers: given,
    signal,
    ...(hasBody && { body: bodyOf(incoming), duplex: 'half' }),
  } as RequestInit)
}

/** The body, or what a parser of the framework made of it. */
function bodyOf(incoming: Incoming): string | Uint8Array | ReadableStream<Uint8Array> {
  const { body } = incoming
  if (body === undefined || body === null || !incoming.readableEnded) return streamOf(incoming)
  if (typeof body === 'string') return body
  if (body instanceof Uint8Array) return new Uint8Array(body)
  if (incoming.headers['content-type']?.startsWith('application/json')) return JSON.stringify(body)
  const fields = Object.entries(body as Readonly<Record<string, unknown>>)
  const pairs = fields.flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, String(value)]),
  )
  return new URLSearchParams(pairs).toString()
}

function streamOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = incoming[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel() {
      // What is too long is not read to its end; the connection is closed behind the answer.
      incoming.resume()
    },
  })
}

async function send(response: Response, outgoing: ServerResponse, isHead: boolean): Promise<void> {
  outgoing.statusCode = response.status
  response.headers.forEach((value, name) => {
    if (name !== 'set-cookie') outgoing.setHeader(name, value)
  })
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies)
  const reader = isHead ? undefined : response.body?.getReader()
  if (reader === undefined) return void outgoing.end()
  outgoing.flushHeaders()
  const gone = new Promise<void>((resolve) => outgoing.once('close', resolve))
  try {
    for (;;) {
      const next = await Promise.race([reader.read(), gone])
      if (next === undefined || next.done || outgoing.destroyed) break
      if (!outgoing.write(next.value)) {
        await Promise.race([new Promise<void>((resolve) => outgoing.once('drain', resolve)), gone])
      }
    }
  } finally {
    void reader.cancel().catch(() => {})
  }
  outgoing.end()
}
