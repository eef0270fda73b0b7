import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Answers requests of Node's HTTP server with a function of a `Request`. */
export async function serve(
  port: number,
  answer: (request: Request) => Promise<Response>,
): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer(async (incoming, outgoing) => {
    const response = await answer(await requestOf(incoming)).catch((error: unknown) => {
      console.error(error)
      return new Response(null, { status: 500 })
    })
    const headers: string[] = []
    response.headers.forEach((value, name) => {
      if (name !== 'set-cookie') headers.push(name, value)
    })
    outgoing.writeHead(response.status, [
      ...headers,
      ...response.headers.getSetCookie().flatMap((cookie) => ['set-cookie', cookie]),
    ])
    outgoing.end(Buffer.from(await response.arrayBuffer()))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, server }
}

async function requestOf(incoming: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const { method = 'GET', url = '/', headers } = incoming
  return new Request(new URL(url, 'http://app.internal'), {
    method,
    headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
    ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
  })
}
