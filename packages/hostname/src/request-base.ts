import type { IncomingMessage } from 'node:http'
import type { RequestBase } from './contract.js'

/** A request of Node (and so of Express, Fastify's `raw`, Koa's `req`), as {@link RequestBase}. */
export function requestBaseOf(request: IncomingMessage): RequestBase {
  const { socket, headers } = request
  const { encrypted } = socket as { encrypted?: boolean }
  return {
    scheme: encrypted === true ? 'https' : 'http',
    host: headers.host ?? authorityOfHttp2(headers),
    localPort: socket.localPort,
    remoteAddress: socket.remoteAddress,
    headers,
  }
}

/** HTTP/2 has no `Host`: the same stands in a header of its own. */
function authorityOfHttp2(headers: Readonly<Record<string, unknown>>): string | undefined {
  const authority = headers[':authority']
  return typeof authority === 'string' ? authority : undefined
}
