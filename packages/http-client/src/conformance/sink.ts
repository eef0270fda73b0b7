import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** A request as a sink received it. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** How a sink answers. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse, body: string) => unknown

/** A server on loopback that records what it receives and answers as it is told. */
export interface Sink {
  readonly port: number
  readonly origin: string
  readonly received: readonly Received[]
  /** Connections so far. */
  connections(): number
  /** Connections that are open now. */
  open(): number
  /** Most connections that were open at one time. */
  peak(): number
  /** Sets what is answered from now on. */
  behave(behaviour: Behaviour): void
  /** Resolves when this many requests have been received in all. */
  hasReceived(count: number): Promise<void>
  /** Resolves when no connection is open. */
  isLeft(): Promise<void>
  close(): Promise<void>
}

/** Answers 200 with a short text. */
export const friendly: Behaviour = (_request, response) => response.end('ok')

/** Opens a sink. Made with `server` it is that one, such as one of TLS. */
export async function openSink(server: Server = createServer()): Promise<Sink> {
  const received: Received[] = []
  const sockets = new Set<Socket>()
  const watchers = new Set<() => void>()
  let behaviour = friendly
  let connections = 0
  let peak = 0
  const changed = (): void => {
    for (const watcher of watchers) watcher()
  }
  const until = (isSo: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const watcher = (): void => {
        if (!isSo()) return
        watchers.delete(watcher)
        resolve()
      }
      watchers.add(watcher)
      watcher()
    })
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    peak = Math.max(peak, sockets.size)
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      changed()
    })
  })
  server.on('tlsClientError', () => {})
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const body = Buffer.concat(pieces).toString()
      received.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body })
      changed()
      behaviour(request, response, body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const scheme = 'setSecureContext' in server ? 'https' : 'http'
  return {
    port,
    origin: `${scheme}://127.0.0.1:${port}`,
    received,
    connections: () => connections,
    open: () => sockets.size,
    peak: () => peak,
    behave: (next) => {
      behaviour = next
    },
    hasReceived: (count) => until(() => received.length >= count),
    isLeft: () => until(() => sockets.size === 0),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** Opens sinks, gives them to `body`, and closes them whatever becomes of it. */
export async function withSinks<const Count extends 1 | 2 | 3>(
  count: Count,
  body: (
    ...sinks: Count extends 1 ? [Sink] : Count extends 2 ? [Sink, Sink] : [Sink, Sink, Sink]
  ) => Promise<void>,
): Promise<void> {
  const sinks = await Promise.all(Array.from({ length: count }, () => openSink()))
  try {
    await (body as (...all: Sink[]) => Promise<void>)(...sinks)
  } finally {
    await Promise.all(sinks.map((sink) => sink.close()))
  }
}
