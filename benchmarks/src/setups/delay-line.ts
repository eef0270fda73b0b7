// A process of its own between a client and a server: what it passes on arrives later by an exact time, each way. A timer of Node is
// exact to a millisecond, which is more than a network takes; so this process looks at the clock without a pause while it holds something.
import { connect, createServer, type Socket } from 'node:net'
import type { Reply, Request } from './delay-line-process.js'

interface Piece {
  readonly to: Socket
  readonly bytes: Buffer
  readonly at: number
}

export function serveDelayLine(): void {
  process.once('message', ({ port, delayMs }: Request) => {
    // One delay for all, so what came first is due first.
    const pieces: Piece[] = []
    const lead = (from: Socket, to: Socket) => {
      from.setNoDelay(true)
      from.on('data', (bytes) => {
        pieces.push({ to, bytes, at: performance.now() + delayMs })
        if (pieces.length === 1) turn()
      })
      from.on('error', () => {})
      from.on('close', () => to.destroy())
    }
    const turn = () => {
      while (pieces[0] !== undefined && pieces[0].at <= performance.now()) {
        const { to, bytes } = pieces.shift() as Piece
        to.write(bytes)
      }
      if (pieces.length > 0) setImmediate(turn)
    }
    const line = createServer((client) => {
      const server = connect({ port, host: '127.0.0.1' })
      lead(client, server)
      lead(server, client)
    })
    line.listen(0, '127.0.0.1', () => {
      process.send?.({ port: (line.address() as { port: number }).port } satisfies Reply)
    })
  })
  process.once('disconnect', () => process.exit())
}
