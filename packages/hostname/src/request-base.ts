import type { IncomingMessage } from 'node:http'
import type { RequestBase } from './contract.js'

/** A request of Node (and so of Express, Fastify's `raw`, Koa's `req`), as {@link RequestBase}. */
export function requestBaseOf(request: IncomingMessage): RequestBase {
  const { socket, headers } = request
  const { encrypted } = socket as { encrypted?: boolean }
  return {
    scheme: encrypted === true ? 'https' : 'http',
    host: authorityOfHttp2(headers) ?? headers.host,
    localPort: socket.localPort,
    remoteAddress: socket.remoteAddress,
    headers,
  }
}

/** HTTP/2 has the host in a header of its own, which wins over a `Host` beside it (RFC 9113, 8.3.1). */
function authorityOfHttp2(headers: Readonly<Record<string, unknown>>): string | undefined {
  const authority = headers[':authority']
  return typeof authority === 'string' ? authority : undefined
}
