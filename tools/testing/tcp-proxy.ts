// Stands between a client and a server on loopback: can lead to another server, and delay what goes one way.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** How long a proxy keeps what goes one way, in ms: a number, or asked for each piece. */
export type Delay = number | (() => number)

export interface ProxyDelays {
  /** Of what the client sends. */
  readonly up?: Delay
  /** Of what the server answers. */
  readonly down?: Delay
}

/** Passes connections on to a port of this host. */
export class TcpProxy {
  readonly #server = createServer((socket) => this.#pass(socket))
  readonly #open = new Set<Socket>()
  readonly #delays: ProxyDelays
  #target: number

  private constructor(target: number, delays: ProxyDelays) {
    this.#target = target
    this.#delays = delays
  }

  static async start(target: number, delays: ProxyDelays = {}): Promise<TcpProxy> {
    const proxy = new TcpProxy(target, delays)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Cuts all connections; the next ones lead to this port. */
  goTo(target: number): void {
    this.#target = target
    this.#cut()
  }

  stop(): void {
    this.#server.close()
    this.#cut()
  }

  #cut(): void {
    for (const socket of this.#open) socket.destroy()
  }

  #pass(client: Socket): void {
    const server = connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    client.setNoDelay(true)
    this.#lead(client, server, this.#delays.up ?? 0)
    this.#lead(server, client, this.#delays.down ?? 0)
  }

  #lead(from: Socket, to: Socket, delay: Delay): void {
    this.#open.add(from)
    from.on('error', () => {})
    from.on('close', () => {
      this.#open.delete(from)
      to.destroy()
    })
    if (delay === 0) {
      from.pipe(to)
      return
    }
    // Whichever timer comes first takes what came first: nothing overtakes.
    const kept: Buffer[] = []
    from.on('data', (piece) => {
      kept.push(piece)
      setTimeout(() => to.write(kept.shift() as Buffer), typeof delay === 'number' ? delay : delay()).unref()
    })
  }
}
