import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

/** What a proxy was asked for. */
export interface Asked {
  readonly authority: string
  readonly authorization: string | undefined
}

/** A proxy on loopback that notes what it is asked for and leads wherever `leadTo` says. */
export async function openProxy(
  leadTo: (authority: string) => number | undefined,
  server: Server = createServer(),
): Promise<{ port: number; asked: Asked[]; close(): Promise<void> }> {
  const asked: Asked[] = []
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  server.on('connection', keep)
  server.on('request', (request, response) => {
    asked.push({ authority: `${request.method} ${request.url}`, authorization: undefined })
    response.writeHead(500).end()
  })
  server.on('connect', (request, socket: Socket) => {
    const authority = request.url ?? ''
    asked.push({ authority, authorization: request.headers['proxy-authorization'] })
    const port = leadTo(authority)
    if (port === undefined)
      return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n')
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    keep(onward)
    return undefined
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
