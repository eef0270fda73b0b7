import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to a server that can be cut: what a line between two cities does. */
export interface Way {
  /** `host:port` of its near end. */
  readonly address: string
  cut(): void
  heal(): void
  stop(): void
}

export async function openWay(host: string, port: number): Promise<Way> {
  const open = new Set<Socket>()
  let isCut = false
  const hold = (socket: Socket) => {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    return socket
  }
  const server = createServer((near) => {
    hold(near)
    if (isCut) return void near.destroy()
    const far = hold(connect({ host, port, noDelay: true }))
    near.pipe(far).pipe(near)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const destroyAll = () => {
    for (const socket of open) socket.destroy()
  }
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      isCut = true
      destroyAll()
    },
    heal() {
      isCut = false
    },
    stop() {
      server.close()
      destroyAll()
    },
  }
}
